"""DayMOPS: last night's detections become Solar System objects with orbits."""

from datetime import datetime, timedelta

from django.apps import AppConfig

from dayops.observing_day import ObservingDay


class MopsConfig(AppConfig):
    name = "mops"
    verbose_name = "DayMOPS"

    def ready(self) -> None:
        from dayops.activities import Activity, register
        from dayops.archive.hooks import keeps_content
        from dayops.day_summary import tell_of_day
        from dayops.kernels import warm_up_with
        from dayops.scheduler import every
        from dayops.web import navigation, search
        from mops import jobs, kernels  # noqa: F401 (jobs registers its job functions)
        from mops.lane import candidates_of_day, lane
        from mops.pipeline import backlog, kept
        from mops.search import LINKAGES, OBJECTS, REPORTS

        register(
            Activity(
                key="mops",
                title="DayMOPS",
                order=3,
                queue="archive-center",
                deadline_name="24 h after the end of the night, averaged over a month (DPDD)",
                deadline=_deadline,
                lane=lane,
            )
        )
        navigation.add(navigation.Destination("mops:summary", "DayMOPS", "m"))
        for source in (LINKAGES, OBJECTS, REPORTS):
            search.add(source)
        warm_up_with(kernels.warm_up)
        every(5.0, "search nights", backlog.start_what_waits)
        keeps_content(kept.referenced)
        tell_of_day("candidates", candidates_of_day)


def _deadline(day: ObservingDay) -> datetime:
    return day.previous.sunrise + timedelta(hours=24)
