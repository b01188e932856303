"""The fault catalogue: every fault is as strong as it says, where it says, and nowhere else."""

import hashlib
import io
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dayops.camera import Camera, load
from dayops.day_plan import Plan
from dayops.simulator.faults import FAULTS, fault_named
from dayops.simulator.frames import simulate
from dayops.simulator.pixels import ADC_MAX
from dayops.simulator.truth import truth_for
from tests.dayops.simulated import DAY, shot, tiny_camera

CAMERA, SEED = tiny_camera(), 3
EVERY = [exposure.seq_num for exposure in Plan.load().exposures(DAY)]
NAMES = [fault.name for fault in FAULTS]
ONE_AMPLIFIER = [fault.name for fault in FAULTS if fault.where.amplifiers == 1]
TOO_RARE = "cosmic-ray-shower"  # for sensors of a hundredth of a square millimetre
CHANGING = [fault.name for fault in FAULTS if fault.acts.offers == 1 and fault.name != TOO_RARE]


@cache
def content(name: str | None, seq_num: int, detector: int = 0, seed: int = SEED) -> bytes:
    """The file of one frame of a day with the fault called `name`, or of a healthy day."""
    return simulate(shot(CAMERA, seq_num), detector, seed, fault_named(name) if name else None)


def segments(file: bytes) -> NDArray[np.float64]:
    with fits.open(io.BytesIO(file)) as hdus:
        return np.stack([hdu.data for hdu in hdus[1:]]).astype(float)


def header(file: bytes) -> dict[str, Any]:
    with fits.open(io.BytesIO(file)) as hdus:
        return {name: hdus[0].header[name] for name in hdus[0].header if name not in {"CHECKSUM", "DATASUM"}}


def hit_frames(name: str, camera: Camera = CAMERA) -> Iterator[tuple[int, int]]:
    """Sequence number and detector of each frame that the fault says it hits."""
    fault = fault_named(name)
    for exposure in fault.where.exposures(DAY):
        for detector in fault.detectors(camera, SEED, DAY):
            yield exposure.seq_num, detector


def first_hit(name: str, image_type: str = "") -> tuple[int, int, int]:
    """Sequence number, detector and amplifier of the first frame that is hit (of one image type if given)."""
    fault = fault_named(name)
    seq_num = next(e.seq_num for e in fault.where.exposures(DAY) if image_type in ("", e.image_type))
    detector = fault.detectors(CAMERA, SEED, DAY)[0]
    return seq_num, detector, fault.amplifiers(CAMERA.by_id[detector], SEED, DAY)[0]


def both(name: str, image_type: str = "") -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Raw segments with and without the fault, and the index of an amplifier that it hits."""
    seq_num, detector, amplifier = first_hit(name, image_type)
    return segments(content(name, seq_num, detector)), segments(content(None, seq_num, detector)), amplifier


def test_the_catalogue_has_the_faults_of_the_requirement_under_names_of_their_own():
    assert len(set(NAMES)) == len(NAMES) >= 26
    assert all(name == name.lower() and " " not in name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_says_how_strong_it_is_why_and_what_should_catch_it(name):
    fault = fault_named(name)
    assert fault.title
    assert fault.unit
    assert fault.source
    assert fault.caught_by


def test_an_unknown_fault_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no fault 'gremlins': expected one of light-in-a-bias, .*duplicate-exposure"):
        fault_named("gremlins")


@pytest.mark.parametrize("name", NAMES)
def test_frames_that_a_fault_does_not_name_keep_their_bytes(name):
    hit = set(hit_frames(name))
    spared = [(seq_num, detector) for seq_num in EVERY for detector in (0, 1) if (seq_num, detector) not in hit]
    assert all(content(name, *frame) == content(None, *frame) for frame in spared)


@pytest.mark.parametrize("name", CHANGING)
def test_every_frame_that_a_fault_names_is_changed(name):
    changed = [content(name, *frame) != content(None, *frame) for frame in hit_frames(name)]
    assert changed
    assert all(changed)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_and_fault_give_the_same_bytes(name):
    seq_num, detector, _ = first_hit(name)
    first, again = (
        hashlib.sha256(simulate(shot(CAMERA, seq_num), detector, SEED, fault_named(name))).hexdigest() for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize("name", [name for name in ONE_AMPLIFIER if name != "gain-change"])
def test_the_other_amplifiers_of_the_detector_keep_their_pixels(name):
    faulty, healthy, amplifier = both(name)
    assert not np.array_equal(faulty[amplifier], healthy[amplifier])
    assert np.array_equal(faulty[1 - amplifier], healthy[1 - amplifier])


@given(seed=st.integers(0, 2**32), day=st.sampled_from([DAY, 20261123, 20270105]))
def test_where_a_fault_hits_depends_on_seed_and_day_alone(seed, day):
    camera = load("minicam")
    for fault in FAULTS:
        detectors = fault.detectors(camera, seed, day)
        assert detectors == fault.detectors(camera, seed, day)
        assert len(detectors) == (fault.where.detectors or 9)
        assert set(detectors) <= set(camera.by_id)


def test_other_seeds_hit_other_detectors():
    dead, camera = fault_named("dead-amplifier"), load("minicam")
    assert len({dead.detectors(camera, seed, DAY) for seed in range(50)}) == 9


def fallen_in_e(added: NDArray[np.float64]) -> float:
    """Electrons in a perfect pixel, from what was added to the first detector's first amplifier."""
    truth = truth_for(CAMERA, 0, SEED, DAY)
    return float(added[0, :32, 2:26].mean() * truth.gain[0] / truth.response[:, :24].mean())


