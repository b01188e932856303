"""The metrics of a raw frame against a plain NumPy reading of their definitions, and on frames that are broken."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.amplifier import DetectorStatistics, measure_amplifier, measure_detector
from calib.science.metrics import METRICS
from dayops import camera
from dayops.camera.headers import describe
from dayops.images import read_headers, read_segments
from dayops.simulator.pixels import expose
from dayops.simulator.scenes import scene_for
from dayops.simulator.truth import truth_for
from tests.real_data import needs_real_data, real_file

DETECTOR = camera.load("minicam").detectors[0]
AMPLIFIER = DETECTOR.amplifiers[0]
LEVEL_ADU, NOISE_ADU, GAIN = 25_000, 4.0, AMPLIFIER.gain


def segment(signal_adu: float = 0.0, seed: int = 1) -> np.ndarray:
    """A raw segment: bias and read noise everywhere, `signal_adu` of light in the image alone."""
    raw = np.random.default_rng(seed).normal(LEVEL_ADU, NOISE_ADU, (AMPLIFIER.raw_height, AMPLIFIER.raw_width))
    raw[AMPLIFIER.image.slices] += signal_adu
    return raw.round().astype(np.int32)


def image_of(raw: np.ndarray) -> np.ndarray:
    return raw[AMPLIFIER.image.slices]


def metrics(raw: np.ndarray, image_type: str = "BIAS", exposure_s: float = 0.0, **changes: object) -> dict[str, float]:
    amplifier = replace(AMPLIFIER, **changes)  # type: ignore[arg-type]
    return measure_amplifier(raw, amplifier, exposure_s, image_type)


def test_every_metric_says_what_it_is():
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.description.endswith(".") for metric in METRICS)


@given(st.integers(0, 2**32 - 1), st.floats(0, 60_000))
@settings(max_examples=20, deadline=None)
def test_levels_and_spread_agree_with_numpy(seed, signal):
    raw = segment(signal, seed)
    level = np.median(raw[: AMPLIFIER.image.y1, AMPLIFIER.image.x1 + 3 :])
    image, found = image_of(raw), metrics(raw)
    assert found["overscan_level"] == pytest.approx(level, abs=0.5)
    assert found["mean"] + found["overscan_level"] == pytest.approx(image.mean())
    assert found["median"] + found["overscan_level"] == pytest.approx(np.median(image), abs=0.5)
    assert found["robust_sigma"] == pytest.approx(NOISE_ADU, rel=0.05)
    assert found["read_noise_e"] == pytest.approx(found["read_noise_adu"] * GAIN)
    assert found["read_noise_adu"] == pytest.approx(NOISE_ADU, rel=0.05)


def test_a_bias_lies_on_its_overscan():
    assert metrics(segment())["mean"] == pytest.approx(0.0, abs=0.1)


def test_saturated_pixels_are_those_at_or_above_saturation():
    raw = segment()
    image_of(raw)[0, :64] = 135_000
    image_of(raw)[1, :64] = 134_999
    assert metrics(raw)["saturated_fraction"] == 64 / image_of(raw).size


def test_dead_pixels_of_a_flat_are_those_below_half_of_its_signal():
    raw = segment(10_000)
    image_of(raw)[:4] -= 6_000
    image_of(raw)[4:8] -= 4_000
    assert metrics(raw, "FLAT", 15.0)["dead_fraction"] == pytest.approx(4 / 512)


def test_a_dead_amplifier_of_a_flat_has_no_dead_fraction_to_tell():
    assert np.isnan(metrics(segment(2.0), "FLAT", 15.0)["dead_fraction"])


def test_a_bias_has_no_dead_fraction():
    assert np.isnan(metrics(segment())["dead_fraction"])


def test_hot_pixels_of_a_bias_stand_a_thousand_adu_above_it():
    raw = segment()
    image_of(raw)[0, :5] += 1_100
    image_of(raw)[1, :5] += 900
    assert metrics(raw)["hot_pixels"] == 5


def test_hot_pixels_of_a_dark_give_more_than_five_electrons_a_second():
    raw, limit = segment(), 5.0 * 60 / GAIN
    image_of(raw)[0, :7] += round(limit) + 25
    image_of(raw)[1, :7] += round(limit) - 25
    assert metrics(raw, "DARK", 60.0)["hot_pixels"] == 7


def test_noise_is_not_hot_in_a_short_dark():
    assert metrics(segment(), "DARK", 1.0)["hot_pixels"] == 0


def test_a_flat_says_nothing_about_hot_pixels():
    assert np.isnan(metrics(segment(10_000), "FLAT", 15.0)["hot_pixels"])


def test_without_overscan_levels_are_as_read_and_noise_is_unknown():
    found = metrics(segment(10_000), "FLAT", 15.0, serial_overscan=None)
    assert found["median"] == pytest.approx(35_000, abs=0.5)
    assert np.isnan([found["overscan_level"], found["read_noise_adu"], found["read_noise_e"]]).all()
    assert np.isnan(found["dead_fraction"])


def test_without_gain_noise_is_known_in_adu_only():
    found = metrics(segment(), "DARK", 60.0, gain=np.nan)
    assert found["read_noise_adu"] == pytest.approx(NOISE_ADU, rel=0.05)
    assert np.isnan([found["read_noise_e"], found["hot_pixels"]]).all()


def test_without_saturation_nothing_is_known_to_be_saturated():
    assert np.isnan(metrics(segment(), saturation=np.nan)["saturated_fraction"])


@pytest.mark.parametrize("image_type", ["BIAS", "DARK", "FLAT", "SCIENCE"])
def test_of_an_amplifier_of_nan_nothing_is_known_but_that(image_type):
    found = metrics(np.full((528, 164), np.nan, dtype=np.float32), image_type, 15.0)
    assert found.pop("invalid_fraction") == 1.0
    assert np.isnan(list(found.values())).all()


def test_pixels_that_are_no_numbers_are_counted_and_do_not_disturb_the_others():
    raw = segment(10_000).astype(np.float32)
    image_of(raw)[:8] = np.nan
    image_of(raw)[8:12] = np.inf
    found = metrics(raw, "FLAT", 15.0)
    assert found["invalid_fraction"] == pytest.approx(12 / 512)
    assert found["median"] == pytest.approx(10_000, abs=0.5)
    assert found["dead_fraction"] == 0.0


@pytest.mark.parametrize("image_type", ["BIAS", "DARK", "FLAT", "SCIENCE"])
@pytest.mark.parametrize("value", [0, 135_000])
def test_a_constant_amplifier_is_measured_without_noise(image_type, value):
    found = metrics(np.full((528, 164), value, dtype=np.int32), image_type, 15.0)
    assert (found["overscan_level"], found["read_noise_adu"], found["mean"]) == (value, 0.0, 0.0)
    assert found["saturated_fraction"] == (1.0 if value else 0.0)


def test_a_whole_detector_is_measured_amplifier_by_amplifier():
    segments = [segment(100.0 * index, seed=index) for index in range(16)]
    found = measure_detector(segments, DETECTOR, 15.0, "FLAT")
    assert found.values.shape == (len(found.names), len(found.amplifiers)) == (10, 16)
    assert found.of("median") == pytest.approx(100.0 * np.arange(16), abs=0.3)


def test_an_unknown_metric_is_refused_with_those_there_are():
    found = measure_detector([segment()] * 16, DETECTOR, 0.0, "BIAS")
    with pytest.raises(KeyError, match="expected one of overscan_level, read_noise_adu"):
        found.of("beauty")


def test_segments_of_another_detector_are_refused_by_name():
    with pytest.raises(ValueError, match="C10 do not have the shape of R22_S00's amplifiers"):
        measure_detector([segment()[:, :100], *[segment()] * 15], DETECTOR, 0.0, "BIAS")


def test_too_few_segments_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match="R22_S00 has 16 amplifiers: 3 segments came"):
        measure_detector([segment()] * 3, DETECTOR, 0.0, "BIAS")


TRUTH = truth_for(camera.load("minicam"), 4, seed=1, day_obs=20261122)


def simulated(image_type: str, exposure_s: float) -> DetectorStatistics:
    """A simulated frame of the detector whose truth is TRUTH, measured."""
    darkness_or_light = scene_for(image_type, "r").electrons(camera.load("minicam"), TRUTH.detector, exposure_s)
    segments = expose(TRUTH, darkness_or_light, exposure_s, np.random.default_rng(1))
    return measure_detector(list(segments), TRUTH.detector, exposure_s, image_type)


@pytest.mark.parametrize(("image_type", "exposure_s"), [("BIAS", 0.0), ("DARK", 180.0), ("FLAT", 15.0)])
def test_the_simulated_read_noise_and_bias_level_are_recovered(image_type, exposure_s):
    found, pixels = simulated(image_type, exposure_s), 512 * 29
    noise_adu = np.hypot(TRUTH.read_noise_e / TRUTH.gain, 1 / np.sqrt(12))  # with that of whole ADU
    noise_pulls = (found.of("read_noise_adu") / noise_adu - 1) * np.sqrt(2 * pixels)
    level_adu = TRUTH.bias_adu + TRUTH.bias_shape_adu[:, :512, -29:].mean(axis=(1, 2))
    level_pulls = (found.of("overscan_level") - level_adu) / noise_adu / np.sqrt(np.pi / 2 / pixels)
    for pulls in (noise_pulls, level_pulls):  # nothing but chance: mean 0, scatter 1, of sixteen amplifiers
        assert abs(pulls.mean()) < 1.0
        assert 0.4 < pulls.std() < 1.8


def test_the_simulated_hot_pixels_are_found():
    found = simulated("DARK", 180.0).of("hot_pixels")
    rates = [TRUTH.dark_map_e_s[amplifier.place.slices] for amplifier in TRUTH.detector.amplifiers]
    clearly_hot = np.array([(rate > 7.0).sum() for rate in rates])
    perhaps_hot = np.array([(rate > 3.0).sum() for rate in rates])
    struck_by_cosmic_rays = 60
    assert clearly_hot.sum() > 0
    assert np.all(found >= clearly_hot)
    assert np.all(found <= perhaps_hot + struck_by_cosmic_rays)


@needs_real_data
def test_a_real_frame_with_overscan_is_measured_as_its_header_promises():
    path = real_file("raw_frames", "a8280271.fits")
    frame = describe(*read_headers(path), path.name)
    found = measure_detector(read_segments(path, frame.detector), frame.detector, frame.exposure_s, frame.image_type)
    assert found.of("read_noise_e")[0] == pytest.approx(frame.detector.amplifiers[0].read_noise, rel=0.15)
    assert found.of("median")[0] > 0
