"""Is a product good enough to be used? Numbers of a frame that it was not made of, or of a fit, against their limits.

Images are those of `signature_removal` with the product in question, in e⁻; what its mask marks is left out.
`verification_limits` has the tests' names, limits and sources.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any, Literal

import numba
import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

from calib.science.bright_pixels import TRACK, bright_pixels
from calib.science.mask_planes import UNUSABLE, Mask, Plane, flagged
from calib.science.master_residual import PATCH, Patches, largest_residual
from calib.science.verification_limits import (
    A00_OF_VENDOR,
    BY_NAME,
    LIMITS,
    TESTS,
    Limit,
    Per,
    TestDefinition,
)
from dayops.camera.geometry import Detector

__all__ = ["BY_NAME", "LIMITS", "TESTS", "Limit", "TestDefinition", "TestValue"]

CLIP_SIGMA = 5.0  # cp_verify's
TRACK_SIGMA = 6.0
CHANCE = 1e-6  # of a healthy curve that fails by its χ²: once a year of LSSTCam
FEWEST_OF_PATCH = PATCH**2 // 4
_ITERATIONS = 20
Image = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TestValue:
    """`values` (n), or (1) of a detector or exposure, of the test of that name, and which of them `passed`."""

    __test__ = False  # pytest takes what begins with Test for one of its own

    test: str
    values: Values
    lower: float | None
    upper: float | None
    unit: str
    per: Per
    passed: npt.NDArray[np.bool_]

    def sentence(self, amplifiers: Sequence[str]) -> str:
        """What is wrong, in numbers, and what to do; empty where all passed."""
        if self.passed.all():
            return ""
        names = amplifiers if self.per == "amplifier" else [f"the {self.per}"]
        wrong = [
            f"{name} {_told(value)} {self.unit}".strip() if np.isfinite(value) else f"{name} not measured"
            for name, value, passed in zip(names, self.values, self.passed, strict=True)
            if not passed
        ]
        definition = BY_NAME[self.test]
        return f"{definition.title}: {', '.join(wrong)}; expected {self._expected}. {definition.remedy}"

    @property
    def _expected(self) -> str:
        if self.lower is None:
            return f"at most {_told(self.upper)}"
        return f"at least {_told(self.lower)}" if self.upper is None else f"{_told(self.lower)} to {_told(self.upper)}"


def verify_dark_frame(
    product: Literal["bias", "dark"], image: Image, mask: Mask, detector: Detector, expected_e: Values
) -> list[TestValue]:
    """Mean, noise, noise without tracks and largest patch median of a held-out bias or dark.

    `expected_e` (n) is its noise as `expected_noise_e` tells it.
    """
    found = np.array(
        [_of_dark_frame(*each, e) for each, e in zip(_amplifiers(image, mask, detector), expected_e, strict=True)]
    )
    mean, noise, without_tracks, patch = found.T
    with np.errstate(divide="ignore", invalid="ignore"):  # an amplifier whose pixels are all the same
        values = (mean / noise, noise / expected_e - 1, noise / without_tracks - 1, patch / noise)
    return [
        judged(f"{product}_{name}", each)
        for name, each in zip(("mean", "noise", "cr_noise", "residual"), values, strict=True)
    ]


def verify_flat(
    image: Image, mask: Mask, detector: Detector, read_noise_e: Values, master_noise: Values | float = 0.0
) -> list[TestValue]:
    """Noise, scatter of the amplifiers and ratio map of a held-out flat.

    `master_noise` (n) is that of a pixel of the master flat, as a share of its value.
    """
    parts = list(_amplifiers(image, mask, detector))
    means, noise = np.array([clipped(*each) for each in parts]).T
    patches = [patch_medians(*each) for each in parts]
    middle = _median(np.concatenate([each.ravel() for each in patches]))
    usual = middle if middle > 0 else np.nan
    expected = expected_noise_e(read_noise_e, means, means * master_noise)
    return [
        judged("flat_noise", noise / expected),
        judged("flat_amplifier_scatter", [_scatter(means)]),
        judged("flat_ratio", [largest_residual(each / usual - 1) for each in patches]),
    ]


def verify_exposure(detector_means: Values) -> TestValue:
    """Scatter of the means of all detectors in one held-out flat."""
    return judged("flat_detector_scatter", [_scatter(np.asarray(detector_means))])


def verify_curves(
    detector: Detector,
    gain: Values,
    read_noise_e: Values,
    overscan_noise_e: Values,
    turnoff_e: Values,
    a00: Values,
    reduced_chi2: Values,
    freedom: npt.NDArray[np.integer[Any]],
    a00_error: Values | None = None,
    incumbent_gain: Values | None = None,
) -> list[TestValue]:
    """Photon transfer curves of all amplifiers, arrays of shape (n,); `freedom` is pairs less parameters fitted.

    `a00` may lie outside its range by five times the median of its errors. NaN in `turnoff_e`, `a00`, `reduced_chi2`
    and `incumbent_gain` says that the curve does not show it, or that there is none.
    """
    nominal = np.array([amplifier.gain for amplifier in detector.amplifiers])
    incumbent = np.full(len(gain), np.nan) if incumbent_gain is None else incumbent_gain
    return [
        judged("ptc_gain", gain / nominal - 1),
        judged("ptc_gain_change", gain / incumbent - 1),
        judged("ptc_noise", read_noise_e / overscan_noise_e - 1),
        judged("ptc_turnoff", turnoff_e),
        judged("ptc_a00", a00, _a00_limit(detector.vendor, a00_error)),
        judged("ptc_chi2", reduced_chi2, _chi2_limit(freedom)),
    ]


def verify_linearity(maximum_residual: Values) -> TestValue:
    """Largest residuals (n) of the linearised signals, as shares of the signal."""
    return judged("linearity_residual", np.abs(maximum_residual))


def verify_defects(image: Image, mask: Mask, detector: Detector) -> list[TestValue]:
    """Share of bad pixels, and whether a held-out dark is quieter without the hot ones.

    `mask` has the candidate's planes. Nothing is clipped; cold pixels are left out on both sides, for in the dark they
    are as good as any.
    """
    _require_fit(image, mask, detector)
    among = int((UNUSABLE & ~Plane.BAD) | Plane.COLD)
    hot_too, without = (_moments(image, mask, out, 0.0, np.inf)[2] for out in (among, among | int(Plane.HOT)))
    return [
        judged("defects_fraction", [float(flagged(mask, Plane.BAD).mean())]),
        judged("defects_masked_noise", [without / hot_too if hot_too > 0 else np.nan]),
    ]


def verify_crosstalk(left: Values, errors: Values) -> TestValue:
    """What is left of crosstalk after correction, and its errors: (n, n), victim by aggressor; NaN says nothing."""
    beyond = np.maximum(np.abs(left) - 5 * errors, 0.0)
    return judged("crosstalk_left", np.where(np.isfinite(beyond), beyond, 0.0).max(axis=1))


def no_worse(candidate: float, incumbent: float, tolerance: float) -> bool:
    """DESI's rule: on the same held-out frame the candidate's largest patch median is not above the incumbent's.

    `tolerance` is that of chance, `patch_chance`. Without an incumbent, NaN, any number passes; NaN never does.
    """
    return bool(np.isfinite(candidate)) and not candidate > incumbent + tolerance


def patch_chance(noise: float) -> float:
    """Standard deviation of the median of a patch of pixels of this `noise`."""
    return sqrt(pi / 2) * noise / PATCH


def expected_noise_e(
    read_noise_e: Values, signal_e: Values | float = 0.0, master_noise_e: Values | float = 0.0
) -> Values:
    """Noise of a pixel after the removal of a master: read noise, shot noise of the signal, and the master's own."""
    variance = np.square(read_noise_e) + np.maximum(signal_e, 0.0) + np.square(master_noise_e)
    return np.asarray(np.sqrt(variance))


