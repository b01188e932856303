"""Which detectors are missing in a day's exposures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calib.exposure_table import ExposureRow
from calib.metric_map import focal_plane_of
from dayops.camera import Detector, names
from dayops.models import Exposure, FrameState, RawFrame

MOST_EXPOSURES = 20
MOST_COLUMNS = 21  # more detectors are counted by raft


@dataclass(frozen=True, slots=True)
class Received:
    """How many of the expected detectors of a group came, and the names of those that did not."""

    count: int
    expected: int
    missing: tuple[str, ...]

    @property
    def state(self) -> str:
        return "MISSING" if self.missing else "OK"


@dataclass(frozen=True, slots=True)
class Lacking:
    """A grid: `groups` are detectors or rafts, `rows` the exposures that lack something, `more` are not shown."""

    groups: tuple[str, ...]
    rows: tuple[tuple[Exposure, tuple[Received, ...]], ...]
    more: int


def lacking(rows: Iterable[ExposureRow]) -> Lacking | None:
    """The exposures of one camera that lack detectors; None where none does (no query, else one).

    The camera is that of the first such exposure; of a camera without a file nobody knows which detectors it has.
    """
    wanting = [row.exposure for row in rows if not row.is_complete and row.exposure.camera in names()]
    wanting = [each for each in wanting if each.camera == wanting[0].camera]
    if not wanting:
        return None
    shown = wanting[:MOST_EXPOSURES]
    came = set(
        RawFrame.objects.filter(exposure__in=shown, state=FrameState.ARCHIVED).values_list("exposure_id", "detector")
    )
    groups = _groups(shown)
    found = tuple((each, tuple(_received(each, members, came) for members in groups.values())) for each in shown)
    return Lacking(tuple(groups), found, len(wanting) - len(shown))


def _groups(exposures: Sequence[Exposure]) -> dict[str, list[Detector]]:
    """The detectors that are expected, one by one or by raft; guiders only where all of the camera's are."""
    detectors = focal_plane_of(exposures[0], []).detectors
    if max(each.detectors_expected for each in exposures) < len(detectors):
        detectors = tuple(each for each in detectors if each.kind == "SCIENCE")
    groups: dict[str, list[Detector]] = {}
    for detector in detectors:
        groups.setdefault(detector.name if len(detectors) <= MOST_COLUMNS else detector.raft, []).append(detector)
    return groups


def _received(exposure: Exposure, members: Sequence[Detector], came: set[tuple[int, int]]) -> Received:
    missing = tuple(each.name for each in members if (exposure.pk, each.id) not in came)
    return Received(len(members) - len(missing), len(members), missing)
