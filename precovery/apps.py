"""Precovery: announces itself to the ground floor."""

from datetime import datetime, timedelta

from django.apps import AppConfig

from dayops.observing_day import ObservingDay


class PrecoveryConfig(AppConfig):
    name = "precovery"
    verbose_name = "Precovery"

    def ready(self) -> None:
        from dayops.activities import Activity, no_run_yet, register

        register(
            Activity(
                key="precovery",
                title="Precovery",
                order=4,
                queue="archive-center",
                deadline_name="24 h after the end of the night (DMS-REQ-0287)",
                deadline=_deadline,
                lane=no_run_yet("New objects will be measured in the images of the last 30 days."),
            )
        )


def _deadline(day: ObservingDay) -> datetime:
    return day.previous.sunrise + timedelta(hours=24)
