"""The stage that verifies: every product of one detector on frames that it was not made of, beside the incumbent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from calib.models import Product, ProductType, Verification
from calib.products.curves import FramePair, crosstalk_sums, faintest_beyond, points_of
from calib.products.known import Known
from calib.products.made import numbers
from calib.products.raw_frames import segments_of
from calib.science import verification as tests
from calib.science.crosstalk_matrix import left_after
from calib.science.header_checks import dark_time_s
from calib.science.photon_transfer_curve import Curve, prediction
from calib.science.signature_removal import Processed, remove_signature
from calib.science.verification import TestValue
from dayops.camera import Detector
from dayops.models import RawFrame

Values = npt.NDArray[np.float64]
CHANCES = 5.0  # patch medians' standard deviations that the new master may be worse by, of several thousand patches


@dataclass
class Verified:
    """Tests of one detector's products, not yet kept; `flat_means` are e⁻ of each held-out flat, by filter."""

    rows: list[Verification] = field(default_factory=list)
    flat_means: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Subject:
    """One detector's candidates, what is certified now, and the held-out frames."""

    detector: Detector
    candidate: Known
    incumbent: Known
    frames: Mapping[int, RawFrame]
    _processed: dict[tuple[str, int], Processed] = field(default_factory=dict)

    def left(self, frame: RawFrame, kind: str) -> Processed:
        """A held-out bias or dark without its signature, by the candidates: the tests of two products ask for one."""
        if (kind, frame.pk) not in self._processed:
            self._processed[kind, frame.pk] = _removed(self.candidate, frame, kind)
        return self._processed[kind, frame.pk]

    def held_out(self, product: Product) -> list[RawFrame]:
        return [self.frames[key] for key in product.held_out if key in self.frames]


def verify_detector(detector: Detector, candidate: Known, incumbent: Known, frames: Mapping[int, RawFrame]) -> Verified:
    """All tests of what the set has of `detector`. `frames` are the held-out ones, by key."""
    subject, verified = _Subject(detector, candidate, incumbent, frames), Verified()
    for (kind, band), product in sorted(candidate.products.items()):
        if kind == ProductType.FLAT:
            _flat(subject, product, band, verified)
        else:
            verified.rows += _TESTS[ProductType(kind)](subject, product)
    return verified


def _bias(subject: _Subject, product: Product) -> Iterator[Verification]:
    yield from _dark_frame(subject, product, "bias")


def _dark(subject: _Subject, product: Product) -> Iterator[Verification]:
    yield from _dark_frame(subject, product, "dark")


def _dark_frame(subject: _Subject, product: Product, kind: str) -> Iterator[Verification]:
    """A held-out bias or dark without its signature: nothing must be left but noise."""
    for frame in subject.held_out(product):
        left = subject.left(frame, kind)
        expected = _expected_noise(subject, product, frame, left)
        found = tests.verify_dark_frame(kind, left.image, left.mask, subject.detector, expected)  # type: ignore[arg-type]
        old = None
        if subject.incumbent.product(kind):
            old = _removed(replace(subject.candidate, products=_with(subject, kind)), frame, kind)
        for test in found:
            yield _row(product, test, subject.detector, frame)
        yield _compared(product, f"{kind}_no_worse", subject, frame, left, old, expected)


def _flat(subject: _Subject, product: Product, band: str, verified: Verified) -> None:
    for frame in subject.held_out(product):
        left = _removed(subject.candidate, frame, "flat")
        noise = subject.candidate.values(ProductType.PTC, "read_noise_e")
        if noise is None:
            continue
        share = numbers(product.statistics, "noise") / numbers(product.statistics, "median")
        for test in tests.verify_flat(left.image, left.mask, subject.detector, noise, share):
            verified.rows.append(_row(product, test, subject.detector, frame))
        if np.isfinite(mean := tests.mean_of(left.image, left.mask)):
            verified.flat_means[band] = mean


def _ptc(subject: _Subject, product: Product) -> Iterator[Verification]:
    known, statistics = subject.candidate, product.statistics
    gain = numbers(statistics, "gain")
    bias = known.product(ProductType.BIAS)
    overscan = numbers(bias.statistics, "read_noise_adu") * gain if bias else np.full(len(gain), np.nan)
    for test in tests.verify_curves(
        subject.detector,
        gain,
        numbers(statistics, "read_noise_e"),
        overscan,
        faintest_beyond(product) * gain,
        numbers(statistics, "a00"),
        numbers(statistics, "reduced_chi2"),
        np.array(statistics["freedom"], dtype=np.int64),
        numbers(statistics, "a00_error"),
        subject.incumbent.values(ProductType.PTC, "gain"),
    ):
        yield _row(product, test, subject.detector, None)
    aside = subject.held_out(product)
    if len(aside) == 2:
        yield _row(product, _held_out_pair(subject, product, aside), subject.detector, aside[0])


def _held_out_pair(subject: _Subject, product: Product, aside: Sequence[RawFrame]) -> TestValue:
    """Variance of a pair that is not in the curve, over what the curve says for its signal, less 1."""
    point = points_of(FramePair(aside[0], aside[1]), subject.detector, subject.candidate)
    expected = np.array(
        [prediction(curve, np.array([signal]))[0] for curve, signal in zip(_curves(product), point.signal, strict=True)]
    )
    return tests.judged("ptc_held_out", point.variance / expected - 1)


def _curves(product: Product) -> list[Curve]:
    """The curves of stored numbers, as `prediction` takes them."""
    statistics = product.statistics
    stored = [numbers(statistics, name) for name in _OF_CURVE]
    empty = np.empty(0)
    return [
        Curve(**dict(zip(_OF_CURVE, map(float, row), strict=True)), residuals=empty, used=empty > 0, free=(), note="")
        for row in zip(*stored, strict=True)
    ]


