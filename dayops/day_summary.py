"""One dayObs in a few numbers, for the demonstration's lines and its JSON."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q

from dayops.models import Exposure, FrameState, Phase, RawFrame, Run

_parts: dict[str, Callable[[int], Any]] = {}


def tell_of_day(part: str, count: Callable[[int], Any]) -> None:
    """Have `count` say one part of the summary of a dayObs. An app registers it in its `AppConfig.ready()`."""
    _parts[part] = count


@dataclass(frozen=True, slots=True)
class DaySummary:
    """Counts of one dayObs. What no part of DayOps makes yet is None."""

    runs: int
    completed: int
    failed: int
    live: int
    exposures: int
    frames: int
    products_certified: int | None = None
    candidates: int | None = None
    forced_rows: int | None = None
    recommendation: str | None = None

    @property
    def sentence(self) -> str:
        return (
            f"archived {self.frames} frames of {self.exposures} exposures; "
            f"runs: {self.completed} completed, {self.live} live, {self.failed} failed"
        )

    def everything_is_in(self, offered: int) -> bool:
        """Whether every offered frame is archived and no run is live."""
        return self.frames >= offered > 0 and self.live == 0

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name not in {"live", "frames"}}


def day_summary(day_obs: int) -> DaySummary:
    """Count runs, exposures and frames of `day_obs` (three queries), and what the apps add."""
    over = Phase.ended()
    counts = Run.objects.filter(day_obs=day_obs).aggregate(
        runs=Count("id"),
        completed=Count("id", filter=Q(phase=Phase.COMPLETED)),
        failed=Count("id", filter=Q(phase__in=[Phase.ERROR, Phase.ABORTED])),
        live=Count("id", filter=~Q(phase__in=over)),
    )
    exposures = Exposure.objects.filter(day_obs=day_obs).count()
    frames = RawFrame.objects.filter(exposure__day_obs=day_obs, state=FrameState.ARCHIVED).count()
    parts = {part: count(day_obs) for part, count in _parts.items()}
    return DaySummary(exposures=exposures, frames=frames, **counts, **parts)
