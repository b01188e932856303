"""The addresses of DayMOPS' API, below ``/api/v1/mops/``."""

from django.urls import path

from mops.api.linkages import DEEDS, linkage_view, linkages_view, review_view
from mops.api.nights import night_view, nights_view, submissions_view
from mops.api.openapi import mops_openapi

urlpatterns = [
    path("openapi.json", mops_openapi, name="api-mops-description"),
    path("nights", nights_view, name="api-mops-nights"),
    path("nights/<int:pk>", night_view, name="api-mops-night"),
    path("nights/<int:pk>/linkages", linkages_view, name="api-mops-linkages"),
    path("linkages/<int:pk>", linkage_view, name="api-mops-linkage"),
    *(path(f"linkages/<int:pk>/{deed}", review_view, {"deed": deed}, name=f"api-mops-{deed}") for deed in DEEDS),
    path("submissions", submissions_view, name="api-mops-submissions"),
]