@pytest.mark.parametrize("name", ["light-in-a-bias", "light-in-a-dark", "shutter-stuck-open"])
def test_stray_light_is_as_bright_as_stated(name):
    fault = fault_named(name)
    seconds = {"light-in-a-bias": 1.0, "light-in-a-dark": 61.0, "shutter-stuck-open": 1.0}[name]
    seq_num = 5 if name == "light-in-a-dark" else 1
    added = segments(content(name, seq_num)) - segments(content(None, seq_num))
    assert fallen_in_e(added) == pytest.approx(fault.amplitude * seconds, rel=0.05)


def test_an_open_shutter_lights_the_darks_too():
    added = segments(content("shutter-stuck-open", 4)) - segments(content(None, 4))
    assert fallen_in_e(added) == pytest.approx(50 * 16, rel=0.02)


@pytest.mark.parametrize("name", ["shutter-stuck-closed", "low-flat", "wrong-filter"])
def test_the_light_of_a_flat_is_the_stated_part_of_the_usual(name):
    faulty, healthy, _ = both(name, "FLAT")
    level = segments(content(None, 1))[0, :32, 2:26].mean()
    ratio = (faulty[0, :32, 2:26].mean() - level) / (healthy[0, :32, 2:26].mean() - level)
    assert ratio == pytest.approx(fault_named(name).amplitude, abs=0.005)


def test_a_saturated_flat_is_saturated_in_every_filter():
    for seq_num in (7, 10, 13, 16, 19):
        raw = segments(content("saturated-flat", seq_num))[:, :32, 2:26]
        assert (raw >= 135_000).mean() > 0.99


def test_a_tilted_screen_brightens_the_side_of_the_focal_plane():
    camera = load("minicam")
    fault, mid = fault_named("flat-screen-gradient"), []
    for name in ("R22_S01", "R22_S21"):
        detector = camera.by_name[name].id
        healthy, faulty = (segments(simulate(shot(camera, 7), detector, 1, which)) for which in (None, fault))
        level = segments(simulate(shot(camera, 1), detector, 1))[:, :512, 4:132].mean()
        mid.append((faulty[:, :512, 4:132].mean() - level) / (healthy[:, :512, 4:132].mean() - level))
    of_radius = 10.75 / (10.75 * np.sqrt(2) + 10.24 / np.sqrt(2))
    assert mid == pytest.approx([1 - 0.1 * of_radius, 1 + 0.1 * of_radius], abs=0.002)


def test_a_shower_is_twenty_times_the_usual_rate():
    camera, fault = load("minicam"), fault_named("cosmic-ray-shower")
    (detector,) = fault.detectors(camera, SEED, DAY)
    added = [segments(simulate(shot(camera, 5), detector, SEED, which)) for which in (fault, None)]
    lit = (added[0] - added[1])[:, :512, 4:132] > 30  # ADU, of the tracks' 1200 electrons a pixel
    assert lit.sum() / 13 == pytest.approx(19 * 4.0 * 1.048576, rel=0.3)


def test_a_dead_amplifier_has_one_number_in_every_pixel():
    faulty, _, amplifier = both("dead-amplifier")
    assert np.unique(faulty[amplifier]) == [100.0]


@pytest.mark.parametrize("name", ["too-quiet-amplifier", "noisy-amplifier"])
def test_the_read_noise_is_the_stated_one(name):
    seq_num, detector, amplifier = first_hit(name)
    truth = truth_for(CAMERA, detector, SEED, DAY)
    noise = segments(content(name, seq_num, detector)) - truth.bias_shape_adu
    measured_e = np.sqrt(noise[amplifier].var() - 1 / 12) * truth.gain[amplifier]
    assert measured_e == pytest.approx(fault_named(name).amplitude, rel=0.06)


def test_swapped_amplifiers_hold_each_other_s_pixels():
    faulty, healthy, _ = both("swapped-amplifiers")
    assert np.array_equal(faulty, healthy[::-1])


def test_a_level_jumps_from_the_second_exposure_on():
    assert first_hit("bias-jump")[0] == 2
    faulty, healthy, amplifier = both("bias-jump")
    assert (faulty - healthy)[amplifier].mean() == pytest.approx(25.0, abs=0.01)


