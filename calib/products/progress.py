"""How far the making of a set has come, stage by stage, and how long that takes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, FloatField, Max, Min, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from calib.products.generator import ACTIVITY, LIMIT_S, STAGES
from dayops.models import Phase, Run, Task
from dayops.observing_day import ObservingDay
from dayops.web.work_pages.safe_start import MEASURED_DAYS, Median


@dataclass(frozen=True, slots=True)
class StageProgress:
    """One stage. `unmade` tasks ended with a sentence instead of a product; `failed_tests` are of verification."""

    name: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    aborted: int = 0
    executing: int = 0
    queued: int = 0
    unmade: int = 0
    failed_tests: float | None = None
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def word(self) -> str:
        """A status word: the worst that has happened, or else the liveliest that goes on."""
        over = self.total > 0 and self.completed == self.total
        in_order = {
            "ERROR": self.failed,
            "EXECUTING": self.executing,
            "ABORTED": self.aborted,
            "QUEUED": self.queued,
            "WARN": over and (self.unmade or self.failed_tests),
            "COMPLETED": over,
        }
        return next((word for word, is_so in in_order.items() if is_so), "PENDING")

    @property
    def took(self) -> timedelta | None:
        """From its first task's start to its last task's end, once it is over."""
        over = self.began and self.ended and self.completed + self.failed + self.aborted == self.total
        return self.ended - self.began if over and self.ended and self.began else None

    @property
    def troubles(self) -> str:
        """What did not go well, in words; empty where all did."""
        tests = int(self.failed_tests or 0)
        told = (
            (self.failed, "failed"),
            (self.aborted, "aborted"),
            (self.unmade, "not made"),
            (tests, f"test{'' if tests == 1 else 's'} failed"),
        )
        return ", ".join(f"{number} {words}" for number, words in told if number)


def stages_of(run: Run | None) -> list[StageProgress]:
    """The stages in the order of the work, those without tasks too (one query)."""
    if run is None:
        return [StageProgress(name) for name in STAGES]
    counts = (
        Task.objects.filter(run=run)
        .order_by()
        .values(name=F("stage"))
        .annotate(
            total=Count("id"),
            completed=Count("id", filter=Q(phase=Phase.COMPLETED)),
            failed=Count("id", filter=Q(phase=Phase.ERROR)),
            aborted=Count("id", filter=Q(phase=Phase.ABORTED)),
            executing=Count("id", filter=Q(phase=Phase.EXECUTING)),
            queued=Count("id", filter=Q(phase=Phase.QUEUED)),
            unmade=Count("id", filter=Q(result__has_key="problem")),
            failed_tests=Sum(Cast(KT("result__failed"), FloatField())),
            began=Min("started_at"),
            ended=Max("ended_at"),
        )
    )
    found = {row["name"]: StageProgress(**row) for row in counts}
    return [found.get(name, StageProgress(name)) for name in STAGES]


def usual_duration(day: ObservingDay) -> timedelta:
    """The median of the runs of the last 30 days; the required 1200 s where none was completed (one query)."""
    first = ObservingDay.at(day.begins - timedelta(days=MEASURED_DAYS - 1)).day_obs
    done = Run.objects.filter(
        activity=ACTIVITY, day_obs__range=(first, day.day_obs), phase=Phase.COMPLETED, started_at__isnull=False
    )
    found: timedelta | None = done.aggregate(median=Median(F("ended_at") - F("started_at")))["median"]
    return found or timedelta(seconds=LIMIT_S)
