"""One metric over a focal plane: amplifier by amplifier, or one value for each detector."""

import numpy as np
import pytest

from calib.detector_rows import amplifier_rows
from calib.metric_map import MetricMap, focal_plane_of, metric_map
from calib.metric_words import caption
from calib.models import Level, Measurement
from calib.science.judgement import Limits
from calib.science.metrics import BY_NAME
from dayops.models import Exposure
from tests.calib.exposures import archived, assessed, exposure

pytestmark = pytest.mark.django_db


def measured(of: Exposure, metric: str, values: list[float], levels: list[int], detector: int = 0) -> None:
    frame = archived(of, detector)
    fields = {"exposure": of, "detector": detector, "metric": metric, "values": values, "levels": levels}
    Measurement.objects.create(frame=frame, **fields)


def map_of(of: Exposure, metric: str) -> MetricMap:
    return metric_map(of, focal_plane_of(of, []), BY_NAME[metric], Limits())


def test_a_value_of_a_whole_detector_is_spread_over_its_amplifiers():
    first = exposure()
    measured(first, "cosmic_ray_rate", [3.5], [Level.WARN], detector=4)
    spread = map_of(first, "cosmic_ray_rate")
    detector = next(each for each in spread.plane.detectors if each.id == 4)
    assert spread.of_detector(detector).tolist() == [3.5] * 16
    assert np.isfinite(spread.values).sum() == 16


def test_a_value_of_a_whole_detector_counts_once():
    first = exposure()
    measured(first, "cosmic_ray_rate", [3.5], [Level.WARN], detector=4)
    measured(first, "cosmic_ray_rate", [2.5], [Level.OK], detector=5)
    spread = map_of(first, "cosmic_ray_rate")
    assert sorted(spread.finite) == [2.5, 3.5]
    assert spread.count(Level.WARN) == 1
    words = caption(spread)
    assert "of 2 of 9 detectors" in words
    assert "most 3.500 /cm²/min (R22_S11)" in words


def test_a_detector_without_a_value_of_its_own_does_not_apply():
    first = exposure()
    measured(first, "cosmic_ray_rate", [np.nan], [Level.OK])
    assert caption(map_of(first, "cosmic_ray_rate")) == "Cosmic ray rate: no detector has a value"


def test_each_amplifier_is_listed_with_its_detectors_value():
    first = exposure()
    measured(first, "crosstalk", [1e-4], [Level.OK])
    rows = amplifier_rows(first, focal_plane_of(first, []))
    assert [row.values["crosstalk"] for row in rows] == [1e-4] * 16


def test_amplifiers_keep_their_own_values():
    first = exposure()
    assessed(archived(first, 2), read_noise_e=np.arange(16.0))
    kept = map_of(first, "read_noise_e")
    detector = next(each for each in kept.plane.detectors if each.id == 2)
    assert kept.of_detector(detector).tolist() == list(range(16))
    assert len(kept.finite) == 16
