"""Addresses of the calibration pages that are about no single day, below ``/calib/``."""

from django.urls import path

from calib.views.trend import trend_figure_data, trend_page

app_name = "calib-camera"

urlpatterns = [
    path("trends/", trend_page, name="trends"),
    path("trends/figure/", trend_figure_data, name="trend-figure"),
]
