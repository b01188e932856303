"""Masters from raw files: against NumPy pixel by pixel, against the simulator's truth, and safe from cosmic rays."""

import tracemalloc
from dataclasses import replace
from functools import cache
from pathlib import Path

import fitsio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from calib.science import combine as combining
from calib.science.combine import Combined, Frame, combine, kept_variance
from dayops import camera, images
from dayops.camera import Detector
from dayops.camera.headers import BadFrame
from dayops.simulator.fits_writer import write_frame
from dayops.simulator.pixels import expose
from dayops.simulator.truth import DetectorTruth, truth_for
from tests.dayops.simulated import tiny_camera

DAY, SEED = 20261122, 1
MINICAM = camera.load("minicam")
TINY = tiny_camera().detectors[0]
SHAPE = (TINY.height, TINY.width)
GAIN, LEVEL, NOISE = [1.5, 1.5], 20_000, 4.0
BRIGHT_E = 20_000.0


def raw_file(folder: Path, number: int, light: np.ndarray | float = 0.0, detector: Detector = TINY, **how) -> Path:
    """A raw frame with `light` (ADU, assembled) above level and noise."""
    rng, path = np.random.default_rng([5, number]), folder / f"{number:02d}.fits"
    light = np.broadcast_to(light, (detector.height, detector.width))
    with fitsio.FITS(str(path), "rw", clobber=True) as out:
        out.write(None)
        for amplifier in detector.amplifiers:
            segment = rng.normal(LEVEL, NOISE, (amplifier.raw_height, amplifier.raw_width))
            piece = light[amplifier.place.slices]
            segment[amplifier.image.slices] += piece[:: -1 if amplifier.flip_y else 1, :: -1 if amplifier.flip_x else 1]
            how = how or {"compress": "rice", "tile_dims": (1, amplifier.raw_width)}
            out.write(np.rint(segment).astype(np.int32), extname=amplifier.extension, **how)
    return path


def raw_frames(folder: Path, count: int, light: np.ndarray | float = 0.0) -> list[Frame]:
    return [Frame(raw_file(folder, number, light)) for number in range(count)]


def same(a: Combined, b: Combined) -> bool:
    return all(np.array_equal(getattr(a, n), getattr(b, n), equal_nan=True) for n in ("mean", "variance", "count"))


# The kernel, against its definition.


