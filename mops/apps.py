"""DayMOPS: announces itself to the ground floor."""

from datetime import datetime, timedelta

from django.apps import AppConfig

from dayops.observing_day import ObservingDay


class MopsConfig(AppConfig):
    name = "mops"
    verbose_name = "DayMOPS"

    def ready(self) -> None:
        from dayops.activities import Activity, no_run_yet, register

        register(
            Activity(
                key="mops",
                title="DayMOPS",
                order=3,
                queue="archive-center",
                deadline_name="24 h after the end of the night, averaged over a month (DPDD)",
                deadline=_deadline,
                lane=no_run_yet("Last night's detections will be linked into Solar System objects."),
            )
        )


def _deadline(day: ObservingDay) -> datetime:
    return day.previous.sunrise + timedelta(hours=24)
