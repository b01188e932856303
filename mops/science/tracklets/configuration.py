"""What a tracklet is taken to be, and the tracklets of a catalogue."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt


class Flood(ValueError):
    """More detections, pairs or clusters than are worked on; the sentence carries the figure."""


@dataclass(frozen=True, slots=True)
class TrackletConfig:
    """Limits of a tracklet. Those of Rubin's DP1: 1.5 h, 1.5 deg/day (dp1.lsst.io, processing/moving)."""

    min_arcsec: float = 1.0  # between the two detections of a pair
    max_hours: float = 1.5  # between two detections that follow each other
    max_deg_per_day: float = 1.5
    great_circle_arcsec: float = 0.5  # farthest from the line of a tracklet of three and more
    stationary_arcsec: float = 1.0
    stationary_nights: int = 3  # at one place on so many nights: a star, not a mover
    crowd_arcsec: float = 20.0
    crowd_detections: int = 8  # so many others that close in one visit: a trail or a ghost
    max_per_visit: int = 100_000  # a Rubin visit has about 10,000; ten times that is a bad frame
    max_tracklets: int = 20_000_000  # 3 GB


@dataclass(frozen=True, slots=True)
class Tracklets:
    """`k` tracklets; `members[first[j]:first[j + 1]]` are indices into the detections, in the order of time.

    mjd_tai : mean time.  ra, dec : degrees, on the line at that time.  rate_ra, rate_dec : degrees a day on the sky
    (with cos dec).  night : dayObs.  n_points : number of detections.  hours : from first to last.
    rms_arcsec : scatter about the line, 0 for a pair.
    """

    first: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    mjd_tai: npt.NDArray[np.float64]
    ra: npt.NDArray[np.float64]
    dec: npt.NDArray[np.float64]
    rate_ra: npt.NDArray[np.float64]
    rate_dec: npt.NDArray[np.float64]
    night: npt.NDArray[np.int32]
    n_points: npt.NDArray[np.int32]
    hours: npt.NDArray[np.float64]
    rms_arcsec: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.mjd_tai)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Tracklets":
        """Those that `which` (a mask or indices) names, in its order; members are of the same detections."""
        chosen = np.flatnonzero(which) if which.dtype == np.bool_ else which
        lengths = np.diff(self.first)[chosen]
        first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        inside = np.arange(first[-1]) - np.repeat(first[:-1], lengths)
        members = self.members[np.repeat(self.first[:-1][chosen], lengths) + inside]
        rest = {field.name: getattr(self, field.name)[chosen] for field in fields(self)[2:]}
        return Tracklets(first=first, members=members, **rest)


@dataclass(frozen=True, slots=True)
class Made:
    """The tracklets, and what became of the detections: bool (n,) masks of those left out, and counts by word."""

    tracklets: Tracklets
    stationary: npt.NDArray[np.bool_]
    crowded: npt.NDArray[np.bool_]
    counts: dict[str, int]
