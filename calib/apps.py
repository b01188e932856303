"""Calibration: announces itself to the ground floor."""

from django.apps import AppConfig


class CalibConfig(AppConfig):
    name = "calib"
    verbose_name = "Calibration"