def largest_patches(image: Image, mask: Mask, detector: Detector) -> Values:
    """Each amplifier's patch median that is farthest from zero, (n), e⁻: what `no_worse` compares the largest of."""
    return np.array([largest_residual(patch_medians(*each)) for each in _amplifiers(image, mask, detector)])


def patch_medians(image: Image, mask: Mask) -> Patches:
    """Medians of patches of 32 × 32 pixels; NaN where less than a quarter of them are good: too few."""
    return np.asarray(_patch_medians(image, mask, int(UNUSABLE), PATCH, FEWEST_OF_PATCH))


def mean_of(image: Image, mask: Mask) -> float:
    """Mean of the good pixels; NaN without any."""
    return float(_moments(image, mask, int(UNUSABLE), 0.0, np.inf)[1])


def clipped(image: Image, mask: Mask) -> tuple[float, float]:
    """Mean and standard deviation of the pixels within 5 sigma, until their number stays; NaN without any."""
    used, mean, sigma = _moments(image, mask, int(UNUSABLE), 0.0, np.inf)
    for _ in range(_ITERATIONS):
        before = used
        used, mean, sigma = _moments(image, mask, int(UNUSABLE), mean, CLIP_SIGMA * sigma)
        if used == before:
            break
    return mean, sigma


def judged(name: str, values: npt.ArrayLike, limit: Limit | None = None) -> TestValue:
    """`values` against the limits of the test `name`, or `limit`. What could not be measured does not pass."""
    definition, numbers = BY_NAME[name], np.asarray(values, dtype=np.float64)
    limit = limit or definition.limit
    lower, upper = (
        bound if bound is not None else far for bound, far in ((limit.lower, -np.inf), (limit.upper, np.inf))
    )
    passed = np.isfinite(numbers) & (numbers >= lower) & (numbers <= upper)
    if not definition.needed:
        passed |= np.isnan(numbers)
    return TestValue(name, numbers, limit.lower, limit.upper, definition.unit, definition.per, passed)


