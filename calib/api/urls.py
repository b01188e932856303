"""The addresses of the calibration API, below ``/api/v1/calib/``."""

from django.urls import path

from calib.api.openapi import calib_openapi
from calib.api.products import (
    flag_view,
    override_view,
    product_view,
    provenance_view,
    roll_back_view,
    set_view,
    sets_view,
    tonight_view,
)
from calib.api.reviews import DECISIONS, review_view, reviews_view
from calib.api.thresholds import activate_view, preview_view, retire_view, thresholds_view

urlpatterns = [
    path("openapi.json", calib_openapi, name="api-calib-description"),
    path("reviews", reviews_view, name="api-calib-reviews"),
    *(path(f"reviews/{deed}", review_view, {"deed": deed}, name=f"api-calib-{deed}") for deed in DECISIONS),
    path("products/tonight", tonight_view, name="api-calib-tonight"),
    path("products/sets", sets_view, name="api-calib-sets"),
    path("products/sets/<int:pk>", set_view, name="api-calib-set"),
    path("products/sets/<int:pk>/override", override_view, name="api-calib-override"),
    path("products/sets/<int:pk>/rollback", roll_back_view, name="api-calib-rollback"),
    path("products/<int:pk>", product_view, name="api-calib-product"),
    path("products/<int:pk>/provenance", provenance_view, name="api-calib-provenance"),
    path("products/<int:pk>/flag", flag_view, name="api-calib-flag"),
    path("thresholds", thresholds_view, name="api-calib-thresholds"),
    path("thresholds/preview", preview_view, name="api-calib-preview"),
    path("thresholds/activate", activate_view, name="api-calib-activate"),
    path("thresholds/<int:pk>/retire", retire_view, name="api-calib-retire"),
]
