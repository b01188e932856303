"""The addresses of the calibration API, below ``/api/v1/calib/``."""

from django.urls import path

from calib.api.openapi import calib_openapi
from calib.api.reviews import DECISIONS, review_view, reviews_view
from calib.api.thresholds import activate_view, preview_view, retire_view, thresholds_view

urlpatterns = [
    path("openapi.json", calib_openapi, name="api-calib-description"),
    path("reviews", reviews_view, name="api-calib-reviews"),
    *(path(f"reviews/{deed}", review_view, {"deed": deed}, name=f"api-calib-{deed}") for deed in DECISIONS),
    path("thresholds", thresholds_view, name="api-calib-thresholds"),
    path("thresholds/preview", preview_view, name="api-calib-preview"),
    path("thresholds/activate", activate_view, name="api-calib-activate"),
    path("thresholds/<int:pk>/retire", retire_view, name="api-calib-retire"),
]
