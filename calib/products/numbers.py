"""The numbers of products that people look at: their names, units and where they are in `Product.statistics`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calib.models import ProductType, Verification
from calib.science.verification_limits import BY_NAME
from dayops.camera import Detector


@dataclass(frozen=True, slots=True)
class Number:
    """One number for each amplifier, or for the detector where it is not `per_amplifier`.

    `key` names it in the statistics; of a list of values for each amplifier it is the one at `index`.
    """

    name: str
    title: str
    unit: str
    key: str = ""
    index: int | None = None
    per_amplifier: bool = True

    def of(self, statistics: Mapping[str, Any], amplifiers: int) -> list[float]:
        """The values, NaN where there is none."""
        found = statistics.get(self.key or self.name)
        if not self.per_amplifier:
            return [_float(found)]
        if not isinstance(found, list) or len(found) != amplifiers:
            return [math.nan] * amplifiers
        return [_float(each if self.index is None else each[self.index]) for each in found]


def _float(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _of_image(unit: str) -> tuple[Number, ...]:
    return (
        Number("median", "Median", unit),
        Number("noise", "Noise of the master", unit),
        Number("read_noise_adu", "Read noise of the frames", "ADU"),
        Number("frames", "Frames in a pixel, mean", "frames", per_amplifier=False),
        Number("no_data", "Pixels without data", "pixels", per_amplifier=False),
        Number("rejected", "Values clipped", "pixels", per_amplifier=False),
    )


NUMBERS: dict[ProductType, tuple[Number, ...]] = {
    ProductType.BIAS: _of_image("ADU"),
    ProductType.DARK: _of_image("ADU/s"),
    ProductType.FLAT: _of_image(""),
    ProductType.DEFECTS: (
        Number("boxes", "Defects", "boxes", per_amplifier=False),
        Number("bad_pixels", "Bad pixels", "pixels", per_amplifier=False),
        Number("bad_fraction", "Share of bad pixels", "", per_amplifier=False),
    ),
    ProductType.PTC: (
        Number("gain", "Gain", "e⁻/ADU"),
        Number("gain_error", "Error of the gain", "e⁻/ADU"),
        Number("read_noise_e", "Read noise", "e⁻"),
        Number("turnoff", "Turnoff", "ADU"),
        Number("full_well_e", "Full well", "e⁻"),
        Number("a00", "a00", "1/e⁻"),
        Number("reduced_chi2", "Reduced χ²", ""),
    ),
    ProductType.LINEARITY: (
        Number("c2", "c₂", "1/ADU", "coefficients", 0),
        Number("c3", "c₃", "1/ADU²", "coefficients", 1),
        Number("maximum_residual", "Largest residual", ""),
        Number("reduced_chi2", "Reduced χ²", ""),
    ),
    ProductType.CROSSTALK: (),
}
UNITS = {ProductType.BIAS: "ADU", ProductType.DARK: "ADU/s", ProductType.FLAT: ""}


def test_title(name: str) -> str:
    """What a test measures; one that this version does not know stands as it is."""
    return BY_NAME[name].title if name in BY_NAME else name.replace("_", " ")


def test_unit(name: str) -> str:
    return BY_NAME[name].unit if name in BY_NAME else ""


test_title.__test__ = test_unit.__test__ = False  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Worst:
    """The value that is farthest beyond its limits, or nearest to one; `where`: the amplifier, empty for the whole."""

    value: float | None
    where: str


def worst_of(row: Verification, detector: Detector) -> Worst:
    """Of the values of one test."""
    known = [(value, place) for place, value in enumerate(row.values) if math.isfinite(value)]
    if not known:
        return Worst(None, "")
    value, place = max(known, key=lambda each: _beyond(each[0], row.lower, row.upper))
    names = [amplifier.name for amplifier in detector.amplifiers]
    return Worst(value, names[place] if len(row.values) == len(names) else "")


def _beyond(value: float, lower: float | None, upper: float | None) -> float:
    """How far beyond a limit; negative within."""
    sides = [
        *([lower - value] if lower is not None else []),
        *([value - upper] if upper is not None else []),
    ]
    return max(sides, default=abs(value))
