"""Simulated frames, measured with plain NumPy, give back the truth they were made of."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dayops.camera import Amplifier, Box, load
from dayops.simulator.cosmic_rays import add_cosmic_rays
from dayops.simulator.pixels import ADC_MAX, expose, shot_noise, split
from dayops.simulator.scenes import Darkness, Flat, Scene
from dayops.simulator.seeds import generator
from dayops.simulator.truth import truth_for
from tests.dayops.simulated import DAY, tiny_camera

CAMERA = load("minicam")
TRUTH = truth_for(CAMERA, 4, 1, DAY)
AMPLIFIERS = TRUTH.detector.amplifiers


def take(scene: Scene, exposure_s: float, number: int, dark_time_s: float | None = None) -> NDArray[np.int32]:
    light_e = scene.electrons(CAMERA, TRUTH.detector, exposure_s)
    return expose(TRUTH, light_e, exposure_s if dark_time_s is None else dark_time_s, generator("test", number))


def bias(number: int = 1) -> NDArray[np.int32]:
    return take(Darkness(), 0.0, number)


def image(raw: NDArray[Any]) -> NDArray[np.float64]:
    """Light-sensitive pixels of every amplifier, (16, 512, 128), as float64."""
    return np.stack([one[a.image.slices] for one, a in zip(raw, AMPLIFIERS, strict=True)]).astype(float)


def serial(amplifier: Amplifier) -> Box:
    assert amplifier.serial_overscan is not None
    return amplifier.serial_overscan


def overscan(raw: NDArray[Any]) -> NDArray[np.float64]:
    return np.stack([one[serial(a).slices] for one, a in zip(raw, AMPLIFIERS, strict=True)]).astype(float)


def on_segments(detector_map: NDArray[Any]) -> NDArray[Any]:
    return np.stack(split(detector_map, TRUTH.detector))


GOOD = on_segments((TRUTH.response > 0.8) & (TRUTH.dark_map_e_s < 0.1))


def clipped_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each amplifier's good pixels within 5 robust sigma."""
    means = []
    for one, good in zip(values, GOOD, strict=True):
        centre, spread = np.median(one[good]), 1.4826 * np.median(np.abs(one[good] - np.median(one[good])))
        means.append(one[good & (np.abs(one - centre) < 5 * spread)].mean())
    return np.array(means)


def test_the_overscan_shows_the_bias_level():
    level = np.median(overscan(bias()).reshape(16, -1), axis=1)
    assert level == pytest.approx(TRUTH.bias_adu, abs=0.6)  # a median of whole numbers


def test_a_difference_of_biases_shows_the_read_noise():
    difference = (overscan(bias(1)) - overscan(bias(2))).reshape(16, -1)
    rounding = 1 / 12  # variance of rounding to whole ADU
    noise_e = np.sqrt(difference.var(axis=1) / 2 - rounding) * TRUTH.gain
    assert noise_e == pytest.approx(TRUTH.read_noise_e, rel=0.03)


def test_the_mean_of_biases_shows_the_bias_shape():
    mean = np.mean([bias(number) for number in range(8)], axis=0)
    columns = (mean - TRUTH.bias_adu[:, None, None]).mean(axis=1)
    assert columns == pytest.approx(TRUTH.bias_shape_adu.mean(axis=1), abs=0.5)


def test_a_pair_of_flats_shows_the_gain():
    first, second = (take(Flat("r"), 2.0, number) for number in (1, 2))
    level = clipped_mean(image(first) - image(bias()))
    difference = image(first) - image(second)
    shot = np.array(
        [one[good & (np.abs(one) < 5 * one[good].std())].var() for one, good in zip(difference, GOOD, strict=True)]
    )
    gain = level / (shot / 2 - (TRUTH.read_noise_e / TRUTH.gain) ** 2)
    assert gain == pytest.approx(TRUTH.gain, rel=0.03)


def test_a_dark_shows_the_dark_current():
    dark_e_s = clipped_mean(image(take(Darkness(), 180.0, 1)) - image(bias())) * TRUTH.gain / 180.0
    assert dark_e_s == pytest.approx(TRUTH.dark_e_s, abs=1.5e-3)


def test_every_hot_pixel_stands_out_in_a_dark():
    excess_e = (image(take(Darkness(), 180.0, 1)) - image(bias())) * TRUTH.gain[:, None, None]
    assert excess_e[on_segments(TRUTH.defects.hot)].min() > 500.0


def test_every_dead_pixel_stays_dark_in_a_flat():
    flat = image(take(Flat("r"), 15.0, 1)) - image(bias())
    relative = flat / np.median(flat, axis=(1, 2))[:, None, None]
    assert relative[on_segments(TRUTH.defects.dead) & on_segments(TRUTH.dark_map_e_s < 0.1)].max() < 0.45


