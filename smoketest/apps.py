"""Smoke test: announces itself to the ground floor."""

from datetime import datetime, timedelta

from django.apps import AppConfig

from dayops.observing_day import ObservingDay


class SmoketestConfig(AppConfig):
    name = "smoketest"
    verbose_name = "Smoke test"

    def ready(self) -> None:
        from dayops.activities import Activity, no_run_yet, register

        register(
            Activity(
                key="smoketest",
                title="Smoke test",
                order=5,
                queue="alert-production",
                deadline_name="GO or NO-GO before sunset",
                deadline=_deadline,
                lane=no_run_yet("Tonight's images will be taken from raw frame to alert packet, into a sink."),
            )
        )


def _deadline(day: ObservingDay) -> datetime:
    return day.sunset - timedelta(minutes=30)
