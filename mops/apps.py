"""DayMOPS: announces itself to the ground floor."""

from django.apps import AppConfig


class MopsConfig(AppConfig):
    name = "mops"
    verbose_name = "DayMOPS"
