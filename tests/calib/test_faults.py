"""Healthy simulated frames are OK; a fault put into one is found at its amplifier, with the limit it breaks."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from calib import services
from calib.exposure_judgement import judge_exposure
from calib.models import Assessment, Finding, Level
from calib.science.amplifier import DetectorStatistics, measure_detector
from dayops import camera
from dayops.day_plan import Plan
from dayops.models import Alarm, RawFrame
from dayops.simulator.pixels import expose
from dayops.simulator.scenes import scene_for
from dayops.simulator.seeds import generator
from dayops.simulator.truth import truth_for
from tests.calib.exposures import DAY, archived, exposure

pytestmark = pytest.mark.django_db

MINICAM = camera.load("minicam")
Raw = NDArray[Any]
HURT = 5  # the amplifier that the faults hurt
BIAS, DARK, FLAT, PTC = ("BIAS", 0.0), ("DARK", 180.0), ("FLAT", 15.0), ("PTC", 0.25)


@cache
def taken(image_type: str, exposure_s: float, band: str = "r", detector: int = 4, seed: int = 1) -> Raw:
    truth = truth_for(MINICAM, detector, seed, DAY)
    light_e = scene_for(image_type, band).electrons(MINICAM, truth.detector, exposure_s)
    return expose(truth, light_e, exposure_s, generator("fault", image_type, band, detector, seed))


def judged(raw: Raw, image_type: str, exposure_s: float, detector: int = 4, seq_num: int = 1) -> Assessment:
    frame = archived(exposure(seq_num, image_type=image_type, exposure_s=exposure_s), detector)
    return recorded(frame, measured(raw, image_type, exposure_s, detector))


def recorded(frame: RawFrame, found: DetectorStatistics) -> Assessment:
    detector = MINICAM.by_id[frame.detector]
    return services.record_assessment(frame, detector, {name: found.of(name) for name in found.names})


def measured(raw: Raw, image_type: str, exposure_s: float, detector: int) -> DetectorStatistics:
    return measure_detector(list(raw), MINICAM.by_id[detector], exposure_s, image_type)


def image(raw: Raw) -> Raw:
    """The light of the hurt amplifier, to be changed in place."""
    amplifier = MINICAM.by_id[4].amplifiers[HURT]
    light: Raw = raw[HURT][amplifier.image.slices]
    return light


def dead(raw: Raw) -> None:
    raw[HURT] = taken(*BIAS)[HURT]


def without_sensor(raw: Raw) -> None:
    raw[HURT] = 0


def thrice_the_noise(raw: Raw) -> None:
    level = np.median(raw[HURT])
    raw[HURT] = level + 3 * (raw[HURT] - level)


def glowing_by_50_adu(raw: Raw) -> None:
    image(raw)[:] += 50


def glowing_by_10_adu(raw: Raw) -> None:
    image(raw)[:] += 10


def saturated(raw: Raw) -> None:
    image(raw)[:64] = 136_000


def too_bright(raw: Raw) -> None:
    image(raw)[:] *= 3


def half_dead(raw: Raw) -> None:
    image(raw)[:256] = int(np.median(taken(*BIAS)[HURT]))


def showered(raw: Raw) -> None:
    image(raw)[:20] += 1_500


def striped(raw: Raw) -> None:
    image(raw)[::2] += 40
    image(raw)[1::2] -= 40


def not_a_number(raw: Raw) -> None:
    image(raw)[0, :7] = np.nan


FAULTS = [
    (dead, FLAT, "median", Level.ERROR, 500.0),
    (dead, PTC, "median", Level.ERROR, 50.0),
    (without_sensor, BIAS, "overscan_level", Level.ERROR, 1000.0),
    (without_sensor, BIAS, "read_noise_e", Level.ERROR, 2.0),
    (thrice_the_noise, BIAS, "read_noise_e", Level.WARN, 14.0),
    (glowing_by_50_adu, BIAS, "median", Level.ERROR, 20.0),
    (glowing_by_10_adu, BIAS, "median", Level.WARN, 5.0),
    (glowing_by_50_adu, DARK, "median", Level.WARN, 30.0),
    (saturated, FLAT, "saturated_fraction", Level.ERROR, 0.05),
    (saturated, BIAS, "saturated_fraction", Level.ERROR, 0.001),
    (too_bright, FLAT, "median", Level.ERROR, 80_000.0),
    (half_dead, FLAT, "dead_fraction", Level.ERROR, 0.10),
    (showered, BIAS, "hot_pixels", Level.ERROR, 500.0),
    (striped, BIAS, "robust_sigma", Level.ERROR, 20.0),
    (not_a_number, FLAT, "invalid_fraction", Level.WARN, 0.0),
]


@pytest.mark.parametrize(("fault", "taken_as", "metric", "level", "limit"), FAULTS)
def test_a_fault_is_found_where_it_is(
    fault: Callable[[Raw], None], taken_as: tuple[str, float], metric: str, level: Level, limit: float
) -> None:
    raw = taken(*taken_as).astype(np.float32 if fault is not_a_number else np.int32)
    fault(raw)
    assessment = judged(raw, *taken_as)
    findings = Finding.objects.filter(metric=metric)
    assert [(found.amplifier, found.level, found.limit) for found in findings] == [
        (MINICAM.by_id[4].amplifiers[HURT].name, level, limit)
    ]
    assert assessment.amplifiers_warn + assessment.amplifiers_error == 1
    assert assessment.level >= level


def test_a_whole_frame_without_numbers_is_an_error_of_every_amplifier() -> None:
    assert judged(np.full((16, 528, 164), np.nan, dtype=np.float32), *FLAT).amplifiers_error == 16


def test_a_flat_without_a_lamp_is_an_error_of_every_amplifier() -> None:
    assert judged(taken(*BIAS), *FLAT).amplifiers_error == 16


def test_what_could_not_be_measured_is_told_in_words() -> None:
    raw = taken(*PTC).copy()
    dead(raw)
    without_limits = exposure(image_type="SCIENCE", exposure_s=1.0)
    recorded(archived(without_limits, 4), measured(raw, *PTC, 4))
    judge_exposure(without_limits)
    name = MINICAM.by_id[4].amplifiers[HURT].name
    assert f"{name} could not be measured" in Alarm.objects.get(name="dead_fraction").sentence


@pytest.mark.parametrize(("seed", "detector"), [(2, 0), (3, 8), (4, 8)])
def test_no_frame_of_a_healthy_day_is_found_wanting(seed: int, detector: int) -> None:
    kinds = {(one.image_type, one.exposure_s, one.filter or "r") for one in Plan.load().exposures(DAY)}
    for seq_num, (image_type, exposure_s, band) in enumerate(sorted(kinds)):
        judged(taken(image_type, exposure_s, band, detector, seed), image_type, exposure_s, detector, seq_num)
    assert not [str(found) for found in Finding.objects.all()]
