"""The daily products against what the simulator put in: gain, read noise, linearity and crosstalk, with figures.

LSSTCam's amplifiers are taken, four side by side to save time: on minicam's, with a sixteenth of the pixels, chance
alone is four times as large, and what it leaves is said at the end. Dark current and defects have tests beside
`calib.science.combine` and `calib.science.defects`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from calib.science.crosstalk_matrix import CrosstalkSums, insignificant_after, measure_crosstalk, no_sums, solve
from calib.science.linearity import Linearity, corrected, fit_linearity
from calib.science.photon_transfer_curve import Curve, fit_curve, pair_points
from dayops import camera
from dayops.camera import Detector
from dayops.day_plan import Plan
from dayops.simulator.pixels import expose
from dayops.simulator.scenes import LAMP_E_S
from dayops.simulator.truth import DetectorTruth, truth_for
from tests.calib.test_truth_recovered import narrow

DAY, SEED = 20261122, 1
FLATS = [(band, 15.0) for band in "grizy"]
MINICAM, LSSTCAM = camera.load("minicam"), camera.load("lsstcam")


@dataclass(frozen=True, eq=False)
class Made:
    """What was made of the pairs of some days, and the truth of the detector."""

    truth: DetectorTruth
    curves: list[Curve]
    linearity: Linearity
    turnoff: np.ndarray  # or the brightest signal where the curve does not turn, ADU

    def of(self, name: str) -> np.ndarray:
        return np.array([getattr(curve, name) for curve in self.curves])


@cache
def chunks() -> tuple[tuple[float, ...], ...]:
    """The exposure times of the pairs of the plan's photon transfer curve, the day with the faintest first."""
    return tuple(sorted(Plan.load().steps_for(day)[-1].exposures_s[::2] for day in range(DAY, DAY + 7)))


def the_week() -> tuple[tuple[str, float], ...]:
    return (*(("r", time) for times in chunks() for time in times), *FLATS)


def the_day(chunk: int) -> tuple[tuple[str, float], ...]:
    return (*(("r", time) for time in chunks()[chunk]), *FLATS)


@cache
def truth_of(name: str) -> DetectorTruth:
    if name == "minicam":
        return truth_for(MINICAM, MINICAM.by_name["R22_S11"].id, SEED, DAY)
    sensor = narrow(LSSTCAM.by_name["R22_S11"], 4)
    return truth_for(replace(LSSTCAM, detectors=(sensor,)), sensor.id, SEED, DAY)


def in_adu(truth: DetectorTruth) -> np.ndarray:
    """The crosstalk between what is read: the simulator's is between electrons."""
    return np.asarray(truth.crosstalk * truth.gain / truth.gain[:, None], dtype=np.float64)


def master_bias(truth: DetectorTruth) -> np.ndarray:
    """Its shape above the overscan, to the mean of each amplifier."""
    bias = np.zeros((truth.detector.height, truth.detector.width), dtype=np.float32)
    for shape, amplifier in zip(truth.bias_shape_adu, truth.detector.amplifiers, strict=True):
        bias[amplifier.place.slices] = shape[amplifier.image.slices].mean()
    return bias


@cache
def made(name: str, plan: tuple[tuple[str, float], ...]) -> Made:
    truth = truth_of(name)
    rng = np.random.default_rng([SEED, len(plan), int(1_000 * plan[0][1])])
    bias, crosstalk = master_bias(truth), in_adu(truth)
    pairs = ([flat(truth, band, time, rng) for _ in range(2)] for band, time in plan)
    points = [pair_points(first, second, truth.detector, bias, crosstalk) for first, second in pairs]
    signal, variance, errors, noise, full = (
        np.array([getattr(each, of) for each in points]) for of in ("signal", "variance", "errors", "noise", "full")
    )
    columns = zip(signal.T, variance.T, errors.T, noise.T, full.T, strict=True)
    curves = [fit_curve(*column) for column in columns]
    turnoff = np.array([curve.turnoff for curve in curves])
    linearity = fit_linearity(signal, np.array([time for _, time in plan]), [band for band, _ in plan], largest=turnoff)
    return Made(truth, curves, linearity, np.fmin(turnoff, [curve.brightest for curve in curves]))


def flat(truth: DetectorTruth, band: str, time_s: float, rng: np.random.Generator) -> list[np.ndarray]:
    light = np.full((1, 1), LAMP_E_S[band] * time_s, dtype=np.float32)
    return list(expose(truth, light, time_s + 1.0, rng))


def gain_errors(found: Made) -> np.ndarray:
    return np.asarray(found.of("gain") / found.truth.gain - 1)


def read_noise_errors(found: Made) -> np.ndarray:
    truth = found.truth
    return np.asarray(found.of("read_noise_e") / np.hypot(truth.read_noise_e, truth.gain / np.sqrt(12)) - 1)


