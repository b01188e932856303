"""What is measured of simulated frames against what the simulator put in: the exactness that docs/quality.md promises.

LSSTCam's amplifiers are taken where chance on minicam's (128 × 512 pixels) is larger than the promise.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from calib.science.flat_pair import flat_pair, late_charge
from calib.science.overscan import measure_overscan
from dayops import camera
from dayops.camera import Amplifier, Detector
from dayops.camera.geometry import Box
from dayops.simulator.pixels import expose
from dayops.simulator.truth import DetectorTruth, truth_for

DAY, SEED = 20261122, 1
MINICAM, LSSTCAM = camera.load("minicam"), camera.load("lsstcam")
LEVEL, NOISE = 0, 1
DARK_TIME_S = 31.0  # a 30 s dark, and half of the readout


def narrow(detector: Detector, count: int) -> Detector:
    """A detector of the first `count` amplifiers side by side."""
    first = detector.amplifiers[0].place
    places = [Box(i * first.width, 0, (i + 1) * first.width, first.height) for i in range(count)]
    amplifiers = tuple(replace(a, place=place) for a, place in zip(detector.amplifiers, places, strict=False))
    return replace(detector, width=count * first.width, height=first.height, amplifiers=amplifiers)


@cache
def truths(name: str) -> tuple[DetectorTruth, ...]:
    """Five detectors of minicam with 80 amplifiers, or an ITL and an e2v sensor with three of LSSTCam each."""
    if name == "minicam":
        return tuple(truth_for(MINICAM, detector.id, SEED, DAY) for detector in MINICAM.detectors[:5])
    sensors = (narrow(LSSTCAM.by_name["R01_S00"], 3), narrow(LSSTCAM.by_name["R11_S00"], 3))
    return tuple(truth_for(replace(LSSTCAM, detectors=(sensor,)), sensor.id, SEED, DAY) for sensor in sensors)


@cache
def exposures(name: str, light_e: float, dark_time_s: float, count: int) -> tuple[np.ndarray, ...]:
    """Raw segments of every detector, each (count, amplifiers, height, width)."""
    rng = np.random.default_rng([SEED, int(light_e), int(dark_time_s)])
    light = np.full((1, 1), light_e, dtype=np.float32)
    return tuple(np.stack([expose(truth, light, dark_time_s, rng) for _ in range(count)]) for truth in truths(name))


@pytest.fixture(scope="module", autouse=True)
def forget_the_pixels():
    """Half a gigabyte of them."""
    yield
    exposures.cache_clear()
    overscans.cache_clear()


@cache
def overscans(name: str, light_e: float, dark_time_s: float, count: int) -> tuple[np.ndarray, ...]:
    """Level and noise as measured in those exposures, per detector: (count, amplifiers, 2)."""
    return tuple(
        np.array(
            [[overscan(raw, a) for raw, a in zip(frame, truth.detector.amplifiers, strict=True)] for frame in frames]
        )
        for truth, frames in zip(truths(name), exposures(name, light_e, dark_time_s, count), strict=True)
    )


def overscan(raw: np.ndarray, amplifier: Amplifier) -> tuple[float, float]:
    assert amplifier.serial_overscan is not None
    found = measure_overscan(raw[amplifier.serial_overscan.slices])
    return found.level, found.noise


def a_day_of(name: str, what: int) -> np.ndarray:
    """LEVEL or NOISE in three biases and three darks: (6, amplifiers of all detectors)."""
    biases, darks = overscans(name, 0, 0, 5), overscans(name, 0, DARK_TIME_S, 5)
    return np.concatenate(
        [np.concatenate((bias[:3], dark[:3]))[:, :, what] for bias, dark in zip(biases, darks, strict=True)], axis=1
    )


def true_noise_adu(name: str) -> np.ndarray:
    noise = np.concatenate([truth.read_noise_e / truth.gain for truth in truths(name)])
    return np.asarray(np.hypot(noise, 1 / np.sqrt(12)))  # with that of whole ADU


def true_level(name: str) -> np.ndarray:
    """The mean of the bias where the overscan is measured: as all of it but its first columns."""
    levels = []
    for truth in truths(name):
        for level, shape, amplifier in zip(
            truth.bias_adu, truth.bias_shape_adu, truth.detector.amplifiers, strict=True
        ):
            assert amplifier.serial_overscan is not None
            levels.append(level + shape[amplifier.serial_overscan.slices][:, 3:].mean())
    return np.array(levels)


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def test_read_noise_is_told_to_a_percent_by_one_frame_and_better_by_a_day():
    errors = a_day_of("minicam", NOISE) / true_noise_adu("minicam") - 1
    assert rms(errors) < 0.007  # chance alone: 0.59 %
    assert rms(np.median(errors, axis=0)) < 0.004
    assert np.abs(np.median(errors, axis=0)).max() < 0.01
    assert abs(errors.mean()) < 0.0005


def test_the_bias_level_is_told_to_a_twentieth_of_an_adu():
    errors = a_day_of("minicam", LEVEL) - true_level("minicam")
    usual = true_noise_adu("minicam") < 5.0  # a doubled noise doubles the error
    assert rms(errors[:, usual]) < 0.05
    day = np.median(errors, axis=0)
    assert rms(day) < 0.03
    assert np.abs(day[usual]).max() < 0.1


def test_large_overscans_tell_read_noise_and_level_better_still():
    assert rms(a_day_of("lsstcam", NOISE) / true_noise_adu("lsstcam") - 1) < 0.003
    assert rms(a_day_of("lsstcam", LEVEL) - true_level("lsstcam")) < 0.03


def gain_errors(name: str, light_e: float) -> np.ndarray:
    """Relative errors of the gains of one flat pair."""
    errors = []
    frames, found = (each(name, light_e, 2.0, 2) for each in (exposures, overscans))
    for truth, flats, measured in zip(truths(name), frames, found, strict=True):
        for index, amplifier in enumerate(truth.detector.amplifiers):
            first, second = flats[:, index][(slice(None), *amplifier.image.slices)]
            levels, noises = measured[:, index].T.tolist()
            late = late_charge(flats[0, index], amplifier)
            errors.append(flat_pair(first, second, levels, noises, late).gain / truth.gain[index] - 1)
    return np.array(errors)


def test_one_flat_pair_tells_the_gain_of_lsstcams_amplifiers_to_a_third_of_a_percent():
    assert rms(gain_errors("lsstcam", 3_000)) < 0.003


def test_one_flat_pair_tells_the_gain_of_minicams_amplifiers_as_well_as_chance_lets_it():
    chance = np.sqrt(2 / (128 * 512))
    errors = gain_errors("minicam", 3_000)
    assert rms(errors) < 1.3 * chance
    crosstalk_and_non_linearity = 0.002
    assert errors.mean() == pytest.approx(crosstalk_and_non_linearity, abs=4 * chance / np.sqrt(len(errors)))


def test_a_bright_flat_pair_tells_the_non_linearity_with_the_gain():
    light_e = 30_000
    lost = np.concatenate([truth.nonlinearity for truth in truths("lsstcam")])
    expected = 3 * lost * light_e / 1e5
    assert rms(gain_errors("lsstcam", light_e) - expected) < 0.004
    assert rms(gain_errors("lsstcam", light_e)) > 0.004
