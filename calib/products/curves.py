"""The stages that make tables of numbers: crosstalk, photon transfer curve and linearity."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from astropy.table import Table

from calib.models import Product, ProductSet, ProductType
from calib.products import tables
from calib.products.known import Known
from calib.products.made import CannotBeMade, Made, numbers, storable
from calib.products.provenance import provenance, table_meta
from calib.products.raw_frames import segments_of
from calib.science.crosstalk_matrix import CrosstalkSums, measure_crosstalk, no_sums, solve
from calib.science.linearity import fit_linearity
from calib.science.photon_transfer_curve import Curve, PairPoints, fit_curve, pair_points
from dayops.camera import Detector
from dayops.models import RawFrame

LARGEST_OF_BEYOND = 0.9  # of the faintest level beyond the turnoff: just below it a response is not linear any more
Values = npt.NDArray[np.float64]
_NUMBERS = ("gain", "gain_error", "read_noise_e", "a00", "a00_error", "turnoff", "full_well_e", "brightest")


@dataclass(frozen=True, slots=True)
class FramePair:
    first: RawFrame
    second: RawFrame

    @property
    def light(self) -> str:
        """The same where the lamp gave the same light: day and filter."""
        return f"{self.first.exposure.day_obs} {self.first.exposure.filter}"


def make_crosstalk(
    product_set: ProductSet, detector: Detector, known: Known, inputs: Sequence[RawFrame], held_out: Sequence[RawFrame]
) -> Made:
    """The crosstalk matrix of one detector from the bright pixels of its darks."""
    found = solve(crosstalk_sums(detector, known, inputs))
    origin = provenance(product_set, ProductType.CROSSTALK, detector.name, "", inputs, held_out, (), _used(known))
    table = tables.crosstalk_table(detector, found.coefficients, found.errors, found.pixels)
    return Made(
        content=tables.to_bytes(table, table_meta(origin, product_set.day_obs)),
        statistics=storable(
            {"coefficients": found.coefficients, "errors": found.errors, "applied": found.to_apply(), "unit": "ADU/ADU"}
        ),
        provenance=origin,
        inputs=inputs,
        held_out=held_out,
        calibrations=_used(known),
    )


def crosstalk_sums(detector: Detector, known: Known, frames: Sequence[RawFrame]) -> CrosstalkSums:
    """The sums of `frames`, darks of the detector."""
    bias = known.pixels(ProductType.BIAS)
    every = (measure_crosstalk(segments_of(each, detector), detector, bias) for each in frames)
    return reduce(lambda one, other: one + other, every, no_sums(len(detector.amplifiers)))


def make_ptc(
    product_set: ProductSet,
    detector: Detector,
    known: Known,
    pairs: Sequence[FramePair],
    held_out: Sequence[FramePair],
) -> Made:
    """The photon transfer curves of one detector. Raises CannotBeMade where no pair says anything."""
    points = [points_of(pair, detector, known) for pair in pairs]
    stacked = {
        name: np.array([getattr(point, name) for point in points]).T
        for name in ("signal", "variance", "errors", "noise", "full")
    }
    curves = [fit_curve(*(stacked[name][row] for name in stacked)) for row in range(len(detector.amplifiers))]
    if not any(np.isfinite(curve.gain) for curve in curves):
        raise CannotBeMade("No pair of flats tells a gain: they are too faint, too bright or of unequal light.")
    frames = [frame for pair in pairs for frame in (pair.first, pair.second)]
    aside = [frame for pair in held_out for frame in (pair.first, pair.second)]
    origin = provenance(product_set, ProductType.PTC, detector.name, "", frames, aside, (), _used(known))
    return Made(
        content=tables.to_bytes(
            _curve_table(detector, stacked, curves, pairs), table_meta(origin, product_set.day_obs)
        ),
        statistics=storable(_curve_numbers(curves, stacked, pairs)),
        provenance=origin,
        inputs=frames,
        held_out=aside,
        calibrations=_used(known),
    )


def points_of(pair: FramePair, detector: Detector, known: Known) -> PairPoints:
    """What one pair says of each amplifier."""
    bias = known.pixels(ProductType.BIAS)
    first, second = (segments_of(frame, detector) for frame in (pair.first, pair.second))
    crosstalk = known.values(ProductType.CROSSTALK, "applied")
    return pair_points(first, second, detector, bias=bias, crosstalk=crosstalk)


def make_linearity(product_set: ProductSet, detector: Detector, known: Known, frames: dict[int, RawFrame]) -> Made:
    """The linearity of one detector from the signals of its photon transfer curve. Raises CannotBeMade without one."""
    curve = known.product(ProductType.PTC)
    if curve is None:
        raise CannotBeMade("It needs the photon transfer curve of this set, which could not be made.")
    signal = numbers(curve.statistics, "signal").T
    exposure_s = numbers(curve.statistics, "exposure_s")
    turnoff, beyond = numbers(curve.statistics, "turnoff"), faintest_beyond(curve)
    largest = np.fmin(turnoff, LARGEST_OF_BEYOND * beyond)  # NaN where the curve does not turn: all levels are used
    try:
        found = fit_linearity(signal, exposure_s, curve.statistics["light"], largest=largest)
    except ValueError as error:
        raise CannotBeMade(str(error)) from error
    inputs = [frames[key] for key in curve.inputs]
    origin = provenance(product_set, ProductType.LINEARITY, detector.name, "", inputs, (), (), [curve])
    columns = {
        "c2": found.coefficients[:, 0],
        "c2_error": found.errors[:, 0],
        "c3": found.coefficients[:, 1],
        "c3_error": found.errors[:, 1],
        "maximum_residual": found.maximum_residual,
        "reduced_chi2": found.reduced_chi2,
    }
    units = {"c2": "1/adu", "c2_error": "1/adu", "c3": "1/adu2", "c3_error": "1/adu2"}
    return Made(
        content=tables.to_bytes(
            tables.amplifier_table(detector, columns, units), table_meta(origin, product_set.day_obs)
        ),
        statistics=storable(
            {
                "coefficients": found.coefficients,
                "errors": found.errors,
                "maximum_residual": found.maximum_residual,
                "reduced_chi2": found.reduced_chi2,
                "residuals": found.residuals.T,
                "signal": signal.T,
                "offset_s": found.offset_s,
            }
        ),
        provenance=origin,
        inputs=inputs,
        calibrations=[curve],
    )


def faintest_beyond(curve: Product) -> Values:
    """Signal of the faintest pair beyond the turnoff, ADU, by amplifier; NaN where the curve does not turn.

    The turnoff lies between the last good pair and this one. A day's few levels may leave a wide gap there.
    """
    signal, turnoff = numbers(curve.statistics, "signal"), numbers(curve.statistics, "turnoff")
    beyond = np.where(signal > turnoff[:, None], signal, np.inf).min(axis=1)
    return np.where(np.isfinite(beyond), beyond, np.nan)


def _used(known: Known) -> list[Product]:
    return [
        product for kind in (ProductType.BIAS, ProductType.CROSSTALK) if (product := known.product(kind)) is not None
    ]


def _curve_numbers(
    curves: Sequence[Curve], stacked: dict[str, Values], pairs: Sequence[FramePair]
) -> dict[str, object]:
    return {
        **{name: [getattr(curve, name) for curve in curves] for name in _NUMBERS},
        "reduced_chi2": [curve.reduced_chi2 for curve in curves],
        "freedom": [int(curve.used.sum()) - len(curve.free) for curve in curves],
        "cubic": [curve.cubic for curve in curves],
        "notes": sorted({curve.note for curve in curves if curve.note}),
        "residuals": [curve.residuals for curve in curves],
        "used": [curve.used.tolist() for curve in curves],
        **{name: stacked[name] for name in ("signal", "variance", "errors", "noise")},
        "exposure_s": [pair.first.exposure.exposure_s for pair in pairs],
        "light": [pair.light for pair in pairs],
        "frames": [[pair.first.pk, pair.second.pk] for pair in pairs],
    }


def _curve_table(
    detector: Detector, stacked: dict[str, Values], curves: Sequence[Curve], pairs: Sequence[FramePair]
) -> Table:
    levels, count = len(pairs), len(curves)
    exposure_s = np.tile([pair.first.exposure.exposure_s for pair in pairs], (count, 1))
    columns = {"exposure_s": exposure_s, **stacked, "residual": np.array([curve.residuals for curve in curves])}
    for name in _NUMBERS:
        columns[name] = np.repeat([[getattr(curve, name)] for curve in curves], levels, axis=1)
    units = {"exposure_s": "s", "signal": "adu", "variance": "adu2", "errors": "adu2", "noise": "adu2"}
    units |= {"gain": "electron/adu", "gain_error": "electron/adu", "read_noise_e": "electron", "turnoff": "adu"}
    units |= {"a00": "1/electron", "a00_error": "1/electron", "full_well_e": "electron", "brightest": "adu"}
    return tables.curve_table(detector, columns, units)