def _require_fit(image: Image, mask: Mask, detector: Detector) -> None:
    expected = detector.height, detector.width
    if image.shape != expected or mask.shape != expected:
        raise ValueError(
            f"Image and mask are not of {detector.name}: {image.shape} and {mask.shape} came, expected {expected}."
        )


def _amplifiers(image: Image, mask: Mask, detector: Detector) -> Iterator[tuple[Image, Mask]]:
    _require_fit(image, mask, detector)
    for amplifier in detector.amplifiers:
        yield image[amplifier.place.slices], mask[amplifier.place.slices]


def _of_dark_frame(image: Image, mask: Mask, expected_e: float) -> tuple[float, float, float, float]:
    """Mean, noise, noise without tracks and largest patch median of one amplifier."""
    mean, noise = clipped(image, mask)
    good = np.where(flagged(mask, UNUSABLE), np.float32(np.nan), image)
    bright = bright_pixels(good, mean + TRACK_SIGMA * expected_e)  # the noise itself may be that of tracks
    track = bright.kinds == TRACK
    good[bright.rows[track], bright.columns[track]] = np.nan
    without = clipped(good, mask)[1] if np.isfinite(bright.tracks) else np.nan
    return mean, noise, without, largest_residual(patch_medians(image, mask))


def _told(value: float | None) -> str:
    return "any" if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _scatter(means: Values) -> float:
    return float(np.std(means) / np.mean(means)) if np.mean(means) > 0 else np.nan


def _median(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan


def _a00_limit(vendor: str, errors: Values | None) -> Limit:
    usual = A00_OF_VENDOR.get(vendor.upper(), LIMITS["ptc_a00"])
    assert usual.lower is not None and usual.upper is not None
    chance = 0.0 if errors is None else 5 * np.nan_to_num(_median(errors))
    return Limit(usual.lower - chance, usual.upper + chance, usual.source)


def _chi2_limit(freedom: npt.NDArray[np.integer[Any]]) -> Limit:
    """cp_verify's limit and its inverse, wider by what chance does to the curve with the fewest degrees of freedom."""
    usual, fewest = LIMITS["ptc_chi2"], max(int(np.min(freedom)), 1)
    assert usual.lower is not None and usual.upper is not None
    below, above = (float(chdtri(fewest, p)) / fewest for p in (1 - CHANCE, CHANCE))
    return Limit(usual.lower * below, usual.upper * above, usual.source)


@numba.njit(cache=True, nogil=True)
def _moments(image: Any, mask: Any, out: int, centre: float, limit: float) -> Any:
    """Number, mean and standard deviation of finite pixels without the bits `out` and within `limit` of `centre`."""
    used, total, squares = 0, 0.0, 0.0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            difference = np.float64(image[y, x]) - centre
            if mask[y, x] & out == 0 and abs(difference) <= limit and np.isfinite(difference):
                used += 1
                total += difference
                squares += difference * difference
    if not used:
        return 0, np.nan, np.nan
    return used, centre + total / used, np.sqrt(max(squares / used - (total / used) ** 2, 0.0))


@numba.njit(cache=True, nogil=True)
def _patch_medians(image: Any, mask: Any, out: int, patch: int, fewest: int) -> Any:
    """Median of the finite pixels without the bits `out` in each patch; NaN where there are fewer than `fewest`."""
    height, width = image.shape
    medians = np.full(((height + patch - 1) // patch, (width + patch - 1) // patch), np.nan)
    good = np.empty(patch * patch, dtype=np.float32)
    for row in range(medians.shape[0]):
        for column in range(medians.shape[1]):
            count = 0
            for y in range(row * patch, min((row + 1) * patch, height)):
                for x in range(column * patch, min((column + 1) * patch, width)):
                    if mask[y, x] & out == 0 and np.isfinite(image[y, x]):
                        good[count] = image[y, x]
                        count += 1
            if count >= fewest:
                medians[row, column] = np.median(good[:count])
    return medians


def warm_up() -> None:
    """Compile (or load from the cache) the kernels for views and whole images."""
    image, mask = np.zeros((8, 16), dtype=np.float32), np.zeros((8, 16), dtype=np.int32)
    _moments(image, mask, 0, 0.0, np.inf)
    _moments(image[:, 1:], mask[:, 1:], 0, 0.0, np.inf)
    _moments(image, mask[:, 1:], 0, 0.0, np.inf)
    _patch_medians(image, mask, 0, PATCH, 1)
    _patch_medians(image[:, 1:], mask[:, 1:], 0, PATCH, 1)