def linearity_errors(found: Made) -> np.ndarray:
    """Largest relative error of each amplifier's corrected signals from 1,000 e⁻ to 90 % of the turnoff."""
    truth = found.truth
    electrons = np.linspace(1_000, 0.9 * found.turnoff * truth.gain, 200)
    read = electrons * (1 - truth.nonlinearity / 1e5 * electrons) / truth.gain
    return np.asarray(np.abs(corrected(read, found.linearity.coefficients) * truth.gain / electrons - 1).max(axis=0))


def test_a_week_tells_the_gains_to_three_thousandths_and_within_their_errors():
    found = made("lsstcam", the_week())
    assert np.abs(gain_errors(found)).max() < 0.003
    assert np.abs(gain_errors(found) / (found.of("gain_error") / found.truth.gain)).max() < 4
    assert {curve.free for curve in found.curves} == {("gain", "a00", "cubic")}


def test_a_week_tells_the_read_noise_to_a_hundredth():
    assert np.abs(read_noise_errors(made("lsstcam", the_week()))).max() < 0.01


def test_a_week_tells_a00_which_is_three_times_what_non_linearity_takes():
    found = made("lsstcam", the_week())
    expected = -3 * found.truth.nonlinearity / 1e5
    assert np.abs((found.of("a00") - expected) / found.of("a00_error")).max() < 4
    assert (found.of("reduced_chi2") < 2.5).all()


def test_a_week_tells_where_the_curve_turns_or_that_it_does_not():
    found = made("lsstcam", the_week())
    full_adu = found.truth.full_well_e / found.truth.gain
    for curve, full in zip(found.curves, full_adu, strict=True):
        assert curve.brightest < full
        if np.isnan(curve.turnoff):
            assert curve.note.startswith("The curve does not turn")
        else:
            assert curve.turnoff < full
            assert 0.85 < curve.full_well_e / (full * curve.gain) < 1


def test_a_week_leaves_a_thousandth_of_non_linearity_at_most():
    found = made("lsstcam", the_week())
    assert linearity_errors(found).max() < 0.001
    assert found.linearity.maximum_residual.max() < 0.001
    assert found.linearity.offset_s == 0


@pytest.mark.parametrize("chunk", [0, 3, 6])
def test_any_single_day_tells_gain_read_noise_and_linearity_nearly_as_well(chunk):
    found = made("lsstcam", the_day(chunk))
    errors = gain_errors(found)
    assert np.sqrt(np.mean(errors**2)) < 0.003
    assert np.abs(errors / (found.of("gain_error") / found.truth.gain)).max() < 4
    assert np.abs(read_noise_errors(found)).max() < 0.01
    assert linearity_errors(found).max() < 0.001


def with_spots(detector: Detector, rng: np.random.Generator, radius: int = 24) -> np.ndarray:
    """Light of three round spots an amplifier, 100,000 e⁻ bright, on darkness."""
    light = np.zeros((detector.height, detector.width), dtype=np.float32)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    for place in [amplifier.place for amplifier in detector.amplifiers] * 3:
        row, column = (
            rng.integers(place.y0 + radius, place.y1 - radius),
            rng.integers(place.x0 + radius, place.x1 - radius),
        )
        patch = light[row - radius : row + radius + 1, column - radius : column + radius + 1]
        patch[(y**2 + x**2 <= radius**2)[: patch.shape[0], : patch.shape[1]]] = 100_000
    return light


def added(frames: Iterable[CrosstalkSums], count: int) -> CrosstalkSums:
    return sum(frames, start=no_sums(count))


def test_three_exposures_of_bright_spots_tell_crosstalk_to_a_hundred_thousandth():
    rng, truth = np.random.default_rng(SEED), truth_of("lsstcam")
    spots = [
        measure_crosstalk(list(expose(truth, with_spots(truth.detector, rng), 16.0, rng)), truth.detector)
        for _ in "1234"
    ]
    found = solve(added(spots[:3], 4))
    assert np.abs(found.coefficients - in_adu(truth)).max() < 1e-5
    off = ~np.eye(4, dtype=bool)
    assert np.abs((found.coefficients - in_adu(truth))[off] / found.errors[off]).max() < 4.5
    assert insignificant_after(found.to_apply(), spots[3])
    assert not insignificant_after(np.zeros((4, 4)), spots[3])


def test_a_week_of_minicam_tells_its_gains_as_well_as_chance_lets_it():
    found = made("minicam", the_week())
    errors = gain_errors(found)
    assert np.sqrt(np.mean(errors**2)) < 0.005
    assert np.abs(errors).max() < 0.01
    assert np.abs(errors / (found.of("gain_error") / found.truth.gain)).max() < 4
    assert np.abs(read_noise_errors(found)).max() < 0.012
    assert linearity_errors(found).max() < 0.001


def test_a_day_of_minicam_tells_its_gains_within_the_errors_it_quotes():
    found = made("minicam", the_day(3))
    assert np.abs(gain_errors(found) / (found.of("gain_error") / found.truth.gain)).max() < 4
    assert np.median(found.of("gain_error")) < 0.008
    assert linearity_errors(found).max() < 0.001
