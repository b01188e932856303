"""The ground floor of DayOps."""

from datetime import timedelta

from django.apps import AppConfig


class DayopsConfig(AppConfig):
    name = "dayops"
    verbose_name = "DayOps"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from dayops.activities import Activity, no_run_yet, register
        from dayops.archive import jobs  # noqa: F401 (registers its job functions)
        from dayops.archive.catch_up import catch_up
        from dayops.scheduler import every

        register(
            Activity(
                key="maintenance",
                title="Maintenance",
                order=6,
                queue="",
                deadline_name="devices handed back by sunset − 2 h",
                deadline=lambda day: day.sunset - timedelta(hours=2),
                lane=no_run_yet("No maintenance is planned for this day."),
            )
        )
        if settings.DRILL:
            from dayops.drills import chaos_steps  # noqa: F401 (registers its job functions)
        if settings.CAMERA_DATA_SYSTEM:
            every(2.0, "archiver catch-up", lambda: catch_up(settings.CAMERA_DATA_SYSTEM))
