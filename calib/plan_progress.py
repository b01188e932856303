"""The day's plan against what arrived."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from calib.exposure_table import ExposureRow
from dayops.day_plan import Plan, Step, StepState, step_state
from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class StepProgress:
    """One step of the plan: `received` of its exposures are whole, `partial` lack detectors."""

    step: Step
    received: int
    partial: int
    state: StepState
    due_at: datetime

    @property
    def exposure_times(self) -> str:
        """Seconds, as people write them: ``15, 60, 180``."""
        return ", ".join(f"{exposure_s:g}" for exposure_s in self.step.exposures_s)


@dataclass(frozen=True, slots=True)
class PlanProgress:
    """The whole plan of a day, which begins at `begins_at` (UTC). `unplanned` exposures belong to none of its steps."""

    title: str
    begins_at: datetime
    is_over: bool
    steps: tuple[StepProgress, ...]
    unplanned: int

    @property
    def expected(self) -> int:
        return sum(each.step.count for each in self.steps)

    @property
    def received(self) -> int:
        return sum(min(each.received, each.step.count) for each in self.steps)


def plan_progress(day: ObservingDay, rows: Iterable[ExposureRow], now: datetime) -> PlanProgress:
    """How each step of the plan of `day` stands at `now` (UTC), by the day's exposures."""
    return progress_by_count(day, Counter((row.exposure.step, row.is_complete) for row in rows), now)


def progress_by_count(day: ObservingDay, counted: Counter[tuple[str, bool]], now: datetime) -> PlanProgress:
    """The same by how many exposures each step has, whole (True) and not. After sunset nothing more will come."""
    plan = Plan.load()
    begins_at = day.begins + timedelta(seconds=plan.starts_after_s)
    steps = tuple(
        _progress(step, counted, begins_at, now, is_over=now > day.sunset) for step in plan.steps_for(day.day_obs)
    )
    planned = {each.step.name for each in steps}
    unplanned = sum(count for (step, _), count in counted.items() if step not in planned)
    return PlanProgress(plan.title, begins_at, now > day.sunset, steps, unplanned)


def _progress(
    step: Step, counted: Counter[tuple[str, bool]], begins_at: datetime, now: datetime, *, is_over: bool
) -> StepProgress:
    received = counted[step.name, True]
    state = step_state(step, received, (now - begins_at).total_seconds(), is_over=is_over)
    due_at = begins_at + timedelta(seconds=step.ends_after_s)
    return StepProgress(step, received, counted[step.name, False], state, due_at)
