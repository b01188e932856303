"""Whether a night's result may take its place in the catalogue, or is worse than what is there and is kept aside.

LDM-151 has a new catalogue refused that is worse than that of the night before. What is compared: how much of a night's
detections objects explain, how well orbits fit, and which objects would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mops.pipeline.configuration import Configuration

FEWEST = 10  # linkages or detections below which a share or a median means nothing


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides of one night.

    detections : of the night.  explained : those of them that belong to known objects or to accepted linkages.
    rms_arcsec : of the accepted linkages, each.  objects : ids of those that its linkages found or found again, and of
    those that other nights know.
    """

    detections: int
    explained: int
    rms_arcsec: Sequence[float]
    objects: frozenset[int] = frozenset()

    @property
    def share(self) -> float:
        return self.explained / self.detections if self.detections else 0.0

    @property
    def median_rms_arcsec(self) -> float:
        return float(np.median(self.rms_arcsec)) if len(self.rms_arcsec) else float("nan")


def objections(new: Standing, last: Standing | None, replaced: Standing | None, wanted: Configuration) -> list[str]:
    """Why `new` may not be published, in sentences with figures; none where it may.

    `last` is the newest published night before, `replaced` what is published of the same night.
    """
    found = [] if new.detections else ["No detection of the night was there to be searched: load it, and search again."]
    for other, name in ((last, "the last published night"), (replaced, "what is published of this night")):
        if other is not None:
            found += _worse(new, other, name, wanted)
    if replaced is not None:
        found += _lost(new, replaced, wanted)
    return found


def _worse(new: Standing, other: Standing, name: str, wanted: Configuration) -> list[str]:
    found = []
    least = wanted.worse_count_share * other.share
    if other.explained >= FEWEST and new.detections and new.share < least:
        found.append(
            f"Objects explain {100 * new.share:.2f} % of the night's {new.detections} detections; in {name} it was "
            f"{100 * other.share:.2f} %, and at least {100 * least:.2f} % is expected."
        )
    most = wanted.worse_rms_factor * other.median_rms_arcsec
    if min(len(new.rms_arcsec), len(other.rms_arcsec)) >= FEWEST and new.median_rms_arcsec > most:
        found.append(
            f"The median rms of the accepted orbits is {new.median_rms_arcsec:.3f}″; in {name} it was "
            f"{other.median_rms_arcsec:.3f}″, and at most {most:.3f}″ is expected."
        )
    return found


def _lost(new: Standing, replaced: Standing, wanted: Configuration) -> list[str]:
    lost = len(replaced.objects - new.objects)
    most = (1 - wanted.worse_count_share) * len(replaced.objects)
    if lost <= most:
        return []
    return [
        f"{lost} of the {len(replaced.objects)} objects that are published of this night would be lost; at most "
        f"{most:.0f} are accepted."
    ]
