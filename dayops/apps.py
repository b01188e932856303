"""The ground floor of DayOps."""

from datetime import timedelta

from django.apps import AppConfig


class DayopsConfig(AppConfig):
    name = "dayops"
    verbose_name = "DayOps"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.backends.signals import connection_created

        from dayops import alarm_delivery
        from dayops.activities import Activity, no_run_yet, register
        from dayops.archive import jobs  # noqa: F401 (registers its job functions)
        from dayops.archive.catch_up import catch_up
        from dayops.devices import heart, kinds, registry
        from dayops.engine.sessions import lets_go_when_frozen
        from dayops.heartbeat import forget_old_processes
        from dayops.scheduler import every
        from dayops.web import navigation, search_sources

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
        for kind in kinds.KINDS:
            registry.register(kind)
        navigation.add(navigation.Destination("devices", "Devices", "v"))
        search_sources.register()
        connection_created.connect(lets_go_when_frozen, dispatch_uid="dayops.engine.sessions")
        every(3600.0, "forget old processes", forget_old_processes)
        every(heart.DUTY_EVERY_S, "devices", heart.look_after)
        every(alarm_delivery.DUTY_EVERY_S, "alarm messages", alarm_delivery.deliver)
        if settings.DRILL:
            from dayops.drills import chaos_steps  # noqa: F401 (registers its job functions)
        if settings.CAMERA_DATA_SYSTEM:
            every(2.0, "archiver catch-up", lambda: kinds.archiving() and catch_up(settings.CAMERA_DATA_SYSTEM))
