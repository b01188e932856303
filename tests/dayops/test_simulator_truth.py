"""The truth of a simulated detector: repeatable, drifting, and spread as LSSTCam's amplifiers are."""

import numpy as np
import pytest

from dayops.camera import load
from dayops.simulator import spread
from dayops.simulator.seeds import generator
from dayops.simulator.truth import DetectorTruth, truth_for
from tests.dayops.simulated import DAY, tiny_camera

PER_AMPLIFIER = ("gain", "read_noise_e", "bias_adu", "full_well_e", "nonlinearity", "serial_cti", "crosstalk")
MAPS = ("dark_map_e_s", "response", "bias_shape_adu")


def minicam_truth(detector: int = 4, seed: int = 1, day: int = DAY) -> DetectorTruth:
    return truth_for(load("minicam"), detector, seed, day)


@pytest.mark.parametrize("name", PER_AMPLIFIER + MAPS)
def test_the_same_seed_gives_the_same_truth(name):
    first, again = (truth_for(tiny_camera(), 0, 7, DAY) for _ in range(2))
    assert np.array_equal(getattr(first, name), getattr(again, name))


@pytest.mark.parametrize("name", PER_AMPLIFIER + MAPS)
def test_another_detector_and_another_seed_give_another_truth(name):
    truth = truth_for(tiny_camera(), 0, 7, DAY)
    for other in (truth_for(tiny_camera(), 1, 7, DAY), truth_for(tiny_camera(), 0, 8, DAY)):
        assert not np.array_equal(getattr(truth, name), getattr(other, name))


def test_asking_in_another_order_changes_nothing():
    assert generator("frame", 1, 2).random() != generator("frame", 2, 1).random()
    assert generator("frame", 1).random() == generator("frame", 1).random()
    assert generator("frame", 1).random() != generator("truth", 1).random()


def test_bias_levels_drift_by_less_than_four_adu_from_day_to_day():
    today, tomorrow = minicam_truth(), minicam_truth(day=20261123)
    change = np.abs(today.bias_adu - tomorrow.bias_adu)
    assert (change > 0).all()
    assert change.max() < 4.0


def test_gains_drift_by_less_than_two_thousandths():
    today, later = minicam_truth(), minicam_truth(day=20270105)
    assert 0 < np.abs(today.gain / later.gain - 1).max() < 2e-3


def test_what_does_not_drift_is_shared_between_days():
    assert minicam_truth().response is minicam_truth(day=20261123).response


def test_gain_and_read_noise_have_lsstcams_median_and_tails():
    rng = np.random.default_rng(1)
    gain = 1.508 * spread.GAIN_RATIO.draw(rng, 20_000)
    noise = 5.68 * spread.READ_NOISE_RATIO.draw(rng, 20_000)
    assert np.percentile(gain, [5, 50, 95]) == pytest.approx([1.388, 1.508, 1.733], rel=0.01)
    assert np.percentile(noise, [5, 50, 95]) == pytest.approx([5.19, 5.68, 10.4], rel=0.05)


def test_no_amplifier_disturbs_itself_and_none_exceeds_lssts_crosstalk_limit():
    crosstalk = minicam_truth().crosstalk
    assert np.diag(crosstalk).tolist() == [0.0] * 16
    assert 0 < crosstalk.max() < 0.0019


def test_the_bias_shape_is_measured_from_the_overscan_level():
    truth = minicam_truth()
    for shape, amplifier in zip(truth.bias_shape_adu, truth.detector.amplifiers, strict=True):
        assert amplifier.serial_overscan is not None
        assert shape[amplifier.serial_overscan.slices].mean() == pytest.approx(0.0, abs=1e-4)


def test_defects_are_few_and_where_the_maps_say():
    truth = minicam_truth()
    assert 100 < truth.defects.hot.sum() < 350
    assert 40 < truth.defects.dead.sum() < 200
    assert truth.dark_map_e_s[truth.defects.hot].min() > 5.0
    assert truth.response[truth.defects.dead].max() < 0.4


def test_bad_columns_stay_within_one_segment():
    detectors = load("minicam").detectors
    for truth in (minicam_truth(detector.id) for detector in detectors):
        for box in truth.defects.bright_columns + truth.defects.dark_columns:
            (place,) = (
                a.place
                for a in truth.detector.amplifiers
                if a.place.x0 <= box.x0 < a.place.x1 and a.place.y0 <= box.y0 < a.place.y1
            )
            assert box.width == 1
            assert box.y1 <= place.y1


def test_an_unknown_detector_is_refused():
    with pytest.raises(KeyError):
        truth_for(tiny_camera(), 99, 1, DAY)
