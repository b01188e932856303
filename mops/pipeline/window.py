"""The tracklets of a window as they were kept, night by night; none of those that found their object since."""

import numpy as np
import numpy.typing as npt

from dayops.engine import BadInput
from dayops.observing_day import ObservingDay
from mops.models import KeptArrays, Night
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.known_objects import taken_sources
from mops.pipeline.packing import unpacked
from mops.pipeline.start import window
from mops.science.detections import Detections, joined
from mops.science.tracklets import Tracklets


def window_of(night: Night, wanted: Configuration) -> tuple[Detections, Tracklets]:
    """The window's detections that are in a tracklet, and the tracklets, oldest night first.

    Every task of a run gets the same, since all read as of the night's instant.
    """
    parts = [_kept_of(night, day, wanted) for day in window(night.day_obs, wanted)]
    detections, tracklets = combined([part for part in parts if part is not None])
    return detections, without(detections, tracklets, taken_sources(night, window(night.day_obs, wanted)))


def combined(parts: list[tuple[Detections, Tracklets]]) -> tuple[Detections, Tracklets]:
    """Detections and tracklets of several nights as one; members count through."""
    if not parts:
        raise BadInput("No night of the window has tracklets: load its detections, and search again.")
    detections = joined([part[0] for part in parts])
    offsets = np.cumsum([0, *(len(part[0]) for part in parts)])
    sizes = np.concatenate([np.diff(part[1].first) for part in parts])
    values = {name: np.concatenate([getattr(part[1], name) for part in parts]) for name in _PLAIN}
    return detections, Tracklets(
        first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        members=np.concatenate([part[1].members + offset for part, offset in zip(parts, offsets, strict=False)]),
        **values,
    )


_PLAIN = tuple(name for name in Tracklets.__slots__ if name not in {"first", "members"})


def without(detections: Detections, tracklets: Tracklets, taken: npt.NDArray[np.int64]) -> Tracklets:
    """The tracklets none of whose detections is among the ids `taken`."""
    if not len(taken) or not len(tracklets):
        return tracklets
    is_taken = np.isin(detections.id[tracklets.members], taken)
    return tracklets.take(~np.logical_or.reduceat(is_taken, tracklets.first[:-1]))


def _kept_of(night: Night, day: int, wanted: Configuration) -> tuple[Detections, Tracklets] | None:
    """Of the night itself its own, of older ones the newest that were made with the same limits."""
    rows = KeptArrays.objects.filter(kind=KeptArrays.Kind.TRACKLETS, day_obs=day, made_with=wanted.of_tracklets)
    own = rows.filter(night=night).first()
    found = own or rows.exclude(night__day_obs__gt=night.day_obs).order_by("-pk").first()
    if found is None:
        if day == night.day_obs:
            raise BadInput(f"The tracklets of the night {ObservingDay(day)} are not kept: run its stage again.")
        return None
    arrays = kept.get(found.sha256)
    return unpacked(Detections, "detections", arrays), unpacked(Tracklets, "tracklets", arrays)
