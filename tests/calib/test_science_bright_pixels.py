"""Hot pixels, bright columns and cosmic-ray tracks against a flood fill in plain Python, and in simulated darks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calib.science.bright_pixels import COLUMN, HOT, TRACK, BrightPixels, _groups, bright_pixels, cosmic_ray_rate
from calib.science.distribution import distribution
from dayops import camera
from dayops.simulator import cosmic_rays
from dayops.simulator.pixels import expose
from dayops.simulator.truth import truth_for

MINICAM = camera.load("minicam")
DETECTOR = MINICAM.detectors[0]
LIMIT = 100.0


def image(*bright: tuple[int, int], shape: tuple[int, int] = (512, 128), value: int = 500) -> np.ndarray:
    pixels = np.zeros(shape, dtype=np.int32)
    for y, x in bright:
        pixels[y, x] = value
    return pixels


def flooded(mask: np.ndarray, reach: int = 1) -> set[frozenset[tuple[int, int]]]:
    """The groups of a mask whose pixels are at most `reach` apart, by flood fill."""
    steps = range(-reach, reach + 1)
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    groups = set()
    while left:
        group, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            group.add((y, x))
            near = {(y + dy, x + dx) for dy in steps for dx in steps} & left
            left -= near
            edge += near
        groups.add(frozenset(group))
    return groups


def mask_of(places: frozenset[tuple[int, int]]) -> np.ndarray:
    return image(*places) > 0


@given(arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.booleans()), st.sampled_from([1, 2]))
@settings(max_examples=200, deadline=None)
def test_groups_are_those_of_a_flood_fill(mask, reach):
    rows, columns = np.nonzero(mask)
    members: dict[int, set[tuple[int, int]]] = {}
    for group, y, x in zip(_groups(rows, columns, reach), rows.tolist(), columns.tolist(), strict=True):
        members.setdefault(int(group), set()).add((y, x))
    assert {frozenset(group) for group in members.values()} == flooded(mask, reach)


@given(
    arrays(np.int32, (30, 40), elements=st.integers(0, 9), fill=st.just(0)),
    st.sampled_from(["int32", "uint16", "int16", "float32"]),
)
@settings(max_examples=50, deadline=None)
def test_bright_pixels_are_listed_in_raster_order_as_numpy_lists_them(values, dtype):
    pixels = values.astype(dtype)
    found, where = bright_pixels(pixels[:, 1:], 4.0), np.nonzero(pixels[:, 1:] > 4)
    if len(where[0]) > 0.02 * pixels[:, 1:].size:
        assert np.isnan(found.tracks)
    else:
        assert (found.rows.tolist(), found.columns.tolist()) == (where[0].tolist(), where[1].tolist())
        assert found.values.tolist() == pixels[:, 1:][where].tolist()
        near = flooded(pixels[:, 1:] > 4, reach=2)
        assert found.tracks == sum(len(flooded(mask_of(group))) < len(group) for group in near)


def test_a_pixel_alone_is_hot():
    found = bright_pixels(image((7, 9), (100, 3)), LIMIT)
    assert (found.hot_pixels, found.hot_columns, found.tracks) == (2, 0, 0)
    assert found.kinds.tolist() == [HOT, HOT]


def test_pixels_that_touch_by_a_corner_are_a_track():
    found = bright_pixels(image((7, 9), (8, 10), (9, 10)), LIMIT)
    assert (found.hot_pixels, found.hot_columns, found.tracks) == (0, 0, 1)


def test_a_faint_pixel_does_not_cut_a_track_in_two():
    found = bright_pixels(image(*((20 + step, 20) for step in (0, 1, 3, 5, 6))), LIMIT)
    assert (found.hot_pixels, found.tracks) == (0, 1)


def test_two_hot_pixels_with_one_between_them_are_no_track():
    found = bright_pixels(image((20, 20), (20, 22)), LIMIT)
    assert (found.hot_pixels, found.tracks) == (2, 0)


def test_a_track_through_a_hot_pixel_is_still_a_track():
    pixels = image(*((20 + step, 20 + step) for step in range(10)))
    pixels[25, 25] = 60_000
    found = bright_pixels(pixels, LIMIT, hot=400.0)
    assert (found.hot_pixels, found.tracks) == (0, 1)


def test_a_bright_column_is_hot_and_no_track():
    found = bright_pixels(image(*((y, 17) for y in range(300, 512))), LIMIT)
    assert (found.hot_pixels, found.hot_columns, found.tracks) == (212, 1, 0)
    assert set(found.kinds.tolist()) == {COLUMN}


def test_a_track_across_a_bright_column_does_not_hide_it():
    pixels = image(*((y, 17) for y in range(300, 512)), *((400, x) for x in range(10, 17)))
    found = bright_pixels(pixels, LIMIT)
    assert (found.hot_columns, found.tracks) == (1, 1)
    assert (found.kinds == TRACK).sum() == 7


def test_nineteen_pixels_in_line_are_no_column_yet():
    assert bright_pixels(image(*((y, 17) for y in range(19))), LIMIT).hot_columns == 0
    assert bright_pixels(image(*((y, 17) for y in range(20))), LIMIT).hot_columns == 1


def test_only_pixels_above_the_higher_limit_count_as_hot():
    pixels = image((7, 9), (100, 3))
    pixels[7, 9] = 5_000
    assert bright_pixels(pixels, LIMIT, hot=1_000.0).hot_pixels == 1


def test_too_many_bright_pixels_cannot_be_told_apart():
    found = bright_pixels(np.full((512, 128), 500, dtype=np.int32), LIMIT)
    assert np.isnan([found.hot_pixels, found.hot_columns, found.tracks]).all()
    assert len(found.rows) == 0


def test_without_a_limit_nothing_is_known():
    assert np.isnan(bright_pixels(image((7, 9)), np.nan).hot_pixels)


def test_without_the_higher_limit_hot_pixels_are_unknown_but_tracks_are_not():
    found = bright_pixels(image((7, 9), (100, 3), (101, 3)), LIMIT, hot=np.nan)
    assert np.isnan(found.hot_pixels)
    assert found.tracks == 1


def test_pixels_that_are_no_numbers_are_not_bright():
    pixels = image((7, 9)).astype(np.float32)
    pixels[100:102] = np.nan
    assert bright_pixels(pixels, LIMIT).hot_pixels == 1


def test_a_dark_frame_has_no_bright_pixels():
    found = bright_pixels(image(), LIMIT)
    assert (found.hot_pixels, found.hot_columns, found.tracks) == (0, 0, 0)


def nothing_bright() -> list[BrightPixels]:
    return [bright_pixels(image(), LIMIT)] * 16


def test_a_track_from_one_amplifier_to_the_next_is_one():
    bright = nothing_bright()
    first, second = DETECTOR.amplifiers[:2]
    edge = max(first.place.x0, second.place.x0)  # between the two
    for index, amplifier in enumerate((first, second)):
        places = [x for x in range(edge - 3, edge + 3) if amplifier.place.x0 <= x < amplifier.place.x1]
        columns = [amplifier.place.x1 - 1 - x if amplifier.flip_x else x - amplifier.place.x0 for x in places]
        bright[index] = bright_pixels(image(*((10, x) for x in columns)), LIMIT)
    area_cm2 = DETECTOR.width * DETECTOR.height * (DETECTOR.pixel_um * 1e-4) ** 2
    assert cosmic_ray_rate(bright, DETECTOR, 60.0) == pytest.approx(1 / area_cm2)


def test_an_amplifier_full_of_light_is_left_out_of_the_rate_with_its_area():
    bright = nothing_bright()
    bright[3] = bright_pixels(image((7, 9), (8, 9)), LIMIT)
    alone = cosmic_ray_rate(bright, DETECTOR, 60.0)
    bright[0] = bright_pixels(np.full((512, 128), 500, dtype=np.int32), LIMIT)
    assert cosmic_ray_rate(bright, DETECTOR, 60.0) == pytest.approx(alone * 16 / 15)


@pytest.mark.parametrize("dark_time_s", [0.0, np.nan])
def test_without_time_there_is_no_rate(dark_time_s):
    assert np.isnan(cosmic_ray_rate(nothing_bright(), DETECTOR, dark_time_s))


def bright_in_a_simulated_dark(seed: int, dark_time_s: float = 181.0) -> tuple[list[BrightPixels], np.ndarray]:
    """Bright pixels of one minicam detector's simulated dark, and how many of each amplifier are truly hot."""
    truth = truth_for(MINICAM, seed % 9, seed=seed, day_obs=20261122)
    segments = expose(truth, np.zeros((1, 1), dtype=np.float32), dark_time_s, np.random.default_rng(seed))
    bright, hot = [], []
    for segment, amplifier in zip(segments, truth.detector.amplifiers, strict=True):
        pixels = segment[amplifier.image.slices]
        spread = distribution(pixels)
        limit = spread.median + 6 * spread.robust_sigma
        bright.append(bright_pixels(pixels, limit, spread.median + 5.0 * dark_time_s / amplifier.gain))
        hot.append(int((truth.dark_map_e_s[amplifier.place.slices] > 5.0).sum()))
    return bright, np.array(hot)