def test_a_level_shifts_at_the_middle_row():
    faulty, healthy, amplifier = both("bias-shift")
    assert np.unique((faulty - healthy)[amplifier][:18]).tolist() == [0.0]
    assert np.unique((faulty - healthy)[amplifier][18:]).tolist() == [10.0]


def test_a_slope_reaches_its_amplitude_at_the_last_row():
    faulty, healthy, amplifier = both("bias-slope")
    rows = (faulty - healthy)[amplifier].mean(axis=1)
    assert (rows[0], rows[-1]) == (0.0, 20.0)
    assert np.polyfit(np.arange(36), rows, 1)[0] == pytest.approx(20 / 35, rel=0.02)


def test_levels_settle_to_a_third_from_bias_to_bias():
    added = [segments(content("settling", n)) - segments(content(None, n)) for n in (1, 2, 3)]
    assert added[0][0, 0, 0] == 40.0
    assert [one[:, 0].mean() for one in added] == pytest.approx([40.0, 14.7, 5.4], abs=0.5)


def test_a_warm_sensor_has_ten_times_the_dark_current_and_says_its_temperature():
    _, detector, _ = first_hit("warm-ccd")
    truth = truth_for(CAMERA, detector, SEED, DAY)
    added = segments(content("warm-ccd", 6, detector)) - segments(content(None, 6, detector))
    grown_e = np.median(added[:, :32, 2:26], axis=(1, 2)) * truth.gain
    assert grown_e == pytest.approx(truth.dark_e_s * 181 * (2 ** (20 / 6) - 1), rel=0.2)
    warm, cold = (header(content(name, 6, detector))["CCDTEMP"] for name in ("warm-ccd", None))
    assert warm - cold == pytest.approx(20.0)


def test_bands_are_a_sine_of_their_amplitude():
    faulty, healthy, amplifier = both("banding")
    assert (faulty - healthy)[amplifier][:32].mean(axis=1) == pytest.approx(
        5 * np.sin(2 * np.pi * np.arange(32) / 32), abs=0.5
    )


def test_a_saturated_overscan_is_at_the_end_of_the_converter_and_the_light_is_not():
    faulty, healthy, amplifier = both("saturated-overscan")
    assert set(faulty[amplifier][:32, 26:34].ravel()) == {float(ADC_MAX)}
    assert np.array_equal(faulty[:, :, 2:26], healthy[:, :, 2:26])


def test_a_changed_gain_changes_the_light_and_not_the_level():
    _, detector, amplifier = first_hit("gain-change")
    faulty, healthy = (
        segments(content(name, 7, detector))[amplifier] - segments(content(name, 1, detector))[amplifier]
        for name in ("gain-change", None)
    )
    assert healthy[:32, 2:26].mean() / faulty[:32, 2:26].mean() == pytest.approx(1.10, abs=0.002)


def test_a_stuck_bit_is_set_in_every_pixel_and_no_other_bit_is_changed():
    faulty, healthy, amplifier = both("stuck-bit", "FLAT")
    changed = faulty[amplifier].astype(int) ^ healthy[amplifier].astype(int)
    assert set(np.unique(changed)) == {0, 16}
    assert (faulty[amplifier].astype(int) & 16).all()


def test_crosstalk_is_ten_times_that_of_the_truth():
    faulty, healthy, victim = both("crosstalk-ten-times", "FLAT")
    _, detector, _ = first_hit("crosstalk-ten-times", "FLAT")
    truth = truth_for(CAMERA, detector, SEED, DAY)
    gained_e = (faulty - healthy)[victim][:32, 2:26].mean() * truth.gain[victim]
    light = healthy[1 - victim][:32, 2:26].mean() - truth.bias_adu[1 - victim]
    usual_e = truth.crosstalk[victim, 1 - victim] * light * truth.gain[1 - victim]
    assert gained_e / usual_e == pytest.approx(9.0, rel=0.03)


def test_a_wrong_exposure_time_is_the_only_card_changed_and_no_pixel_is():
    seq_num, detector, _ = first_hit("wrong-exposure-time")
    faulty, healthy = (content(name, seq_num, detector) for name in ("wrong-exposure-time", None))
    assert np.array_equal(segments(faulty), segments(healthy))
    assert header(faulty) == header(healthy) | {"EXPTIME": 30.0}


def test_a_truncated_file_is_the_first_half_of_the_healthy_one():
    seq_num, detector, _ = first_hit("truncated-file")
    whole, cut = content(None, seq_num, detector), content("truncated-file", seq_num, detector)
    assert cut == whole[: len(whole) // 2]


def test_a_duplicate_has_the_header_of_the_first_and_other_pixels():
    seq_num, detector, _ = first_hit("duplicate-exposure")
    fault = fault_named("duplicate-exposure")
    first, again = (simulate(shot(CAMERA, seq_num), detector, SEED, fault, repeat) for repeat in (0, 1))
    assert first == content(None, seq_num, detector)
    assert header(first) == header(again)
    assert not np.array_equal(segments(first), segments(again))
