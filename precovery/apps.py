"""Precovery: announces itself to the ground floor."""

from django.apps import AppConfig


class PrecoveryConfig(AppConfig):
    name = "precovery"
    verbose_name = "Precovery"
