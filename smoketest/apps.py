"""Smoke test: announces itself to the ground floor."""

from django.apps import AppConfig


class SmoketestConfig(AppConfig):
    name = "smoketest"
    verbose_name = "Smoke test"