def clipped_in_numpy(values, frames, dark, shot, clip, weighted):
    """Mean, variance of the mean and number of one pixel's values, straight from the module's formulae."""
    floors, scales, dark_s = frames
    finite = np.sort(values[np.isfinite(values)])
    if not finite.size:
        return np.nan, np.nan, 0

    def variances(charge, where=slice(None)):
        return floors[where] + scales[where] * shot * np.maximum(charge + scales[where] * dark_s[where] * dark, 0)

    lower, upper = finite[(finite.size - 1) // 2], finite[finite.size // 2]
    uneven = floors.max() > 1.5 * floors.min()
    even_noise = floors.mean() + scales.mean() * shot * max(lower + (scales * dark_s).mean() * dark, 0)
    noises = [
        variances(value, np.flatnonzero(values == value)[-1]) if uneven else even_noise for value in (lower, upper)
    ]
    agree = (upper - lower) ** 2 <= clip**2 * sum(noises)
    centre = (lower + upper) / 2 if agree else lower
    noise = (sum(noises) / 2 if agree else noises[0]) if uneven else 0.0
    known = variances(centre)
    left = np.isfinite(values) & ((values - centre) ** 2 <= clip**2 * (known + noise))
    kept, weight = values[left], 1 / floors[left] if weighted else np.ones(left.sum())
    mean = np.average(kept, weights=weight)
    if left.sum() >= 5:
        scatter = np.sum(weight * (kept - mean) ** 2) / ((left.sum() - 1) * weight.sum())
        return mean, scatter / kept_variance(clip), left.sum()
    return mean, np.sum(weight**2 * known[left]) / weight.sum() ** 2, left.sum()


NUMBERS = st.one_of(
    st.integers(-40, 40).map(lambda number: number * 0.5),
    st.sampled_from([np.nan, np.inf, 300.0, 5_000.0, -900.0]),
)


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_the_kernel_agrees_with_numpy(data):
    count = data.draw(st.integers(2, 30))
    values = data.draw(arrays.arrays(np.float32, (count, data.draw(st.integers(1, 9))), elements=NUMBERS))
    each = arrays.arrays(np.float32, count, elements=st.sampled_from([16.25, 17.5, 18.75]))
    uneven = arrays.arrays(np.float32, count, elements=st.sampled_from([4.25, 50.5]))
    floors = data.draw(st.one_of(each, uneven))
    scales = data.draw(arrays.arrays(np.float32, count, elements=st.sampled_from([1.0, 0.75])))
    dark_s = data.draw(arrays.arrays(np.float32, count, elements=st.sampled_from([0.0, 30.0])))
    dark = data.draw(arrays.arrays(np.float32, values.shape[1], elements=st.sampled_from([0.0, 0.13])))
    shot, clip, weighted = 0.66, data.draw(st.sampled_from([3.03, 4.07])), data.draw(st.booleans())
    network = combining._sorting_network(count)
    widening = np.float32(1 / kept_variance(clip))
    limit = np.float32(clip**2)
    found = combining._clipped(
        values, floors, scales, dark_s, dark, np.float32(shot), limit, widening, weighted, network
    )
    frames = [array.astype(float) for array in (floors, scales, dark_s)]
    for x in range(values.shape[1]):
        expected = clipped_in_numpy(values[:, x].astype(float), frames, float(dark[x]), shot, clip, weighted)
        np.testing.assert_allclose([plane[x] for plane in found], expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("count", [2, 3, 7, 20, 25, 26, 60])
def test_the_network_sorts(count):
    values = np.random.default_rng(count).normal(size=(count, 500))
    for low, high in combining._sorting_network(count):
        values[low], values[high] = np.minimum(values[low], values[high]), np.maximum(values[low], values[high])
    assert (np.diff(values, axis=0) >= 0).all()


@pytest.mark.parametrize("clip", [2.0, 3.0, 4.0])
def test_what_clipping_takes_from_the_variance_is_known(clip):
    values = np.random.default_rng(2).normal(size=2_000_000)
    assert values[np.abs(values) <= clip].var() == pytest.approx(kept_variance(clip), rel=0.004)


# Clipping.


@pytest.mark.parametrize("count", [2, 3, 4, 5, 10, 20])
def test_a_cosmic_ray_is_rejected_however_few_the_frames(tmp_path, count):
    frames, track = raw_frames(tmp_path, count - 1), np.zeros(SHAPE)
    track[5:20, 7] = 1_000
    found = combine([*frames, Frame(raw_file(tmp_path, count, track))], TINY, gain=GAIN)
    assert np.abs(found.mean[5:20, 7]).max() < 4.5 * NOISE / np.sqrt(count - 1)
    assert (found.count[5:20, 7] <= count - 1).all()


@pytest.mark.parametrize("count", [3, 5, 10])
def test_three_sigma_about_the_mean_would_reject_none_of_ten_or_fewer(count):
    values = np.random.default_rng(1).normal(0, NOISE, (count, 400))
    values[0] = 1_000
    assert np.all(np.abs(values - values.mean(axis=0)) <= 3 * values.std(axis=0))


def test_two_rays_on_one_pixel_of_four_frames_are_both_rejected(tmp_path):
    track = np.zeros(SHAPE)
    track[9, 9] = 700
    files = [raw_file(tmp_path, number, track if number < 2 else 0.0) for number in range(4)]
    found = combine([Frame(path) for path in files], TINY, gain=GAIN)
    assert (found.count[9, 9], abs(found.mean[9, 9]) < 12) == (2, True)


def test_a_precise_frame_is_not_left_out_among_noisy_ones(tmp_path):
    rates = [Frame(raw_file(tmp_path, number), scale=1 / seconds) for number, seconds in enumerate([15, 15, 180])]
    found = combine(rates, TINY, gain=GAIN, weights="noise")
    assert (found.count == 3).mean() > 0.998
    assert found.mean.std() == pytest.approx(NOISE / np.sqrt(180**2 + 2 * 15**2), rel=0.06)


def test_noise_weights_make_the_better_mean(tmp_path):
    frames = [Frame(raw_file(tmp_path, number), scale=scale) for number, scale in enumerate([1, 1, 1, 3, 3, 3])]
    equal, weighted = (combine(frames, TINY, gain=GAIN, weights=weights) for weights in ("equal", "noise"))
    assert weighted.mean.std() < 0.6 * equal.mean.std()
    for found in (equal, weighted):
        assert np.median(found.variance) == pytest.approx(found.mean.var(), rel=0.35)


@pytest.mark.parametrize("clip", [3.0, 4.0])
def test_the_variance_is_that_of_the_mean_whatever_is_clipped(tmp_path, clip):
    found = combine(raw_frames(tmp_path, 20), TINY, gain=GAIN, clip=clip)
    assert found.variance.mean() * 20 == pytest.approx(NOISE**2 + 1 / 12, rel=0.03)


def test_few_frames_have_the_known_variance(tmp_path):
    found = combine(raw_frames(tmp_path, 3, light=900.0), TINY, gain=GAIN)
    usual = found.variance[found.count == 3]
    assert usual.mean() == pytest.approx((NOISE**2 + 900 / 1.5) / 3, rel=0.02)


# What is left out, and what is taken off.


def test_pixels_land_where_they_belong_on_the_detector(tmp_path):
    light = np.arange(np.prod(SHAPE)).reshape(SHAPE) * 10.0
    found = combine(raw_frames(tmp_path, 5, light), TINY, gain=GAIN)
    np.testing.assert_allclose(found.mean, light, atol=5 * NOISE / np.sqrt(5))


def test_saturated_pixels_are_left_out_and_a_pixel_without_a_value_has_none(tmp_path):
    full, once = np.zeros(SHAPE), np.zeros(SHAPE)
    full[3, 4], once[3, 4], once[8, 30] = 200_000, 200_000, 200_000
    files = [raw_file(tmp_path, 0, once), raw_file(tmp_path, 1, full), raw_file(tmp_path, 2, full)]
    found = combine([Frame(path) for path in files], TINY, gain=GAIN)
    assert (found.count[3, 4], found.count[8, 30]) == (0, 2)
    assert np.isnan([found.mean[3, 4], found.variance[3, 4]]).all()
    assert np.isfinite(found.mean).sum() == found.mean.size - 1


def test_masters_linearity_dark_and_scale_act_in_their_order(tmp_path):
    bias, dark = np.full(SHAPE, 3.0, dtype=np.float32), np.full(SHAPE, 2.0, dtype=np.float32)
    bias[1, 2] = np.nan
    frames = [Frame(raw_file(tmp_path, number, 1_003.0), scale=0.5, dark_s=10.0) for number in range(6)]
    found = combine(frames, TINY, gain=GAIN, bias=bias, dark=dark, linearity=[[2e-5, 1e-9]] * 2)
    expected = (1_000 + 2e-5 * 1_000**2 + 1e-9 * 1_000**3 - 20) * 0.5
    assert np.nanmean(found.mean) == pytest.approx(expected, abs=0.2)
    assert np.argwhere(np.isnan(found.mean)).tolist() == [[1, 2]]


def test_without_overscan_the_level_stays_in_and_the_nominal_noise_is_taken(tmp_path):
    blind = replace(TINY, amplifiers=tuple(replace(a, serial_overscan=None) for a in TINY.amplifiers))
    found = combine(raw_frames(tmp_path, 5), blind, gain=GAIN)
    assert found.mean.mean() == pytest.approx(LEVEL, abs=0.2)
    assert np.isnan(found.levels).all()


def test_an_unknown_saturation_leaves_nothing_out(tmp_path):
    unknown = replace(TINY, amplifiers=tuple(replace(a, saturation=np.nan) for a in TINY.amplifiers))
    assert (combine(raw_frames(tmp_path, 3, light=200_000), unknown, gain=GAIN).count == 3).mean() > 0.998


def test_an_unknown_read_noise_is_refused(tmp_path):
    blind = tuple(replace(a, serial_overscan=None, read_noise=np.nan) for a in TINY.amplifiers)
    with pytest.raises(ValueError, match="read noise of C10 is unknown"):
        combine(raw_frames(tmp_path, 3), replace(TINY, amplifiers=blind), gain=GAIN)


def test_an_amplifier_whose_overscan_is_no_number_is_left_out(tmp_path):
    frames = raw_frames(tmp_path, 4)
    segments = [segment.astype(np.float32) for segment in images.read_segments(frames[1].path, TINY)]
    segments[0][:, 26:] = np.nan
    with fitsio.FITS(str(frames[1].path), "rw", clobber=True) as out:
        out.write(None)
        for amplifier, segment in zip(TINY.amplifiers, segments, strict=True):
            out.write(segment, extname=amplifier.extension)
    found = combine(frames, TINY, gain=GAIN)
    assert found.count[:, :24].max() == 3
    assert found.count[:, 24:].max() == 4
    assert np.argwhere(np.isnan(found.levels)).tolist() == [[1, 0]]


# Which files, in which order, in how much memory.


def test_neither_order_nor_strips_nor_kept_memory_change_a_bit(tmp_path, monkeypatch):
    frames = raw_frames(tmp_path, 6)
    once = combine(frames, TINY, gain=GAIN)
    monkeypatch.setattr(combining, "KEPT_BYTES", 2 * 36 * 34 * 4)
    again = combine(frames[::-1], TINY, gain=GAIN, strip_rows=5)
    assert same(once, again)
    np.testing.assert_array_equal(once.levels, again.levels[::-1])
    np.testing.assert_array_equal(once.noise, again.noise[::-1])


def test_any_compression_gives_the_same_master(tmp_path):
    rice = combine(raw_frames(tmp_path, 3), TINY, gain=GAIN)
    plain = combine([Frame(raw_file(tmp_path, number, compress="gzip")) for number in range(3)], TINY, gain=GAIN)
    assert same(rice, plain)


def test_one_broken_file_among_good_ones_is_named(tmp_path):
    frames = raw_frames(tmp_path, 4)
    frames[2].path.write_bytes(frames[2].path.read_bytes()[:-2880])
    with pytest.raises(BadFrame, match=r"^02\.fits: The file is truncated"):
        combine(frames, TINY, gain=GAIN)


def test_memory_does_not_grow_with_the_frames(tmp_path, monkeypatch):
    tall = narrow_and_tall()
    files = [raw_file(tmp_path, number, detector=tall) for number in range(20)]
    monkeypatch.setattr(combining, "KEPT_BYTES", 1 << 20)
    few, many = (_peak([Frame(path) for path in files[:count]], tall) for count in (5, 20))
    assert many < few + 15 * 400_000  # an open file, its index and 64 rows; the segments of a frame are 2.2 MB


def narrow_and_tall() -> Detector:
    """Two amplifiers of 24 × 8,000 pixels."""
    amplifiers = tuple(
        replace(
            a,
            raw_height=8_000,
            image=replace(a.image, y1=8_000),
            serial_overscan=replace(a.serial_overscan, y1=8_000),
            place=replace(a.place, y1=8_000),
        )
        for a in TINY.amplifiers
        if a.serial_overscan is not None
    )
    return replace(TINY, height=8_000, amplifiers=amplifiers)


def _peak(frames: list[Frame], detector: Detector) -> int:
    combine(frames[:2], detector, gain=GAIN)
    tracemalloc.start()
    combine(frames, detector, gain=GAIN)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"gain": [1.5]}, "needs 2 gains"),
        ({"gain": [1.5, 0.0]}, "needs 2 gains above 0"),
        ({"bias": np.zeros((3, 4), np.float32)}, r"master bias has the shape \(3, 4\)"),
        ({"dark": np.zeros((3, 4), np.float32)}, r"master dark has the shape \(3, 4\)"),
        ({"linearity": [[0.0, np.nan]] * 2}, "2 pairs of coefficients"),
        ({"clip": 0.0}, "expected a clip above 0"),
        ({"strip_rows": 0}, "one row or more"),
        ({"weights": "any"}, "'equal' or 'noise'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        combine(raw_frames(tmp_path, 2), TINY, **({"gain": GAIN} | changes))


def test_one_frame_makes_no_master(tmp_path):
    with pytest.raises(ValueError, match="2 frames or more, up to 32,767: 1 came"):
        combine(raw_frames(tmp_path, 1), TINY, gain=GAIN)


@pytest.mark.parametrize(("scale", "dark_s"), [(0.0, 0.0), (np.nan, 0.0), (1.0, -1.0), (1.0, np.inf)])
def test_a_scale_or_a_time_that_makes_no_sense_names_its_file(tmp_path, scale, dark_s):
    frames = [*raw_frames(tmp_path, 2), Frame(tmp_path / "07.fits", scale, dark_s)]
    with pytest.raises(ValueError, match=r"07\.fits has the scale"):
        combine(frames, TINY, gain=GAIN)


# Against the simulator's truth.


@cache
def truth() -> DetectorTruth:
    return truth_for(MINICAM, 4, SEED, DAY)


def simulated(folder: Path, kind: str, count: int, light: np.ndarray, dark_time_s: float) -> list[Path]:
    paths = []
    for number in range(count):
        rng = np.random.default_rng([SEED, number, int(dark_time_s)])
        path = folder / f"{kind}{number}.fits"
        path.write_bytes(write_frame(truth().detector, expose(truth(), light, dark_time_s, rng), []))
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def biases(tmp_path_factory) -> list[Path]:
    return simulated(tmp_path_factory.mktemp("bias"), "bias", 7, np.zeros((1, 1), np.float32), 0.0)


@pytest.fixture(scope="module")
def bias(biases) -> Combined:
    return combine([Frame(path) for path in biases], truth().detector, gain=truth().gain)


def by_amplifier(plane: np.ndarray) -> np.ndarray:
    return np.array([np.nanmedian(plane[a.place.slices]) for a in truth().detector.amplifiers])


def test_a_master_bias_is_the_shape_of_the_bias(bias):
    expected = images.assemble(list(truth().bias_shape_adu), truth().detector)
    sigma = images.assemble(
        [np.full(s.shape, n) for s, n in zip(truth().bias_shape_adu, truth().read_noise_e / truth().gain, strict=True)],
        truth().detector,
    ) / np.sqrt(7)
    pull = (bias.mean - expected) / sigma
    assert abs(pull.mean()) < 0.02
    assert pull.std() == pytest.approx(1, abs=0.02)
    assert np.abs(pull).max() < 7
    np.testing.assert_allclose(bias.levels.mean(axis=0), truth().bias_adu, atol=0.1)
    np.testing.assert_allclose((bias.noise * truth().gain / truth().read_noise_e).mean(axis=0), 1, atol=0.02)


def test_a_master_dark_holds_hot_pixels_and_no_cosmic_ray(tmp_path, bias):
    seconds = 180.0
    darks = simulated(tmp_path, "dark", 5, np.zeros((1, 1), np.float32), seconds)
    frames = [Frame(path, scale=1 / seconds) for path in darks]
    found = combine(frames, truth().detector, gain=truth().gain, bias=bias.mean, weights="noise")
    gains = np.empty(found.mean.shape, dtype=np.float32)
    for amplifier, gain in zip(truth().detector.amplifiers, truth().gain, strict=True):
        gains[amplifier.place.slices] = gain
    rate = found.mean * gains
    assert (found.count < 5).mean() > 0.001  # rays there were
    expected_hot, found_hot = truth().dark_map_e_s > 5.5, rate > 5
    assert (rate[expected_hot & np.isfinite(rate)] > 4).all()
    assert (truth().dark_map_e_s[found_hot] > 3).all()
    np.testing.assert_allclose(by_amplifier(rate), by_amplifier(truth().dark_map_e_s), atol=0.006)


def test_a_master_flat_is_the_response(tmp_path, bias):
    light = np.full((1, 1), BRIGHT_E, dtype=np.float32)
    flats = simulated(tmp_path, "flat", 5, light, 0.0)
    found = combine([Frame(path) for path in flats], truth().detector, gain=truth().gain, bias=bias.mean)
    relative = [found.mean[a.place.slices] * g for a, g in zip(truth().detector.amplifiers, truth().gain, strict=True)]
    response = [truth().response[a.place.slices] for a in truth().detector.amplifiers]
    for flat, expected in zip(relative, response, strict=True):
        normal = expected > 0.9
        ratio = flat[normal] / expected[normal]
        assert np.median(ratio) == pytest.approx(BRIGHT_E, rel=0.01)  # the amplifiers are not linear
        assert ratio.std() / np.median(ratio) == pytest.approx(1 / np.sqrt(5 * BRIGHT_E), rel=0.1)


def test_frames_scaled_to_one_level_are_combined_as_well_as_equal_ones(tmp_path, bias):
    paths = [
        path
        for level in (0.9, 1.0, 1.1)
        for path in simulated(_made(tmp_path / str(level)), "flat", 2, np.full((1, 1), level * 8_000, np.float32), 0.0)
    ]
    frames = [Frame(path, scale=1 / level) for path, level in zip(paths, np.repeat([0.9, 1.0, 1.1], 2), strict=True)]
    found = combine(frames, truth().detector, gain=truth().gain, bias=bias.mean, weights="noise")
    assert (found.count == 6).mean() > 0.995


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
