"""Instrument signature removal: against NumPy, against the simulator that put the signature in, and on bad input."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.mask_planes import Plane, flagged
from calib.science.overscan import measure_overscan
from calib.science.signature_removal import Calibrations, Processed, remove_signature
from dayops import camera
from dayops.camera.geometry import Amplifier, Box, Detector
from dayops.simulator.pixels import expose
from dayops.simulator.truth import DetectorTruth, truth_for

HEIGHT, WIDTH, OVERSCAN = 12, 10, 8
SHAPE = (2 * HEIGHT, 2 * WIDTH + 2)
DARK_S = 30.0
KNOWN = ("bias", "dark", "flat", "mask", "gain", "read_noise_e", "linearity", "crosstalk", "saturation")


def amplifier(index: int) -> Amplifier:
    """One of four quarters, each read from its own corner; two columns between left and right are read by none."""
    right, above = index % 2, index // 2
    x0, y0 = right * (WIDTH + 2), above * HEIGHT
    return Amplifier(
        index=index,
        name=f"C{index}",
        extension=f"Segment{index}",
        raw_width=3 + WIDTH + OVERSCAN,
        raw_height=HEIGHT + 2,
        image=Box(3, 0, 3 + WIDTH, HEIGHT),
        prescan=Box(0, 0, 3, HEIGHT),
        serial_overscan=Box(3 + WIDTH, 0, 3 + WIDTH + OVERSCAN, HEIGHT),
        parallel_overscan=None,
        place=Box(x0, y0, x0 + WIDTH, y0 + HEIGHT),
        flip_x=bool(right),
        flip_y=bool(above),
        gain=1.5,
        read_noise=6.0,
        saturation=60_000.0,
    )


AMPLIFIERS = tuple(amplifier(index) for index in range(4))
DETECTOR = Detector(
    id=0,
    name="R22_S11",
    raft="R22",
    slot="S11",
    kind="SCIENCE",
    vendor="DayOps",
    width=SHAPE[1],
    height=SHAPE[0],
    pixel_um=10.0,
    x_mm=0.0,
    y_mm=0.0,
    rotation_deg=0,
    amplifiers=AMPLIFIERS,
)


def segments(seed: int = 1, dtype: str = "int32", signal: float = 5_000.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    raw = [rng.normal(1_000 + 100 * a.index, 4, (a.raw_height, a.raw_width)) for a in AMPLIFIERS]
    for segment, a in zip(raw, AMPLIFIERS, strict=True):
        segment[a.image.slices] += rng.uniform(0, 2 * signal, (HEIGHT, WIDTH))
    return [segment.round().astype(dtype) for segment in raw]


def calibrations(seed: int = 1) -> Calibrations:
    """All of them, at random."""
    rng = np.random.default_rng(seed)
    return Calibrations(
        bias=rng.normal(0, 5, SHAPE).astype(np.float32),
        dark=rng.uniform(0, 1, SHAPE).astype(np.float32),
        flat=rng.normal(1, 0.1, SHAPE).astype(np.float32),
        mask=rng.choice([0, 0, 0, 1, 513], SHAPE).astype(np.int32),
        gain=rng.uniform(1.2, 2.0, 4),
        read_noise_e=rng.uniform(4, 12, 4),
        linearity=rng.normal(0, 1, (4, 2)) * [1e-7, 1e-13],
        crosstalk=rng.normal(0, 1e-3, (4, 4)) * (1 - np.eye(4)),
        saturation=rng.uniform(5_000, 9_000, 4),
    )


def only(known: Calibrations, *names: str) -> Calibrations:
    return Calibrations(**{name: getattr(known, name) for name in names})


def removed_in_numpy(raw: list[np.ndarray], known: Calibrations) -> tuple[np.ndarray, ...]:
    """The definition, amplifier by amplifier in double precision."""
    image, variance = np.full(SHAPE, np.nan), np.full(SHAPE, np.nan)
    mask, light, noise = np.full(SHAPE, int(Plane.NO_DATA)), [], []
    turns = [(slice(None, None, 1 - 2 * a.flip_y), slice(None, None, 1 - 2 * a.flip_x)) for a in AMPLIFIERS]
    places = [a.place.slices for a in AMPLIFIERS]
    bias, dark = (np.zeros(SHAPE) if each is None else each.astype(float) for each in (known.bias, known.dark))
    flat = np.ones(SHAPE) if known.flat is None else np.where(known.flat > 0, known.flat, np.nan).astype(float)
    for segment, a, turn, place in zip(raw, AMPLIFIERS, turns, places, strict=True):
        assert a.serial_overscan is not None
        found = measure_overscan(segment[a.serial_overscan.slices])
        light.append(segment[a.image.slices] - found.level - bias[place][turn])
        noise.append(found.noise)
    ghosts = np.einsum(
        "va,ayx->vyx", np.zeros((4, 4)) if known.crosstalk is None else known.crosstalk, np.nan_to_num(light)
    )
    for i, (a, turn, place) in enumerate(zip(AMPLIFIERS, turns, places, strict=True)):
        gain = 1.5 if known.gain is None else known.gain[i]
        c2, c3 = (0, 0) if known.linearity is None else known.linearity[i]
        signal = (light[i] - ghosts[i])[turn]
        signal = signal + c2 * signal**2 + c3 * signal**3
        read_noise = noise[i] if known.read_noise_e is None else known.read_noise_e[i] / gain
        scale = 1.0 if known.gain is None else gain
        image[place] = (signal - DARK_S * dark[place]) / flat[place] * scale
        variance[place] = (read_noise**2 + np.maximum(signal, 0) / gain) * (scale / flat[place]) ** 2
        full = 60_000 if known.saturation is None else known.saturation[i]
        mask[place] = np.where(raw[i][a.image.slices][turn] >= full, int(Plane.SAT), 0)
        mask[place] |= 0 if known.mask is None else known.mask[place]
    missing = ~np.isfinite(image)
    return np.where(missing, np.nan, image), np.where(missing, np.nan, variance), mask | missing * int(Plane.NO_DATA)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["int32", "uint16", "int16", "float32"]),
    st.sets(st.sampled_from(KNOWN)),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_the_kernels_agree_with_numpy_whatever_is_known(seed, dtype, names, broken):
    raw, known = segments(seed, dtype), only(calibrations(seed), *names)
    if broken and dtype == "float32":
        raw[seed % 4][seed % HEIGHT, 3 + seed % WIDTH] = np.nan
    if broken and known.flat is not None:
        known.flat[seed % SHAPE[0], seed % SHAPE[1]] = 0.0
    found = remove_signature(raw, DETECTOR, known, DARK_S)
    image, variance, mask = removed_in_numpy(raw, known)
    np.testing.assert_array_equal(found.mask, mask)
    np.testing.assert_allclose(found.image, image, rtol=2e-6, atol=5e-3)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-5, atol=5e-3)


def test_images_are_of_the_types_in_which_products_are_kept():
    found = remove_signature(segments(), DETECTOR, calibrations(), DARK_S)
    assert [each.dtype.name for each in (found.image, found.variance, found.mask)] == ["float32", "float32", "int32"]


def test_nothing_that_is_given_is_changed():
    raw, known = segments(), calibrations()
    remove_signature(raw, DETECTOR, known, DARK_S)
    for given_now, given_then in zip(raw, segments(), strict=True):
        np.testing.assert_array_equal(given_now, given_then)
    for name in KNOWN:
        np.testing.assert_array_equal(getattr(known, name), getattr(calibrations(), name))


def test_a_pixel_at_saturation_is_saturated_and_one_below_is_not():
    raw = segments()
    raw[0][0, 3], raw[0][0, 4] = 60_000, 59_999
    mask = remove_signature(raw, DETECTOR, Calibrations()).mask
    assert mask[0, 0] == Plane.SAT
    assert mask[0, 1] == 0


def test_where_no_amplifier_reads_there_is_no_data():
    found = remove_signature(segments(), DETECTOR, Calibrations())
    between = np.s_[:, WIDTH : WIDTH + 2]
    assert np.isnan(found.image[between]).all()
    assert np.isnan(found.variance[between]).all()
    assert (found.mask[between] == Plane.NO_DATA).all()
    assert flagged(found.mask, Plane.NO_DATA).sum() == 2 * SHAPE[0]


@pytest.mark.parametrize(
    ("name", "value"), [("bias", np.nan), ("dark", np.inf), ("flat", np.nan), ("flat", 0.0), ("flat", -1.0)]
)
def test_a_pixel_that_a_master_does_not_know_has_no_data(name, value):
    known = calibrations()
    getattr(known, name)[5, 5] = value
    found = remove_signature(segments(), DETECTOR, known, DARK_S)
    assert np.isnan(found.image[5, 5])
    assert np.isnan(found.variance[5, 5])
    assert found.mask[5, 5] & Plane.NO_DATA
    assert np.isfinite(found.image[5, 4])


def test_a_missing_value_of_one_amplifier_leaves_the_others_as_they_are():
    raw = segments(dtype="float32")
    raw[0][2, 5] = np.nan
    assert flagged(remove_signature(raw, DETECTOR, calibrations()).mask, Plane.NO_DATA).sum() == 2 * SHAPE[0] + 1


def test_what_the_mask_marks_stays_marked():
    mask = np.zeros(SHAPE, dtype=np.int32)
    mask[20, 3] = Plane.BAD | Plane.HOT
    assert remove_signature(segments(), DETECTOR, Calibrations(mask=mask)).mask[20, 3] == Plane.BAD | Plane.HOT


def test_a_bright_pixel_leaves_no_ghost_in_the_amplifiers_that_are_read_with_it():
    crosstalk = np.zeros((4, 4))
    crosstalk[3, 0] = 2e-3
    raw = segments(signal=0.0)
    raw[0][4, 3 + 6] += 50_000
    raw[3][4, 3 + 6] += 100
    at = SHAPE[0] - 1 - 4, SHAPE[1] - 1 - 6  # the last amplifier is read from the opposite corner
    assert remove_signature(raw, DETECTOR, Calibrations()).image[at] == pytest.approx(100, abs=20)
    assert remove_signature(raw, DETECTOR, Calibrations(crosstalk=crosstalk)).image[at] == pytest.approx(0, abs=20)


def test_without_a_gain_the_frame_stays_in_adu():
    found = remove_signature(segments(), DETECTOR, Calibrations())
    expected = segments()[0][0, 3] - found.overscan_levels[0]
    assert found.image[0, 0] == pytest.approx(expected, abs=0.01)
    assert found.variance[0, 0] == pytest.approx(found.overscan_noise[0] ** 2 + expected / 1.5, rel=1e-4)


def test_without_any_gain_the_variance_is_that_of_read_noise():
    unknown = replace(DETECTOR, amplifiers=tuple(replace(a, gain=np.nan, saturation=np.nan) for a in AMPLIFIERS))
    found = remove_signature(segments(), unknown, Calibrations())
    assert found.variance[0, 0] == pytest.approx(found.overscan_noise[0] ** 2)
    assert not flagged(found.mask, Plane.SAT).any()


def test_without_overscan_the_level_stays_in_and_noise_is_the_nominal_one():
    blind = replace(DETECTOR, amplifiers=tuple(replace(a, serial_overscan=None) for a in AMPLIFIERS))
    found = remove_signature(segments(), blind, Calibrations())
    assert found.image[0, 0] == segments()[0][0, 3]
    assert (found.overscan_levels == 0).all()
    assert np.isnan(found.overscan_noise).all()
    assert found.variance[0, 0] == pytest.approx((6.0 / 1.5) ** 2 + found.image[0, 0] / 1.5, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        (
            "bias",
            np.zeros((24, 20), np.float32),
            r"The bias is not of R22_S11: its shape is \(24, 20\), expected \(24, 22\)",
        ),
        ("dark", np.zeros(SHAPE[::-1], np.float32), r"The dark is not of R22_S11"),
        ("flat", np.zeros(3, np.float32), r"The flat is not of R22_S11"),
        ("mask", np.zeros((1, 1), np.int32), r"The mask is not of R22_S11"),
        ("gain", np.ones(3), r"The gain is not of R22_S11: its shape is \(3,\), expected \(4,\)"),
        ("read_noise_e", np.ones(5), r"The read_noise_e is not of R22_S11"),
        ("saturation", np.ones((4, 1)), r"The saturation is not of R22_S11"),
        ("linearity", np.zeros(4), r"The linearity is not of R22_S11: its shape is \(4,\), expected \(4, 2\)"),
        ("crosstalk", np.zeros((4, 3)), r"The crosstalk is not of R22_S11"),
    ],
)
def test_a_calibration_of_another_detector_is_refused(name, wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        remove_signature(segments(), DETECTOR, Calibrations(**{name: wrong}))


def test_a_missing_segment_is_refused():
    with pytest.raises(ValueError, match="R22_S11 has 4 amplifiers: 3 segments came"):
        remove_signature(segments()[:3], DETECTOR, Calibrations())


def test_a_segment_of_another_shape_is_refused():
    raw = segments()
    raw[2] = raw[2][:, 1:]
    with pytest.raises(ValueError, match=r"The segment Segment2 is not of R22_S11: its shape is \(14, 20\)"):
        remove_signature(raw, DETECTOR, Calibrations())


def test_crosstalk_between_amplifiers_of_unequal_shape_is_refused():
    short = replace(AMPLIFIERS[0], image=Box(3, 0, 3 + WIDTH, HEIGHT - 1), place=Box(0, 0, WIDTH, HEIGHT - 1))
    uneven = replace(DETECTOR, amplifiers=(short, *AMPLIFIERS[1:]))
    with pytest.raises(ValueError, match="Crosstalk needs amplifiers of one shape"):
        remove_signature(segments(), uneven, Calibrations(crosstalk=np.zeros((4, 4))))


@cache
def truth() -> DetectorTruth:
    return truth_for(camera.load("minicam"), 4, seed=1, day_obs=20261122)


def true_calibrations() -> Calibrations:
    """What perfect masters of the simulated detector would say."""
    it = truth()
    bias, gain = (np.zeros(it.response.shape, dtype=np.float32) for _ in range(2))
    for shape, each, a in zip(it.bias_shape_adu, it.gain, it.detector.amplifiers, strict=True):
        assert a.serial_overscan is not None
        light = shape[a.image.slices] - shape[a.serial_overscan.slices][:, 3:].mean()
        bias[a.place.slices] = light[:: 1 - 2 * a.flip_y, :: 1 - 2 * a.flip_x]
        gain[a.place.slices] = each
    lost = it.nonlinearity / 1e5 * it.gain  # of an ADU, by each ADU
    return Calibrations(
        bias=bias,
        dark=it.dark_map_e_s / gain,
        flat=it.response,
        gain=it.gain,
        read_noise_e=np.hypot(it.read_noise_e, it.gain / np.sqrt(12)),
        linearity=np.column_stack([lost, 2 * lost**2]),
        crosstalk=it.crosstalk * it.gain / it.gain[:, None],
    )


@cache
def exposed(light_e: float, dark_s: float) -> Processed:
    light = np.full((1, 1), light_e, dtype=np.float32)
    raw = expose(truth(), light, dark_s, np.random.default_rng(int(light_e)))
    return remove_signature(list(raw), truth().detector, true_calibrations(), dark_s)


def pulls(found: Processed, expected_e: float) -> np.ndarray:
    return np.asarray((found.image - expected_e) / np.sqrt(found.variance))


@pytest.mark.parametrize("light_e", [3_000.0, 30_000.0, 80_000.0])
def test_a_flat_scene_comes_back_in_electrons_within_its_noise(light_e):
    pull = pulls(exposed(light_e, 16.0), light_e)
    assert np.median(pull) == pytest.approx(0, abs=0.02)
    assert 1.4826 * np.median(np.abs(pull)) == pytest.approx(1, abs=0.01)
    assert np.mean(np.abs(pull) > 5) < 3e-4  # cosmic rays, and what is late at the edges of dead pixels


def test_every_amplifier_comes_back_to_a_tenth_of_a_thousandth():
    found = exposed(30_000.0, 16.0)
    levels = np.array([np.median(found.image[a.place.slices]) for a in truth().detector.amplifiers])
    assert levels == pytest.approx(30_000, rel=1e-4)


def test_a_dark_comes_back_as_nothing_but_noise():
    found = exposed(0.0, 180.0)
    noise = true_calibrations().read_noise_e
    assert noise is not None
    for a, e in zip(truth().detector.amplifiers, noise, strict=True):
        image = found.image[a.place.slices]
        assert np.median(image) == pytest.approx(0, abs=0.05 * e)
        assert 1.4826 * np.median(np.abs(image)) == pytest.approx(
            np.sqrt(e**2 + 180 * truth().dark_e_s[a.index]), rel=0.03
        )


def test_what_is_too_bright_for_the_pixels_is_marked_as_saturated():
    found = exposed(300_000.0, 16.0)
    assert flagged(found.mask, Plane.SAT).mean() > 0.99
    assert not flagged(exposed(30_000.0, 16.0).mask, Plane.SAT).any()