def test_a_flat_shows_the_response_and_the_illumination():
    light_e = Flat("r").electrons(CAMERA, TRUTH.detector, 15.0)
    flat_e = (image(take(Flat("r"), 15.0, 1)) - image(bias())) * TRUTH.gain[:, None, None]
    expected_e = clipped_mean(on_segments(light_e * TRUTH.response))
    assert clipped_mean(flat_e) == pytest.approx(expected_e, rel=0.006)  # what non-linearity takes at 30,000 electrons


def test_non_linearity_takes_the_stated_fraction():
    flat_e = clipped_mean((image(take(Flat("r"), 45.0, 1)) - image(bias())) * TRUTH.gain[:, None, None])
    expected_e = clipped_mean(on_segments(Flat("r").electrons(CAMERA, TRUTH.detector, 45.0) * TRUTH.response))
    gained = TRUTH.crosstalk @ expected_e / expected_e
    assert 1 + gained - flat_e / expected_e == pytest.approx(TRUTH.nonlinearity * expected_e / 1e5, abs=3e-4)


def test_too_much_light_saturates_every_pixel_that_works():
    raw = image(take(Flat("r"), 200.0, 1))
    saturation = np.array([a.saturation for a in AMPLIFIERS])[:, None, None]
    assert (raw >= saturation)[GOOD].all()
    assert raw.max() <= ADC_MAX


def test_the_first_overscan_column_holds_the_charge_left_behind():
    flat, dark = (np.mean([take(scene, 40.0, n, 0.0) for n in (1, 2)], axis=0) for scene in (Flat("r"), Darkness()))
    last = AMPLIFIERS[0].image.x1
    rows = slice(0, AMPLIFIERS[0].image.y1)
    excess_e = (flat - dark)[:, rows, last].mean(axis=1) * TRUTH.gain
    signal_e = np.median((flat - dark)[:, rows, last - 1], axis=1) * TRUTH.gain
    assert excess_e == pytest.approx(TRUTH.serial_cti * last * signal_e, rel=0.05, abs=1.5)


def test_one_bright_amplifier_shows_its_crosstalk_in_all_others():
    light_e = np.zeros((1024, 1024), dtype=np.float32)
    light_e[AMPLIFIERS[3].place.slices] = 80_000.0
    raw = expose(TRUTH, light_e, 0.0, generator("test", 1))
    signal_e = clipped_mean((image(raw) - image(bias())) * TRUTH.gain[:, None, None])
    others = np.arange(16) != 3
    assert (signal_e / signal_e[3])[others] == pytest.approx(TRUTH.crosstalk[others, 3], rel=0.01, abs=2e-6)


def test_light_falls_only_on_the_image_and_not_on_the_overscans():
    flat, dark = take(Flat("r"), 15.0, 1), bias()
    for amplifier in AMPLIFIERS:
        excess = flat[amplifier.index].astype(float) - dark[amplifier.index]
        assert np.median(excess[amplifier.image.slices]) > 10_000
        for unlit in (amplifier.prescan, amplifier.parallel_overscan):
            assert unlit is not None
            assert abs(np.median(excess[unlit.slices])) < 30  # crosstalk and charge left behind


def test_a_source_lands_in_the_segment_and_at_the_pixel_that_the_geometry_says():
    camera = tiny_camera(1)
    truth = truth_for(camera, 0, 1, DAY)
    light_e = np.zeros((32, 48), dtype=np.float32)
    light_e[1, 46] = 60_000.0  # second from the last column: the far corner of the flipped amplifier
    raw = expose(truth, light_e, 0.0, generator("test", 1))
    assert np.unravel_index(raw[1].argmax(), raw[1].shape) == (30, 2 + 1)


@pytest.mark.parametrize("expected_e", [0.0, 0.02, 3.6, 49.0, 51.0, 30_000.0])
def test_shot_noise_has_the_variance_of_its_mean(expected_e):
    caught = shot_noise(np.full((500, 500), expected_e, dtype=np.float32), generator("test", 1))
    assert caught.mean() == pytest.approx(expected_e, abs=5 * np.sqrt(expected_e) / 500)
    assert caught.var() == pytest.approx(expected_e, rel=0.02 + 0.1 * (0 < expected_e < 0.1))


def test_cosmic_rays_come_at_their_rate():
    electrons = np.zeros((1024, 1024), dtype=np.float32)
    count = add_cosmic_rays(electrons, pixel_um=10.0, time_s=6000.0, rng=generator("test", 1))
    assert count == pytest.approx(4.0 * 1.0486 * 100, abs=5 * np.sqrt(420))
    assert (electrons > 0).sum() > 5 * count


def test_no_cosmic_ray_comes_in_no_time():
    assert add_cosmic_rays(np.zeros((8, 8), dtype=np.float32), 10.0, 0.0, generator("test", 1)) == 0


def test_an_lsstcam_detector_is_simulated_in_its_own_shape():
    camera = load("lsstcam")
    detector = camera.detectors[94]
    raw = expose(
        truth_for(camera, detector.id, 1, DAY), Flat("i").electrons(camera, detector, 5.0), 5.0, generator("t")
    )
    assert raw.shape == (16, 2048, 576)
    assert raw.dtype == np.int32
