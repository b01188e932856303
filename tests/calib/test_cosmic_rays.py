"""Tracks of cosmic rays in a few darks, by their shape."""

import numpy as np
import pytest

from calib.science.cosmic_rays import GROW, cosmic_rays
from dayops import camera

SENSOR = camera.load("minicam").by_name["R22_S11"]
AMPLIFIER = SENSOR.amplifiers[0]
TRACK = [(100 + i, 40 + i) for i in range(6)]


def dark(seed, *tracks):
    """Raw segments of one dark: read noise, and 200 ADU on each pixel of the tracks of the first amplifier."""
    rng = np.random.default_rng(seed)
    segments = [
        np.rint(25_000 + rng.normal(0, 4, (each.raw_height, each.raw_width))).astype(np.int32)
        for each in SENSOR.amplifiers
    ]
    for y, x in (pixel for track in tracks for pixel in track):
        segments[0][AMPLIFIER.image.y0 + y, AMPLIFIER.image.x0 + x] += 200
    return segments


def place(y, x):
    """Where a pixel of the first amplifier lies on the detector."""
    box = AMPLIFIER.place
    return (
        box.y1 - 1 - y if AMPLIFIER.flip_y else box.y0 + y,
        box.x1 - 1 - x if AMPLIFIER.flip_x else box.x0 + x,
    )


def test_a_track_is_left_out_with_its_surroundings_and_only_in_its_frame():
    first, second = cosmic_rays([dark(1, TRACK), dark(2)], SENSOR)
    for y, x in TRACK:
        assert first[place(y, x)]
        assert first[place(y + GROW, x)]
    assert first.sum() < 100, "nothing else is bright"
    assert not second.any()


def test_what_is_bright_in_two_frames_is_a_defect_and_stays():
    assert not any(mask.any() for mask in cosmic_rays([dark(1, TRACK), dark(2, TRACK)], SENSOR))


def test_a_ray_that_crosses_a_defect_does_not_take_the_defect_with_it():
    crossing = [(100 + i, 45 - i) for i in range(6)]
    masks = cosmic_rays([dark(1, TRACK, crossing), dark(2, TRACK)], SENSOR)
    assert not any(mask[place(*pixel)] for mask in masks for pixel in TRACK)


def test_a_single_hot_pixel_is_no_track():
    masks = cosmic_rays([dark(1, [(50, 50)]), dark(2)], SENSOR)
    assert not masks[0].any()


def test_a_lit_frame_says_nothing_of_rays():
    lit = [segment.copy() for segment in dark(3)]
    lit[0][:, ::3] += 500
    assert not cosmic_rays([lit, dark(2)], SENSOR)[0].any()


@pytest.mark.parametrize("count", [0, 1])
def test_few_frames_are_no_trouble(count):
    assert len(cosmic_rays([dark(1, TRACK)] * count, SENSOR)) == count
