"""Addresses of the calibration pages that are about no single day, below ``/calib/``."""

from django.urls import path

from calib.views.coverage import coverage_page
from calib.views.threshold_edit import activate_thresholds, preview_figure, threshold_editor
from calib.views.thresholds import retire_threshold, threshold_list, threshold_page
from calib.views.trend import trend_figure_data, trend_page

app_name = "calib-camera"

urlpatterns = [
    path("coverage/", coverage_page, name="coverage"),
    path("trends/", trend_page, name="trends"),
    path("trends/figure/", trend_figure_data, name="trend-figure"),
    path("thresholds/", threshold_list, name="thresholds"),
    path("thresholds/edit/", threshold_editor, name="threshold-edit"),
    path("thresholds/edit/figure/", preview_figure, name="threshold-preview-figure"),
    path("thresholds/activate/", activate_thresholds, name="threshold-activate"),
    path("thresholds/<int:pk>/", threshold_page, name="threshold"),
    path("thresholds/<int:pk>/retire/", retire_threshold, name="threshold-retire"),
]
