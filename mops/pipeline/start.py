"""Starting the processing of a night: one run, its stages and tasks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from dayops import events, runs
from dayops.level1.instants import snapshot
from dayops.models import Run
from dayops.observing_day import ObservingDay
from dayops.runs import NewTask
from mops.models import KeptArrays, Night
from mops.pipeline.configuration import USUAL, Configuration, configuration
from mops.science.time_scales import tdb_from_tai

ACTIVITY = "mops"
QUEUE = "archive-center"
STAGES = ("attribute", "tracklets", "link", "purify", "publish", "report")
_TIMEOUT_S = 3600


@transaction.atomic
def start(
    day_obs: int,
    configuration_name: str = USUAL,
    *,
    trial: bool = False,
    requested_by: str,
    changes: Mapping[str, Any] | None = None,
    key: str = "",
) -> Run:
    """Start processing the night `day_obs`. The same `key` again gives the same run.

    Raises ValueError, in a sentence, for a configuration that is not allowed or what is no dayObs.
    """
    wanted = configuration(configuration_name, changes)
    day = ObservingDay(day_obs)
    as_of = snapshot()
    run, new = runs.start(
        activity=ACTIVITY,
        key=f"mops:{day_obs}:{key or f'{as_of:.9f}'}",
        title=f"{'Try' if trial else 'Search'} the night {day} ({wanted.title.lower()})",
        day_obs=day.next.day_obs,  # it is work of the daytime that follows
        tasks=[],
        stages=STAGES,
        parameters=wanted.parameters,
        deadline=deadline(day),
        requested_by=requested_by,
    )
    if not new:
        return run
    night = Night.objects.create(
        run=run,
        day_obs=day_obs,
        configuration=wanted.name,
        parameters=wanted.parameters,
        trial=trial,
        as_of_mjd_tai=as_of,
        reference_mjd_tdb=reference_epoch(day, wanted),
    )
    runs.add_tasks(run, _tasks(night, wanted))
    Run.objects.filter(pk=run.pk).update(subject=f"night:{night.pk}")
    events.record(
        "mops.night.started",
        f"The night {day} is being searched for {requested_by}.",
        actor=requested_by,
        day_obs=run.day_obs,
        subject=f"night:{night.pk}",
    )
    run.refresh_from_db()
    return run


def deadline(day: ObservingDay) -> datetime:
    """24 hours after the end of the night that `day` is the dayObs of (DPDD; averaged over a month)."""
    return day.sunrise + timedelta(hours=24)


def reference_epoch(day: ObservingDay, wanted: Configuration) -> float:
    """MJD TDB of the middle of the window: where the linker compares tracklets."""
    middle = float(_midnight_mjd(day)) - (wanted.window_nights - 1) / 2
    return float(tdb_from_tai(middle))


def _midnight_mjd(day: ObservingDay) -> int:
    """MJD TAI of the middle of a night: dayObs changes at 12 h TAI."""
    return day.date.toordinal() - _ORDINAL_OF_MJD_0 + 1


_ORDINAL_OF_MJD_0 = 678_576  # 1858-11-17


def window(day_obs: int, wanted: Configuration) -> list[int]:
    """The dayObs of the window, oldest first."""
    days = [ObservingDay(day_obs)]
    while len(days) < wanted.window_nights:
        days.append(days[-1].previous)
    return [day.day_obs for day in reversed(days)]


def _tasks(night: Night, wanted: Configuration) -> list[NewTask]:
    """Older nights get tracklets only where none were kept with the same limits."""
    days = window(night.day_obs, wanted)
    kept = KeptArrays.objects.filter(
        kind=KeptArrays.Kind.TRACKLETS, day_obs__in=days[:-1], made_with=wanted.of_tracklets
    )
    there = set(kept.values_list("day_obs", flat=True))
    return [
        _task("attribute", str(night.day_obs), night),
        *(_task("tracklets", str(day), night, day_obs=day) for day in days if day not in there),
        *(_task("link", str(block + 1), night, block=block, blocks=wanted.blocks) for block in range(wanted.blocks)),
        *(_task(stage, "night", night) for stage in ("purify", "publish", "report")),
    ]


def _task(stage: str, key: str, night: Night, **arguments: Any) -> NewTask:
    return NewTask(
        stage=stage,
        key=f"{stage}:{key}",
        function=f"mops.{stage}",
        arguments={"night": night.pk, **arguments},
        queue=QUEUE,
        timeout_s=_TIMEOUT_S,
    )
