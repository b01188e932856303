"""Hot pixels, cosmic rays and crosstalk of a whole dark, as `measure_detector` gives them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from calib.science.amplifier import DetectorStatistics, measure_detector
from dayops.camera import load
from dayops.simulator.pixels import expose
from dayops.simulator.seeds import generator
from dayops.simulator.truth import DetectorTruth, truth_for

MINICAM = load("minicam")
TRUTH = truth_for(MINICAM, 4, 2, 20261122)
DETECTOR = TRUTH.detector
GAIN = DETECTOR.amplifiers[0].gain


def quiet(rows: int = 528) -> NDArray[np.int32]:
    """Raw segments with nothing but read noise of 4 ADU about 25,000."""
    shape = (16, rows, DETECTOR.amplifiers[0].raw_width)
    return np.rint(25_000 + 4 * np.random.default_rng(5).standard_normal(shape)).astype(np.int32)


def dark(raw: NDArray[np.int32], seconds: float, dark_s: float | None = None) -> DetectorStatistics:
    return measure_detector(list(raw), DETECTOR, seconds, "DARK", dark_s)


def simulated(seconds: float, truth: DetectorTruth = TRUTH) -> DetectorStatistics:
    raw = expose(truth, np.zeros((1, 1), dtype=np.float32), seconds, generator("dark of rays at a slant", int(seconds)))
    return dark(raw, seconds)


def test_pixels_above_five_electrons_a_second_are_hot() -> None:
    raw, limit = quiet(), 5.0 * 60 / GAIN
    raw[0, 100, 10:80:10] += round(limit) + 25
    raw[0, 200, 10:80:10] += round(limit) - 25
    assert dark(raw, 60.0).of("hot_pixels").tolist() == [7, *[0] * 15]


def test_noise_is_not_hot_in_a_short_dark() -> None:
    assert dark(quiet(), 1.0).of("hot_pixels").sum() == 0


def test_the_track_of_a_cosmic_ray_is_no_hot_pixel_but_a_rate() -> None:
    raw = quiet()
    raw[3, np.arange(100, 112), np.arange(20, 32)] += 2_000
    found = dark(raw, 60.0)
    area_cm2 = DETECTOR.width * DETECTOR.height * (DETECTOR.pixel_um * 1e-4) ** 2
    assert found.of("hot_pixels").sum() == 0
    assert found.detector_values["cosmic_ray_rate"] == pytest.approx(1 / area_cm2)


def test_the_rate_counts_the_time_over_which_charge_collects() -> None:
    raw = quiet()
    raw[3, np.arange(100, 112), np.arange(20, 32)] += 2_000
    rates = [dark(raw, 15.0, dark_s).detector_values["cosmic_ray_rate"] for dark_s in (None, 15.0, 30.0)]
    assert rates[0] == rates[1] == 2 * rates[2]


def test_the_simulated_hot_pixels_are_found_but_for_those_that_a_ray_crosses() -> None:
    found = simulated(180.0).of("hot_pixels")
    rates = [TRUTH.dark_map_e_s[amplifier.place.slices] for amplifier in DETECTOR.amplifiers]
    clearly_hot = np.array([(rate > 7.0).sum() for rate in rates])
    perhaps_hot = np.array([(rate > 3.0).sum() for rate in rates])
    rays_of_one_pixel = 4  # of 13 rays a detector has in three minutes, one in twelve is no longer than a pixel
    assert clearly_hot.sum() > 100
    assert np.all(found >= clearly_hot - 2)
    assert np.all(found <= perhaps_hot + rays_of_one_pixel)


def test_crosstalk_is_measured_where_rays_and_hot_pixels_are_bright_enough() -> None:
    usual = simulated(180.0).detector_values["crosstalk"]
    strong = simulated(180.0, replace(TRUTH, crosstalk=TRUTH.crosstalk * np.float32(10)))
    assert 1e-4 < usual < 1e-3
    assert strong.detector_values["crosstalk"] == pytest.approx(10 * usual, rel=0.3)


def test_without_bright_pixels_crosstalk_is_unknown() -> None:
    assert np.isnan(dark(quiet(), 60.0).detector_values["crosstalk"])


def test_an_amplifier_without_gain_has_no_hot_pixels_but_its_rays_count() -> None:
    blind = replace(DETECTOR, amplifiers=tuple(replace(each, gain=np.nan) for each in DETECTOR.amplifiers))
    raw = quiet()
    raw[3, np.arange(100, 112), np.arange(20, 32)] += 2_000
    found = measure_detector(list(raw), blind, 60.0, "DARK")
    assert np.isnan(found.of("hot_pixels")).all()
    assert found.detector_values["cosmic_ray_rate"] > 0


@pytest.mark.parametrize("kind", ["BIAS", "FLAT"])
def test_other_frames_say_nothing_of_rays_and_crosstalk(kind: str) -> None:
    found = measure_detector(list(quiet()), DETECTOR, 0.0, kind)
    assert not {"cosmic_ray_rate", "crosstalk"} & found.detector_values.keys()
