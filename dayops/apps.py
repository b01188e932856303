"""The ground floor of DayOps."""

from django.apps import AppConfig


class DayopsConfig(AppConfig):
    name = "dayops"
    verbose_name = "DayOps"
    default_auto_field = "django.db.models.BigAutoField"
