"""The fault drill: every fault of the catalogue on a day of its own after healthy days; which checks see it?

A fault is *caught* when it raises an alarm, and *named* when every metric and check that its catalogue entry names is
in ERROR. Healthy days must leave everything within its limits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, QuerySet
from django.utils.timezone import now

from calib.drills.days import Crew, reject
from calib.models import Assessment, CheckResult, Finding, Level
from dayops.camera import Camera
from dayops.day_plan import Plan
from dayops.models import Alarm, Event, Severity
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import Fault
from dayops.simulator.observatory import Programme, usual_beginning


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """What a day with `fault` raised: `names` of metrics and checks in ERROR and of alarms, `alarms` of these alone."""

    fault: Fault
    frames: int
    names: frozenset[str]
    alarms: frozenset[str]

    @property
    def caught(self) -> bool:
        return bool(self.alarms)

    @property
    def missed(self) -> tuple[str, ...]:
        """The checks that should have seen it and did not."""
        return tuple(name for name in self.fault.caught_by if name not in self.names)


@dataclass(frozen=True, slots=True)
class Healthy:
    """What healthy days raised: how many frames were measured, and how many findings and checks were in ERROR."""

    frames: int
    errors: int
    warnings: int
    names: frozenset[str]


@dataclass(frozen=True)
class Drill:
    camera: Camera
    seed: int
    crew: Crew
    first_day: int
    tell: Callable[[str], None]

    def healthy(self, days: int, only: int | None = None) -> Healthy:
        """`days` days without a fault, whole or their first `only` exposures."""
        began = now()
        for number in range(days):
            day = self._day(number)
            self.crew.take(self._programme(day), _all(day)[:only])
            found = self._count(began)
            self.tell(
                f"healthy day {number + 1} of {days} ({day}): {found.frames} frames, {found.errors} errors so far"
            )
        return self._count(began)

    def fault(self, fault: Fault, number: int, only: int | None = None) -> FaultSeen:
        """The exposures that `fault` hits on the day of `number` (the first `only` of each type where given)."""
        day, began, last = self._day(number), now(), Event.objects.aggregate(last=Max("id"))["last"] or 0
        frames = self.crew.take(self._programme(day, fault), _hit(fault, day, only))
        alarms = frozenset(Alarm.objects.filter(seen_at__gte=began).values_list("name", flat=True))
        of_archive = Event.objects.filter(id__gt=last, severity=Severity.ALARM, kind__startswith="frame.")
        alarms |= frozenset(of_archive.values_list("kind", flat=True))
        findings, checks = self._judged(began)
        names = frozenset(findings.filter(level=Level.ERROR).values_list("metric", flat=True))
        names |= frozenset(checks.filter(level=Level.ERROR).values_list("check_name", flat=True))
        Alarm.objects.all().delete()
        reject(day)
        return FaultSeen(fault, frames, names | alarms, alarms)

    def _judged(self, began: datetime) -> tuple[QuerySet[Finding], QuerySet[CheckResult]]:
        findings = Finding.objects.filter(assessment__assessed_at__gte=began)
        return findings, CheckResult.objects.filter(judgement__judged_at__gte=began)

    def _count(self, began: datetime) -> Healthy:
        findings, checks = self._judged(began)
        return Healthy(
            frames=Assessment.objects.filter(assessed_at__gte=began).count(),
            errors=findings.filter(level=Level.ERROR).count() + checks.filter(level=Level.ERROR).count(),
            warnings=findings.filter(level=Level.WARN).count() + checks.filter(level=Level.WARN).count(),
            names=frozenset(findings.values_list("metric", flat=True))
            | frozenset(checks.exclude(level=Level.OK).values_list("check_name", flat=True)),
        )

    def _day(self, number: int) -> int:
        return int(f"{ObservingDay(self.first_day).date + timedelta(days=number):%Y%m%d}")

    def _programme(self, day: int, fault: Fault | None = None) -> Programme:
        return Programme(self.camera, day, self.seed, usual_beginning(day, now()), fault=fault)


def _all(day: int) -> list[int]:
    return [planned.seq_num for planned in Plan.load().exposures(day)]


def _hit(fault: Fault, day: int, only: int | None) -> list[int]:
    """The exposures that are hit and, where some of the plan come before them, those: a jump needs a before."""
    chosen: dict[str, list[int]] = {}
    for planned in fault.where.exposures(day):
        chosen.setdefault(f"{planned.image_type}{planned.step}", []).append(planned.seq_num)
    return sorted(number for numbers in chosen.values() for number in numbers[:only])


def matrix(seen: Sequence[FaultSeen]) -> list[str]:
    """One line for each fault: what it should raise, and what it did."""
    lines = []
    for one in seen:
        wanted = set(one.fault.caught_by)
        others = ", ".join(sorted(one.names - wanted)) or "–"
        hits = ", ".join(f"{name} {'✓' if name in one.names else '✗'}" for name in sorted(wanted))
        verdict = "named" if not one.missed else "caught" if one.caught else "MISSED"
        lines.append(f"{one.fault.name:<24} {verdict:<7} {hits:<60} also: {others}")
    return lines
