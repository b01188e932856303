"""What the plans of many days expected, and what came."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from calib.plan_progress import PlanProgress, StepProgress, progress_by_count
from dayops.models import Exposure, FrameState
from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class Cell:
    """One step of one day. A step of which something came is told with numbers, too."""

    day: ObservingDay
    progress: StepProgress

    @property
    def state(self) -> str:
        return self.progress.state.value

    @property
    def words(self) -> str:
        """``OK``, ``WAITING``, ``2 of 3 MISSING``; exposures that lack detectors are not counted as received."""
        progress = self.progress
        is_begun = progress.state != "OK" and (progress.received or progress.partial)
        return f"{progress.received} of {progress.step.count} {self.state}" if is_begun else self.state


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One step of the plan over days; a day whose plan has no such step has no cell."""

    name: str
    title: str
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of the photon transfer curve, and the day on which it was due."""

    title: str
    cell: Cell

    @property
    def exposure_times(self) -> str:
        return ", ".join(f"{each:g}" for each in dict.fromkeys(self.cell.progress.step.exposures_s))


def coverage(camera: str, days: Sequence[ObservingDay], now: datetime) -> dict[str, PlanProgress]:
    """How the plan of each day stands at `now` (UTC), by the day's name (one query)."""
    counted: dict[int, Counter[tuple[str, bool]]] = {}
    exposures = Exposure.objects.filter(camera=camera, day_obs__in=[day.day_obs for day in days])
    frames = Count("frames", filter=Q(frames__state=FrameState.ARCHIVED))
    for row in exposures.annotate(archived=frames):
        steps = counted.setdefault(row.day_obs, Counter())
        steps[row.step, row.archived >= row.detectors_expected] += 1
    return {str(day): progress_by_count(day, counted.get(day.day_obs, Counter()), now) for day in days}


def rows_of(plans: dict[str, PlanProgress]) -> list[CoverageRow]:
    """The steps of all days in the order of the plan."""
    rows: dict[str, CoverageRow] = {}
    for day, plan in plans.items():
        for progress in plan.steps:
            title = progress.step.title.partition(",")[0]
            row = rows.setdefault(progress.step.name, CoverageRow(progress.step.name, title, {}))
            row.cells[day] = Cell(ObservingDay.parse(day), progress)
    return list(rows.values())


def chunks_of(plans: dict[str, PlanProgress]) -> list[Chunk]:
    """The chunks of the photon transfer curve that were due on these days, in the order of the curve."""
    return sorted(_chunks(plans), key=lambda chunk: chunk.title)


def _chunks(plans: dict[str, PlanProgress]) -> Iterator[Chunk]:
    for day, plan in plans.items():
        for progress in plan.steps:
            if progress.step.image_type == "PTC":
                title = progress.step.title.rpartition(", ")[2]
                yield Chunk(title, Cell(ObservingDay.parse(day), progress))
