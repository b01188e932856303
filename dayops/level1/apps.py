"""The Level 1 database."""

from django.apps import AppConfig


class Level1Config(AppConfig):
    name = "dayops.level1"
    label = "level1"
    verbose_name = "Level 1 database"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dayops.kernels import warm_up_with
        from dayops.level1 import binary

        warm_up_with(binary.warm_up)
