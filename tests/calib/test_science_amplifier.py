"""The metrics of a raw frame against a plain NumPy reading of their definitions, and on frames that are broken."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.amplifier import DetectorStatistics, measure_amplifier, measure_detector
from calib.science.metrics import METRICS
from calib.science.overscan import measure_overscan
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
    box = amplifier.serial_overscan
    overscan = None if box is None else measure_overscan(raw[box.slices])
    return measure_amplifier(raw, overscan, amplifier, exposure_s, image_type)


def test_every_metric_says_what_it_is():
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(metric.description.endswith(".") for metric in METRICS)


def test_every_metric_of_the_pixels_alone_is_measured_unless_it_is_one_of_another_module():
    found = measure_detector([segment()] * 16, DETECTOR, 0.0, "BIAS")
    of_pixels = {metric.name: metric.per for metric in METRICS if metric.source == "pixels"}
    assert set(found.names) == {name for name, per in of_pixels.items() if per == "amplifier"}
    assert set(found.detector_values) <= {name for name, per in of_pixels.items() if per == "detector"}


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


def test_cold_pixels_of_a_flat_are_those_below_four_fifths_of_its_signal():
    raw = segment(10_000)
    image_of(raw)[:4, :10] -= 2_100
    image_of(raw)[4:8] -= 1_900
    assert metrics(raw, "FLAT", 15.0)["cold_pixels"] == 40


def test_a_flats_level_is_its_light_in_electrons_a_second_and_its_snr_that_over_the_spread():
    found = metrics(segment(10_000), "PTC", 15.0)
    assert found["flat_level"] == pytest.approx(10_000 * GAIN / 15, rel=1e-4)
    assert found["flat_snr"] == pytest.approx(10_000 / NOISE_ADU, rel=0.02)


def test_a_flat_of_no_exposure_time_has_no_level():
    assert np.isnan(metrics(segment(10_000), "FLAT", 0.0)["flat_level"])


@pytest.mark.parametrize("name", ["dead_fraction", "cold_pixels", "flat_level", "flat_snr"])
def test_only_flats_answer_for_light(name):
    assert np.isfinite(metrics(segment(10_000), "FLAT", 15.0)[name])
    assert np.isnan(metrics(segment(10_000), "DARK", 15.0)[name])


@pytest.mark.parametrize(("image_type", "looked_at"), [("BIAS", True), ("DARK", True), ("FLAT", False), ("PTC", False)])
def test_lines_are_looked_for_where_there_is_no_light(image_type, looked_at):
    raw = segment()
    image_of(raw)[:] += (10 * np.sin(np.arange(image_of(raw).size) / 1.37)).round().astype(int).reshape(512, 128)
    found = metrics(raw, image_type, 15.0)["line_amplitude"]
    assert found == pytest.approx(10, rel=0.15) if looked_at else np.isnan(found)


def test_the_corner_nearest_to_the_amplifier_is_told_apart():
    raw = segment()
    image_of(raw)[:200] += 7
    assert metrics(raw)["corner_mean"] == pytest.approx(7.0, abs=0.2)
    assert metrics(raw[::-1])["corner_mean"] == pytest.approx(0.0, abs=0.2)


def test_the_overscans_profile_is_told_in_adu():
    rising = segment() + np.linspace(0, 30, 528).round().astype(int)[:, None]
    shifted, banded = segment(), segment()
    shifted[300:] += 15
    banded += (8 * np.sin(2 * np.pi * np.arange(528) / 32)).round().astype(int)[:, None]
    assert metrics(rising)["overscan_slope"] == pytest.approx(30 * 511 / 527, abs=0.5)
    assert metrics(shifted)["bias_shifts"] == pytest.approx(15, abs=2.0)
    assert metrics(banded)["banding"] == pytest.approx(8, abs=0.5)
    assert metrics(banded)["overscan_rms"] == pytest.approx(8 / np.sqrt(2), abs=0.5)
    assert 8 < metrics(banded)["overscan_maximum"] < 12


def test_a_plane_and_stripes_are_told_apart():
    raw = segment()
    image_of(raw)[:] += np.linspace(0, 40, 512).round().astype(int)[:, None]
    image_of(raw)[:, ::2] += 6
    found = metrics(raw)
    assert found["gradient"] == pytest.approx(40, abs=0.5)
    assert found["column_structure"] == pytest.approx(3, abs=0.1)
    assert found["row_structure"] < 0.5


def test_a_dead_amplifier_of_a_flat_has_no_dead_fraction_to_tell():
    assert np.isnan(metrics(segment(2.0), "FLAT", 15.0)["dead_fraction"])


def test_hot_pixels_of_a_bias_stand_a_thousand_adu_above_it():
    raw = segment()
    image_of(raw)[0, :5] += 1_100
    image_of(raw)[1, :5] += 900
    assert metrics(raw)["hot_pixels"] == 5


def test_a_flat_says_nothing_about_hot_pixels():
    assert np.isnan(metrics(segment(10_000), "FLAT", 15.0)["hot_pixels"])


def test_without_overscan_levels_are_as_read_and_noise_is_unknown():
    found = metrics(segment(10_000), "FLAT", 15.0, serial_overscan=None)
    assert found["median"] == pytest.approx(35_000, abs=0.5)
    unknown = ("overscan_level", "read_noise_adu", "read_noise_e", "overscan_slope", "banding", "flat_level")
    assert np.isnan([found[name] for name in (*unknown, "dead_fraction", "cold_pixels")]).all()


def test_without_gain_noise_is_known_in_adu_only():
    found = metrics(segment(), "DARK", 60.0, gain=np.nan)
    assert found["read_noise_adu"] == pytest.approx(NOISE_ADU, rel=0.05)
    assert np.isnan(found["read_noise_e"])


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
    assert found.values.shape == (len(found.names), len(found.amplifiers)) == (25, 16)
    assert found.of("median") == pytest.approx(100.0 * np.arange(16), abs=0.3)


def test_noise_that_two_amplifiers_share_is_told_of_both():
    segments = [segment(seed=index) for index in range(16)]
    segments[7] = segments[7] + segments[3] - LEVEL_ADU
    found = measure_detector(segments, DETECTOR, 0.0, "BIAS").of("amplifier_correlation")
    assert found[[3, 7]] == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert np.delete(found, [3, 7]).max() < 0.05


def test_the_scatter_of_a_flats_amplifiers_is_that_of_their_electrons():
    segments = [segment(10_000 + 100 * index, seed=index) for index in range(16)]
    signals = 10_000 + 100 * np.arange(16)
    scatter = [measure_detector(segments, DETECTOR, 1.0, kind).detector_values for kind in ("FLAT", "DARK")]
    assert scatter[0]["amplifier_scatter"] == pytest.approx(signals.std() / signals.mean(), rel=1e-3)
    assert "amplifier_scatter" not in scatter[1]


def test_a_detector_without_overscan_is_measured_all_the_same():
    blind = replace(DETECTOR, amplifiers=tuple(replace(each, serial_overscan=None) for each in DETECTOR.amplifiers))
    found = measure_detector([segment(100.0)] * 16, blind, 0.0, "BIAS")
    assert np.isnan(found.of("amplifier_correlation")).all()
    assert found.of("median") == pytest.approx(LEVEL_ADU + 100.0, abs=0.5)


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


@needs_real_data
def test_a_real_frame_with_overscan_is_measured_as_its_header_promises():
    path = real_file("raw_frames", "a8280271.fits")
    frame = describe(*read_headers(path), path.name)
    found = measure_detector(read_segments(path, frame.detector), frame.detector, frame.exposure_s, frame.image_type)
    assert found.of("read_noise_e")[0] == pytest.approx(frame.detector.amplifiers[0].read_noise, rel=0.15)
    assert found.of("median")[0] > 0