_OF_CURVE = (
    "gain",
    "gain_error",
    "read_noise_e",
    "a00",
    "a00_error",
    "cubic",
    "turnoff",
    "full_well_e",
    "brightest",
    "reduced_chi2",
)


def _linearity(subject: _Subject, product: Product) -> Iterator[Verification]:
    found = tests.verify_linearity(numbers(product.statistics, "maximum_residual"))
    yield _row(product, found, subject.detector, None)


def _defects(subject: _Subject, product: Product) -> Iterator[Verification]:
    dark = subject.candidate.product(ProductType.DARK)
    for frame in subject.held_out(dark) if dark else []:
        left = subject.left(frame, "dark")
        for test in tests.verify_defects(left.image, left.mask, subject.detector):
            yield _row(product, test, subject.detector, frame)


def _crosstalk(subject: _Subject, product: Product) -> Iterator[Verification]:
    frames = subject.held_out(product)
    if frames:
        left = left_after(
            numbers(product.statistics, "applied"), crosstalk_sums(subject.detector, subject.candidate, frames)
        )
        errors = np.hypot(left.errors, numbers(product.statistics, "errors"))
        yield _row(product, tests.verify_crosstalk(left.coefficients, errors), subject.detector, frames[0])


_TESTS: dict[ProductType, Callable[[_Subject, Product], Iterator[Verification]]] = {
    ProductType.BIAS: _bias,
    ProductType.DARK: _dark,
    ProductType.PTC: _ptc,
    ProductType.LINEARITY: _linearity,
    ProductType.DEFECTS: _defects,
    ProductType.CROSSTALK: _crosstalk,
}


def _removed(known: Known, frame: RawFrame, kind: str) -> Processed:
    calibrations = known.calibrations(flat=frame.exposure.filter if kind == "flat" else None)
    if kind == "bias":
        calibrations = replace(calibrations, dark=None)
    dark_s = 0.0 if kind == "bias" else dark_time_s(frame.header, frame.exposure.exposure_s)
    return remove_signature(segments_of(frame, known.detector), known.detector, calibrations, dark_s)


def _with(subject: _Subject, kind: str) -> dict[tuple[str, str], Product]:
    """The candidates, but the incumbent of one kind in its place."""
    incumbent = subject.incumbent.product(kind)
    assert incumbent is not None
    return subject.candidate.products | {(kind, ""): incumbent}


def _expected_noise(subject: _Subject, product: Product, frame: RawFrame, left: Processed) -> Values:
    """e⁻ of each amplifier: its overscan's noise, the dark current's shot noise and the masters' own.

    The bias is also in the dark, as much as the frames of the dark were weighted (by the square of their time): of what
    it adds to a held-out dark of time t, t Σtᵢ / Σtᵢ² is taken off again with the dark.
    """
    known, detector = subject.candidate, subject.detector
    gain = known.values(ProductType.PTC, "gain")
    gain = np.ones(len(detector.amplifiers)) if gain is None else gain
    read_noise = left.overscan_noise * gain
    master = numbers(known.products[ProductType.BIAS, ""].statistics, "noise") * gain
    signal: Values | float = 0.0
    if product.type == ProductType.DARK:
        dark_s = dark_time_s(frame.header, frame.exposure.exposure_s)
        times = numbers(product.statistics, "dark_s")
        signal = numbers(product.statistics, "median") * gain * dark_s
        left_of_bias = 1 - dark_s * times.sum() / np.square(times).sum()
        master = np.hypot(master * left_of_bias, numbers(product.statistics, "noise") * gain * dark_s)
    return tests.expected_noise_e(read_noise, signal, master)


def _compared(
    product: Product,
    name: str,
    subject: _Subject,
    frame: RawFrame,
    left: Processed,
    old: Processed | None,
    noise: Values,
) -> Verification:
    """DESI's rule: on this frame the new master leaves no larger patch than the certified one does."""
    ours = _largest(tests.largest_patches(left.image, left.mask, subject.detector))
    theirs = np.nan if old is None else _largest(tests.largest_patches(old.image, old.mask, subject.detector))
    tolerance = CHANCES * tests.patch_chance(_largest(noise))
    passed = tests.no_worse(ours, theirs, tolerance)
    sentence, where = "", f"{subject.detector.name}: on {frame.exposure.name} this master leaves"
    if not np.isfinite(ours):
        sentence = f"{where} no patch with enough good pixels to tell how well it fits. Look at the frame."
    elif not passed:
        sentence = (
            f"{where} {ours:.2f} e⁻ in its worst patch, the certified one {theirs:.2f} e⁻: it is worse by more than "
            f"chance ({tolerance:.2f} e⁻). Look at both."
        )
    upper = None if old is None else theirs + tolerance
    incumbent = None if old is None else theirs
    return Verification(
        product=product,
        test=name,
        frame=frame,
        values=[ours],
        upper=upper,
        incumbent=incumbent,
        passed=passed,
        sentence=sentence,
    )


def _largest(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else np.nan


def _row(product: Product, test: TestValue, detector: Detector, frame: RawFrame | None) -> Verification:
    said = test.sentence([amplifier.name for amplifier in detector.amplifiers])
    return Verification(
        product=product,
        test=test.test,
        frame=frame,
        values=[float(value) for value in test.values],
        lower=test.lower,
        upper=test.upper,
        passed=bool(test.passed.all()),
        sentence=f"{detector.name} {product.filter} {said}".replace("  ", " ") if said else "",
    )
