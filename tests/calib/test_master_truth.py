"""Masters of one day's few frames against what the simulator put in: dark current and defects, with figures.

An LSSTCam sensor of two amplifiers, and the frames a single day leaves when one of each kind is held out: two biases,
darks of 15 and 180 s, two flats of each filter.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from calib.science.combine import Frame, combine
from calib.science.cosmic_rays import cosmic_rays
from calib.science.defects import find_defects
from calib.science.mask_planes import Plane, flagged
from dayops import camera
from dayops.images import read_segments
from dayops.simulator.fits_writer import write_frame
from dayops.simulator.pixels import expose
from dayops.simulator.truth import DetectorTruth, truth_for
from tests.calib.test_truth_recovered import narrow

DAY, SEED = 20261122, 3
DARK_S = (16.0, 181.0)
FLAT_E = 30_000.0
HOT_E_S, COLD = 5.0, 0.8
LSSTCAM = camera.load("lsstcam")


@cache
def truth() -> DetectorTruth:
    sensor = narrow(LSSTCAM.by_name["R22_S11"], 2)
    return truth_for(replace(LSSTCAM, detectors=(sensor,)), sensor.id, SEED, DAY)


@pytest.fixture(scope="module")
def masters(tmp_path_factory):
    """The bias and dark, ADU and ADU/s, and the flat of two filters together."""
    folder, sensor = tmp_path_factory.mktemp("frames"), truth().detector
    nothing, lamp = np.zeros((1, 1), np.float32), np.full((1, 1), FLAT_E, np.float32)

    def frame(kind, number, light, dark_s):
        path = folder / f"{kind}{number}.fits"
        rng = np.random.default_rng([SEED, number, int(dark_s), int(light.max())])
        path.write_bytes(write_frame(sensor, expose(truth(), light, dark_s, rng), []))
        return path

    biases = [Frame(frame("bias", number, nothing, 0.0)) for number in range(2)]
    bias = combine(biases, sensor, gain=truth().gain)
    darks = [Frame(frame("dark", 0, nothing, each), scale=1 / each, dark_s=each) for each in DARK_S[:1]]
    darks += [Frame(frame("dark", 1, nothing, each), scale=1 / each, dark_s=each) for each in DARK_S[1:]]
    rays = cosmic_rays([read_segments(each.path, sensor) for each in darks], sensor)
    darks = [replace(each, out=out) for each, out in zip(darks, rays, strict=True)]
    dark = combine(darks, sensor, gain=truth().gain, bias=bias.mean, weights="noise")
    flats = [Frame(frame("flat", number, lamp, 1.0), scale=1 / FLAT_E) for number in range(4)]
    return bias, dark, combine(flats, sensor, gain=truth().gain, bias=bias.mean)


def in_electrons(plane):
    return np.concatenate(
        [plane[a.place.slices] * gain for a, gain in zip(truth().detector.amplifiers, truth().gain, strict=True)],
        axis=1,
    )


def test_a_single_day_tells_the_dark_current_to_a_thousandth_of_an_electron_a_second(masters):
    rate = in_electrons(masters[1].mean)
    for amplifier, expected in zip(truth().detector.amplifiers, truth().dark_e_s, strict=True):
        pixels = rate[amplifier.place.slices]
        usual = np.abs(pixels - np.nanmedian(pixels)) < 0.3  # hot pixels have their own test
        assert np.mean(pixels[usual], dtype=np.float64) == pytest.approx(expected, abs=0.001)


def test_no_cosmic_ray_of_the_long_dark_is_left_though_there_are_only_two(masters):
    rate, expected = in_electrons(masters[1].mean), truth().dark_map_e_s
    sigma = np.sqrt(in_electrons(in_electrons(masters[1].variance)))
    assert (masters[1].count == 1).sum() > 100, "there were rays"
    brighter = rate - expected > 8 * sigma + 0.1
    assert brighter.sum() <= 2, "a ray on a hot pixel, or on both frames, is chance"


def test_every_defect_clear_of_the_limits_is_found_and_nothing_else(masters):
    _, dark, flat = masters
    rate, variance = in_electrons(dark.mean), in_electrons(in_electrons(dark.variance))
    found = find_defects(truth().detector, rate, in_electrons(flat.mean), variance).mask
    hot, cold = flagged(found, Plane.HOT), flagged(found, Plane.COLD)
    normal = truth().response / np.median(truth().response)
    assert hot[truth().dark_map_e_s > 1.1 * HOT_E_S + 0.2].all()
    assert cold[normal < 0.9 * COLD].all()
    single = ~flagged(found, Plane.COLUMN)
    assert not (hot & single & (truth().dark_map_e_s < 0.9 * HOT_E_S - 0.2)).any()
    assert not (cold & single & (normal > 1.1 * COLD)).any()
