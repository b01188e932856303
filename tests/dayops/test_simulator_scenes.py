"""What shines on the camera."""

import numpy as np
import pytest

from dayops.camera import load
from dayops.simulator.scenes import LAMP_E_S, Darkness, Flat, scene_for

MINICAM = load("minicam")


@pytest.mark.parametrize("camera", ["minicam", "lsstcam"])
def test_the_illumination_is_between_the_rim_and_the_middle_everywhere(camera):
    camera = load(camera)
    for detector in camera.detectors[:: len(camera.detectors) // 2]:
        light_e = Flat("r").electrons(camera, detector, 1.0)
        assert light_e.shape == (detector.height, detector.width)
        assert 0.9 * LAMP_E_S["r"] < light_e.min() < light_e.max() <= 1.001 * LAMP_E_S["r"]


def test_the_corners_of_four_neighbours_meet_in_one_brightness():
    corners = []
    for detector in (MINICAM.by_name[name] for name in ("R22_S00", "R22_S01", "R22_S10", "R22_S11")):
        light_e = Flat("r").electrons(MINICAM, detector, 1.0)
        edges = [light_e[y, x] for y in (0, -1) for x in (0, -1)]
        corners.append(min(edges, key=lambda value: abs(value - reference_brightness())))
    assert max(corners) - min(corners) < 0.01 * LAMP_E_S["r"]


def reference_brightness() -> float:
    """Where the four meet, half a detector and half a gap from the middle in both directions."""
    return float(Flat("r").electrons(MINICAM, MINICAM.by_name["R22_S11"], 1.0)[[0, 0, -1, -1], [0, -1, 0, -1]].min())


def test_the_outer_detectors_are_dimmer_than_the_middle_one():
    middle, corner = (Flat("r").electrons(MINICAM, MINICAM.by_name[n], 1.0).mean() for n in ("R22_S11", "R22_S00"))
    assert 0.9 * middle < corner < 0.99 * middle


def test_light_grows_with_time():
    short, long = (Flat("g").electrons(MINICAM, MINICAM.detectors[0], time_s) for time_s in (1.0, 3.0))
    assert np.allclose(long, 3 * short, rtol=1e-5)


def test_darkness_is_dark_however_long():
    assert not Darkness().electrons(MINICAM, MINICAM.detectors[0], 1000.0).any()


def test_a_filter_that_the_lamp_lacks_is_refused_with_those_it_has():
    with pytest.raises(ValueError, match="no filter 'K': expected one of u, g, r, i, z, y"):
        Flat("K").electrons(MINICAM, MINICAM.detectors[0], 1.0)


@pytest.mark.parametrize(("image_type", "scene"), [("BIAS", Darkness()), ("DARK", Darkness()), ("PTC", Flat("r"))])
def test_every_kind_of_calibration_has_its_scene(image_type, scene):
    assert scene_for(image_type, "r") == scene


def test_an_image_type_without_a_scene_is_refused():
    with pytest.raises(ValueError, match="no calibration scene for image type 'SCIENCE'"):
        scene_for("SCIENCE", "r")


def test_scenes_are_float32_so_that_memory_stays_small():
    assert Flat("r").electrons(MINICAM, MINICAM.detectors[0], 1.0).dtype == np.float32
