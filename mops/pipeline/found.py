"""What a night's search found: linkages with their orbits, those that were refused too."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.science.orbit_fit import Orbits

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """`k` linkages; `members[first[j]:first[j + 1]]` are indices of `detections`, in the order of time.

    orbits : theirs, with residuals for the flat members.  zone : the set of hypotheses; "known" where it is a known
    object's orbit made better.  r_au, rdot_au_d, spread_arcsec : the hypothesis that found it, NaN where none did.
    tracklets : number of them.  object_id : ssObjectId, 0 for a new one.  reason : why it is refused, or ''.
    """

    first: Ints
    members: Ints
    detections: Detections
    orbits: Orbits
    zone: npt.NDArray[np.str_]
    r_au: Floats
    rdot_au_d: Floats
    spread_arcsec: Floats
    tracklets: Ints
    object_id: Ints
    reason: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.reason == "")

    @property
    def owner(self) -> Ints:
        """The linkage of each flat member."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    def of(self, linkage: int) -> slice:
        """Where the members of a linkage are."""
        return slice(int(self.first[linkage]), int(self.first[linkage + 1]))


def together(one: Found, other: Found) -> Found:
    """The linkages of both, of both their detections."""
    shift = len(one.detections)
    detections = Detections(
        **{
            field.name: np.concatenate([getattr(one.detections, field.name), getattr(other.detections, field.name)])
            for field in fields(Detections)
        }
    )
    orbits = Orbits(
        **{
            field.name: np.concatenate([getattr(one.orbits, field.name), getattr(other.orbits, field.name)])
            for field in fields(Orbits)
        }
    )
    plain = ("zone", "r_au", "rdot_au_d", "spread_arcsec", "tracklets", "object_id", "reason")
    return Found(
        first=np.concatenate([one.first, one.first[-1] + other.first[1:]]),
        members=np.concatenate([one.members, other.members + shift]),
        detections=detections,
        orbits=orbits,
        **{name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in plain},
    )
