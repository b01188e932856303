"""Named troubles: what many amplifiers, detectors or exposures say together.

A metric says that one amplifier is outside its limits; a check says what is probably the matter. Each gives numbers
that are judged by limits of their own, like metrics, and what a person may do about it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SWAP_MARGIN_ADU = 20.0  # a level must be this much nearer to another amplifier's usual one than to its own
OUTLIER_MADS = 5 * 1.4826  # median absolute deviations: 5 sigma of Gaussian scatter
SETTLED_ADU = 1.0  # levels that agree with the usual to this have settled: healthy ones move by 0.3 from day to day
SETTLING_FALL = 0.8  # of the distance before, at most, from one exposure to the next
SETTLING_SHARE = 0.5  # of the amplifiers must settle: a power cycle acts on all


@dataclass(frozen=True, slots=True)
class CheckDefinition:
    """One check: its name in limits and alarms, the unit of its number, what it is and what to do.

    `remedy` is for the operator. `of_detector`: the check is made for each detector, else once for the exposure.
    `spoils`: frames that do not pass it are unfit for masters. `explains`: metrics and checks that go wrong with it,
    on the same detector or, for a check of the exposure, anywhere: they need no alarm of their own.
    """

    name: str
    unit: str
    title: str
    description: str
    remedy: str
    of_detector: bool = False
    spoils: bool = True
    explains: frozenset[str] = frozenset()


_OF_LIGHT = frozenset({"median", "mean", "robust_sigma", "corner_mean", "gradient", "saturated_fraction", "hot_pixels"})
_OF_PATTERN = frozenset({"row_structure", "column_structure", "line_amplitude"})
_OF_FLATS = frozenset({"flat_level", "flat_snr", "amplifier_scatter", "dead_fraction", "cold_pixels"})
_OF_LEVELS = frozenset({"overscan_level_drift", "overscan_slope", "overscan_rms", "overscan_maximum"})

CHECKS: tuple[CheckDefinition, ...] = (
    CheckDefinition(
        "light_in_bias",
        "ADU",
        "Light in a bias",
        "Biases: median over the amplifiers of the image's level above the overscan (LDM-230).",
        "Look for light in the dome and at the shutter, then take the biases again; reject these.",
        of_detector=True,
        explains=_OF_LIGHT | _OF_PATTERN,
    ),
    CheckDefinition(
        "light_in_dark",
        "e⁻/s",
        "Light in a dark",
        "Darks: median over the amplifiers of the dark current; acceptance allows 0.2 e⁻/s (LCA-128).",
        "Look for light in the dome and at the shutter, and at the sensor's temperature; take the darks again.",
        of_detector=True,
        explains=_OF_LIGHT | _OF_PATTERN | {"dark_current"},
    ),
    CheckDefinition(
        "stuck_shutter",
        "e⁻/s",
        "The shutter is stuck",
        "Median over the detectors of the light: too much of it in a dark, none in a flat.",
        "Close and open the shutter by hand and look at its state; take these exposures again.",
        explains=_OF_LIGHT
        | _OF_PATTERN
        | _OF_FLATS
        | {"dark_current", "light_in_dark", "flat_deviates", "flat_gradient", "detector_scatter"},
    ),
    CheckDefinition(
        "flat_deviates",
        "",
        "A flat deviates from the norm",
        "Relative difference of a detector's light from its recent flats of the same filter (LDM-230).",
        "Compare the filter in the beam with the header, and look at the lamp and the flat screen.",
        of_detector=True,
        explains=_OF_LIGHT | _OF_PATTERN | _OF_FLATS | {"gain_from_flat_pair", "flat_gradient", "detector_scatter"},
    ),
    CheckDefinition(
        "flat_gradient",
        "per radius",
        "The flat screen is lit unevenly",
        "Slope of a plane through the detectors' light (over their recent flats where there are any), per radius of "
        "the focal plane.",
        "Look at the lamps of the flat screen and at what stands in the beam.",
        explains=frozenset({"detector_scatter"}),
    ),
    CheckDefinition(
        "detector_scatter",
        "",
        "Detectors differ in a flat",
        "Standard deviation over mean of the detectors' light (cp_verify: at most 0.05).",
        "Look at the focal plane of flat_level: a pattern is illumination, a single detector is its electronics.",
        spoils=False,
    ),
    CheckDefinition(
        "swapped_amplifiers",
        "amplifiers",
        "Amplifiers are swapped",
        "Amplifiers whose overscan level is that of another one of the detector.",
        "Compare the cabling and the sequencer's channel map with the geometry; do not make masters from these frames.",
        of_detector=True,
        explains=frozenset({"overscan_level_drift", "read_noise_change", "gain_change"}),
    ),
    CheckDefinition(
        "settling",
        "exposures",
        "Levels are still settling",
        "Exposures at the start of a row whose overscan levels fall towards the usual ones, as after a power cycle.",
        "Reject the exposures named and take as many again.",
        explains=_OF_LEVELS | {"gradient", "row_structure"},
    ),
    CheckDefinition(
        "expected_frames",
        "detectors",
        "Detectors are missing",
        "Detectors that the exposure's header counts and that did not arrive.",
        "Look at the detector's readout and at the Camera Data System; catch-up fetches what is offered later.",
        spoils=False,
    ),
)
BY_NAME = {check.name: check for check in CHECKS}


def of_amplifiers(values: Array) -> float:
    """Median over what is finite; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else np.nan