def test_the_simulated_hot_pixels_are_counted_without_the_cosmic_rays():
    for seed in range(4):
        bright, hot = bright_in_a_simulated_dark(seed)
        found = np.array([each.hot_pixels for each in bright])
        assert abs(found - hot).max() <= 4  # a pair that touches, a track that a faint pixel cuts
        assert abs(found.sum() / hot.sum() - 1) < 0.04


def test_the_simulated_rate_of_cosmic_rays_is_recovered_within_a_tenth():
    rates = [cosmic_ray_rate(bright_in_a_simulated_dark(seed)[0], DETECTOR, 181.0) for seed in range(16)]
    chance = np.sqrt(cosmic_rays.RATE_CM2_MINUTE / (3.0 * 1.05 * len(rates)))
    assert np.mean(rates) == pytest.approx(cosmic_rays.RATE_CM2_MINUTE, abs=3 * chance + 0.4)


def test_a_shower_is_seen_in_the_rate(monkeypatch):
    monkeypatch.setattr(cosmic_rays, "RATE_CM2_MINUTE", 80.0)
    assert cosmic_ray_rate(bright_in_a_simulated_dark(1)[0], DETECTOR, 181.0) == pytest.approx(80.0, rel=0.2)


def test_the_rate_counts_by_area_of_the_pixels():
    coarse = replace(DETECTOR, pixel_um=2 * DETECTOR.pixel_um)
    bright = [bright_pixels(image((7, 9), (8, 9)), LIMIT)] * 16
    assert cosmic_ray_rate(bright, coarse, 60.0) == pytest.approx(cosmic_ray_rate(bright, DETECTOR, 60.0) / 4)
