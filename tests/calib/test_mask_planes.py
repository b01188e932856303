"""The planes of a mask: which bits they are, in pixels and in headers."""

import numpy as np

from calib.science.mask_planes import UNUSABLE, Plane, flagged, header_cards, names


def test_the_bits_are_those_of_lsst_and_ours_beside_them():
    assert header_cards() == {
        "MP_BAD": 0,
        "MP_SAT": 1,
        "MP_INTRP": 2,
        "MP_CR": 3,
        "MP_EDGE": 4,
        "MP_NO_DATA": 8,
        "MP_HOT": 9,
        "MP_COLD": 10,
        "MP_COLUMN": 11,
    }


def test_every_plane_has_a_bit_of_its_own():
    assert len({plane.value for plane in Plane}) == len(Plane)
    assert all(plane.value.bit_count() == 1 for plane in Plane)


def test_a_pixel_is_flagged_by_any_of_the_planes():
    mask = np.array([[0, 1, 2], [3, 256, 512]], dtype=np.int32)
    np.testing.assert_array_equal(flagged(mask, Plane.BAD | Plane.NO_DATA), [[False, True, False], [True, True, False]])


def test_bits_are_named_from_the_lowest():
    assert names(int(Plane.BAD | Plane.COLUMN | Plane.HOT)) == ["BAD", "HOT", "COLUMN"]
    assert names(0) == names(1 << 30) == []


def test_interpolated_pixels_may_be_used_and_saturated_ones_not():
    assert not Plane.INTRP & UNUSABLE
    assert Plane.SAT & UNUSABLE
