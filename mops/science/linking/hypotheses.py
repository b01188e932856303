"""Guesses of how a heliocentric distance goes with time: r(t) = r + rdot t + rddot t² / 2, t from the reference time.

An error of r moves a tracklet along its line of sight, and shows at the reference time only as far as the line of sight
has turned since, some hundredths of a radian: steps of ten per cent in r leave less than a minute of arc in the main
belt. rdot counts in units of the escape speed at r. What a body's own motion across adds to rddot is left to the fit;
its mean over bound orbits makes rddot = −GM/r² · (rdot/v_escape)², as in heliolinx's files.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN

Floats = npt.NDArray[np.float64]

FARTHER, NEARER = 1, -1


@dataclass(frozen=True, slots=True)
class HypothesisSet:
    """`h` guesses, all of one zone.

    zone : its word.  number : int64 (h,), their places in the whole set, which blocks keep.  r : au.  rdot : au/day.
    rddot : au/day².  side : int8 (h,), `NEARER` for the nearer of two places on a line of sight towards the Sun, else
    `FARTHER`.
    """

    zone: str
    number: npt.NDArray[np.int64]
    r: Floats
    rdot: Floats
    rddot: Floats
    side: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.r)

    def take(self, which: npt.NDArray[np.intp]) -> "HypothesisSet":
        """Those at the indices `which`."""
        return HypothesisSet(self.zone, *(getattr(self, field.name)[which] for field in fields(self)[1:]))


def grid(
    zone: str, r: tuple[float, float], step: float, rdot: tuple[float, float], *, nearer: bool = False
) -> HypothesisSet:
    """Distances from r[0] to r[1] by factors of 1 + step, each with rates up to ±rdot[0] in steps of rdot[1].

    `rdot` is in units of the escape speed.

    Raises
    ------
    ValueError
        For ranges or steps that are not positive, or rates beyond twice the escape speed.
    """
    if not (0 < r[0] <= r[1] and step > 0 and 0 <= rdot[0] <= 2 and rdot[1] > 0):
        raise ValueError(
            f"The hypotheses of {zone} need 0 < r, steps above 0 and rates of at most twice the escape speed; they "
            f"have r from {r[0]} to {r[1]} au by {step}, rates to {rdot[0]} by {rdot[1]}."
        )
    count = round(np.log(r[1] / r[0]) / np.log1p(step)) + 1
    half = int(rdot[0] / rdot[1] + 1e-9)
    distance, speed = np.meshgrid(
        r[0] * (1 + step) ** np.arange(count), rdot[1] * np.arange(-half, half + 1), indexing="ij"
    )
    distance, speed = distance.ravel(), speed.ravel()
    return HypothesisSet(
        zone=zone,
        number=np.arange(len(distance)),
        r=distance,
        rdot=speed * np.sqrt(2 * GM_SUN / distance),
        rddot=-GM_SUN / distance**2 * speed**2,
        side=np.full(len(distance), NEARER if nearer else FARTHER, np.int8),
    )


def blocks(hypotheses: HypothesisSet, count: int) -> list[HypothesisSet]:
    """At most `count` parts of nearly equal size, for as many tasks; together they are the whole."""
    return [hypotheses.take(part) for part in np.array_split(np.arange(len(hypotheses)), count) if len(part)]


def main_belt() -> HypothesisSet:
    """From the Hungarias to the Hildas."""
    return grid("main_belt", (1.5, 4.6), 0.12, (0.6, 0.3))


def trojan() -> HypothesisSet:
    """About Jupiter's distance."""
    return grid("trojan", (4.6, 7.0), 0.2, (0.2, 0.2))


def distant() -> HypothesisSet:
    """Centaurs and beyond, to 100 au."""
    return grid("distant", (7.0, 100.0), 0.35, (0.3, 0.3))


def neo() -> HypothesisSet:
    """From 0.6 to 1.6 au, inside the Earth's orbit at both distances; only for what the main belt does not make."""
    inner = grid("neo", (0.6, 0.98), 0.05, (0.6, 0.15), nearer=True)
    return joined(
        "neo", [grid("neo", (0.6, 0.84), 0.05, (0.6, 0.15)), inner, grid("neo", (0.86, 1.6), 0.03, (0.7, 0.14))]
    )


def beyond() -> HypothesisSet:
    """Trojans and the distant."""
    return joined("beyond", [trojan(), distant()])


def everywhere() -> HypothesisSet:
    """All but the near-Earth set."""
    return joined("everywhere", [main_belt(), trojan(), distant()])


def joined(zone: str, sets: Sequence[HypothesisSet]) -> HypothesisSet:
    """Sets one after another, numbered anew."""
    rest = [np.concatenate([getattr(each, field.name) for each in sets]) for field in fields(HypothesisSet)[2:]]
    return HypothesisSet(zone, np.arange(len(rest[0])), *rest)


SETS = {
    "main_belt": main_belt,
    "trojan": trojan,
    "distant": distant,
    "neo": neo,
    "beyond": beyond,
    "everywhere": everywhere,
}