def scatter(light: Array) -> float:
    """Standard deviation over mean of the detectors' `light`; NaN for fewer than two."""
    finite = light[np.isfinite(light)]
    return float(finite.std(ddof=1) / finite.mean()) if finite.size > 1 and finite.mean() > 0 else np.nan


def deviation(light: Array, usual: Array) -> Array:
    """|light / usual − 1| of each detector; NaN where either is unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.abs(light / usual - 1)
    return np.where(np.isfinite(found), found, np.nan)


def gradient(light: Array, u: Array, v: Array) -> float:
    """Slope of a plane through the detectors' `light`, over its middle, per unit of `u`, `v`.

    `u`, `v` are places on the focal plane in units of its radius. Detectors more than 5 robust sigma from the median
    are left out: a dead one tilts no lamp. NaN for fewer than four others, for three always lie on a plane.
    """
    fits = _alike(light)
    if fits.sum() < 4:
        return np.nan
    terms = np.stack([np.ones(int(fits.sum())), u[fits], v[fits]], axis=1)
    (middle, along_u, along_v), _, rank, _ = np.linalg.lstsq(terms, light[fits], rcond=None)
    return float(np.hypot(along_u, along_v) / abs(middle)) if rank == 3 and middle else np.nan


def _alike(light: Array) -> npt.NDArray[np.bool_]:
    distance = np.abs(light - of_amplifiers(light))
    return np.isfinite(light) & (distance <= OUTLIER_MADS * of_amplifiers(distance))


def swapped(levels: Array, usual: Array) -> npt.NDArray[np.int64]:
    """Indices of amplifiers whose level is far from its own `usual` one but is the usual one of another amplifier.

    That other one must in turn have a level that is not its own. Arrays of one value per amplifier, in ADU.
    """
    distance = np.abs(levels[:, None] - usual[None, :])
    distance[~np.isfinite(distance)] = np.inf
    if not np.isfinite(distance).any():
        return np.array([], dtype=np.int64)
    own, nearest = np.diagonal(distance).copy(), distance.argmin(axis=1)
    strays = np.isfinite(own) & (own > distance.min(axis=1) + SWAP_MARGIN_ADU)
    return np.flatnonzero(strays & strays[nearest])


def settling(levels: Array, usual: Array) -> int:
    """How many of the first exposures of a row are still settling; 0 where none is.

    Parameters
    ----------
    levels
        Overscan level of each amplifier in each exposure of the row, in the order taken: (exposures, amplifiers), ADU.
    usual
        The amplifiers' usual levels; where one is NaN, that of the row's last exposure counts.

    A row settles where, for most amplifiers, the distance from the usual level falls from exposure to exposure and was
    larger than `SETTLED_ADU` at first. A level that jumped and stays is no settling.
    """
    if len(levels) < 2:
        return 0
    distance = np.abs(levels - np.where(np.isfinite(usual), usual, levels[-1]))
    with np.errstate(invalid="ignore"):
        unsettled = distance > SETTLED_ADU
        falls = distance[1:] < SETTLING_FALL * distance[:-1]
    count = 0
    while count < len(levels) - 1 and np.mean(unsettled[count] & falls[count]) >= SETTLING_SHARE:
        count += 1
    if count and count == len(levels) - 1 and np.mean(unsettled[count]) >= SETTLING_SHARE:
        count += 1  # the last of the row has not arrived either
    return count
