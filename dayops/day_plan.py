"""The day's plan: which calibration exposures are expected, in which order, for which step.

The plan is data (`day_plan.toml`). The simulated observatory takes it, and the pages compare it with what arrived.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from dayops.observing_day import ObservingDay

_DATA = Path(__file__).with_name("day_plan.toml")


@dataclass(frozen=True, slots=True)
class Step:
    """Exposures of one kind taken in a row. `begins_after_s`, `ends_after_s` count from the start of the plan.

    `filter` is empty where no filter matters.
    """

    name: str
    title: str
    image_type: str
    filter: str
    exposures_s: tuple[float, ...]
    begins_after_s: float
    ends_after_s: float

    @property
    def count(self) -> int:
        return len(self.exposures_s)


@dataclass(frozen=True, slots=True)
class PlannedExposure:
    """One exposure of the plan; `seq_num` counts from 1, `begins_after_s` from the start of the plan."""

    seq_num: int
    step: str
    image_type: str
    filter: str
    exposure_s: float
    begins_after_s: float


class StepState(StrEnum):
    """How a step stands: OK complete, WAITING not due yet, LATE due but not here, MISSING it will not come."""

    OK = "OK"
    WAITING = "WAITING"
    LATE = "LATE"
    MISSING = "MISSING"


@dataclass(frozen=True)
class Plan:
    """A named plan. `starts_after_s` counts from the roll-over of dayObs (12:00 TAI)."""

    name: str
    title: str
    starts_after_s: float
    overhead_s: float
    loaded_filters: tuple[str, ...]
    _steps: tuple[Mapping[str, Any], ...]

    @classmethod
    def load(cls, name: str = "daily") -> "Plan":
        """The plan called `name` in `day_plan.toml`. Raises KeyError, in words, when there is none."""
        plans = _plans()
        if name not in plans:
            raise KeyError(f"There is no day plan {name!r}: known are {', '.join(plans)}")
        return plans[name]

    def steps_for(self, day_obs: int) -> tuple[Step, ...]:
        """The steps of `day_obs` in order. Raises ValueError when `day_obs` is not a date."""
        ObservingDay(day_obs)
        steps: list[Step] = []
        for entry in self._steps:
            steps += self._expand(entry, day_obs, steps[-1].ends_after_s if steps else 0.0)
        return tuple(steps)

    def exposures(self, day_obs: int) -> tuple[PlannedExposure, ...]:
        """Every exposure of `day_obs` in the order it is taken."""
        planned: list[PlannedExposure] = []
        for step in self.steps_for(day_obs):
            begins = step.begins_after_s
            for exposure_s in step.exposures_s:
                number = len(planned) + 1
                planned.append(PlannedExposure(number, step.name, step.image_type, step.filter, exposure_s, begins))
                begins += exposure_s + self.overhead_s
        return tuple(planned)

    def duration_s(self, day_obs: int) -> float:
        return self.steps_for(day_obs)[-1].ends_after_s

    def _expand(self, entry: Mapping[str, Any], day_obs: int, begins_s: float) -> list[Step]:
        exposures_s = tuple(entry["exposures_s"]) if "exposures_s" in entry else self._chunk(entry, day_obs)
        filters = self.loaded_filters if entry.get("each_filter") else (entry.get("filter", ""),)
        length_s = sum(exposures_s) + self.overhead_s * len(exposures_s)
        return [
            Step(
                name=f"{entry['name']}-{band}" if entry.get("each_filter") else entry["name"],
                title=_title(entry, band, day_obs),
                image_type=entry["image_type"],
                filter=band,
                exposures_s=exposures_s,
                begins_after_s=begins_s + i * length_s,
                ends_after_s=begins_s + (i + 1) * length_s,
            )
            for i, band in enumerate(filters)
        ]

    def _chunk(self, entry: Mapping[str, Any], day_obs: int) -> tuple[float, ...]:
        chunks = entry["chunks_s"]
        return tuple(chunks[_chunk_number(day_obs, len(chunks))])


def _chunk_number(day_obs: int, chunks: int) -> int:
    """Days are counted, not dayObs's digits: seven days in a row give seven chunks across a month's end, too."""
    return ObservingDay(day_obs).date.toordinal() % chunks


def _title(entry: Mapping[str, Any], band: str, day_obs: int) -> str:
    if entry.get("each_filter"):
        return f"{entry['title']} {band}"
    chunks = len(entry.get("chunks_s", ())) or 1
    return str(entry["title"]).format(chunk=_chunk_number(day_obs, chunks) + 1, chunks=chunks)


@lru_cache(maxsize=1)
def _plans() -> dict[str, Plan]:
    data = tomllib.loads(_DATA.read_text())
    return {
        name: Plan(
            name=name,
            title=plan["title"],
            starts_after_s=float(plan["starts_after_s"]),
            overhead_s=float(plan["overhead_s"]),
            loaded_filters=tuple(plan["loaded_filters"]),
            _steps=tuple(plan["steps"]),
        )
        for name, plan in data.items()
    }


def step_state(step: Step, received: int, elapsed_s: float, *, is_over: bool, grace_s: float = 120.0) -> StepState:
    """How `step` stands when `received` of its exposures have arrived, `elapsed_s` after the plan started.

    A step may end `grace_s` late before it is called LATE; what is not here when the day `is_over` is MISSING.
    """
    if received >= step.count:
        return StepState.OK
    if is_over:
        return StepState.MISSING
    return StepState.LATE if elapsed_s > step.ends_after_s + grace_s else StepState.WAITING
