"""What a header says, against its other cards and the pixels."""

from typing import Any

import numpy as np
import pytest

from calib.science.amplifier import DetectorStatistics
from calib.science.header_checks import contradictions, dark_time_s, header_values, temperature_offset

NAMES = ("C10", "C11")
GOOD = {"EXPTIME": 15.0, "DATE-BEG": "2026-11-22T16:20:00.000", "DATE-END": "2026-11-22T16:20:15.000"}


def statistics(level: float = 25_000.0, mean: float = 100.0) -> DetectorStatistics:
    values = np.array([[level, level], [mean, mean]])
    return DetectorStatistics(("overscan_level", "mean"), NAMES, values, {})


def said(level: Any = 25_000.0, average: Any = 25_100.0) -> list[dict[str, Any]]:
    return [{"AVGBIAS": level, "AVERAGE": average, "STDVBIAS": 4.0}] * 2


def test_a_true_header_contradicts_nothing() -> None:
    assert contradictions(GOOD, said(), statistics()) == []


def test_a_header_that_says_little_contradicts_nothing() -> None:
    assert contradictions({}, [], statistics()) == []


@pytest.mark.parametrize("seconds", [30.0, 7.0])
def test_another_exposure_time_than_the_dates_is_told_with_both(seconds: float) -> None:
    (sentence,) = contradictions(GOOD | {"EXPTIME": seconds}, [], statistics())
    assert sentence == f"EXPTIME says {seconds:g} s, but DATE-BEG to DATE-END are 15 s."


def test_dates_that_count_the_readout_are_no_contradiction() -> None:
    """LSST's ComCam: 30 s of exposure, 33.05 s between the dates."""
    real = {"EXPTIME": 30.0, "DARKTIME": 33.0534, "DATE-BEG": "2024-04-05T10:11:33.270",
            "DATE-END": "2024-04-05T10:12:06.323"}  # fmt: skip
    assert contradictions(real, [], statistics()) == []


def test_a_bias_level_that_the_pixels_do_not_have_is_told_with_the_first_amplifier() -> None:
    (sentence,) = contradictions(GOOD, said(level=26_000.0), statistics())
    assert "AVGBIAS differs from the pixels in 2 of 2 amplifiers" in sentence
    assert "C10: 26000.0 ADU said, 25000.0 ADU found" in sentence


def test_zeroed_pixels_contradict_both_means() -> None:
    assert len(contradictions(GOOD, said(), statistics(level=0.0, mean=0.0))) == 2


@pytest.mark.parametrize("nonsense", ["n/a", None, True, [1], {"a": 1}])
def test_a_card_that_is_no_number_says_nothing(nonsense: Any) -> None:
    header = GOOD | {"EXPTIME": nonsense, "CCDTEMP": nonsense, "DARKTIME": nonsense}
    assert contradictions(header, said(nonsense, nonsense), statistics()) == []
    assert np.isnan(temperature_offset(header | {"TEMP_SET": -100.0}))
    assert dark_time_s(header, 15.0) == 15.0


@pytest.mark.parametrize("date", ["", "yesterday", None, 12])
def test_a_date_that_is_none_says_nothing(date: Any) -> None:
    assert contradictions(GOOD | {"EXPTIME": 99.0, "DATE-END": date}, [], statistics()) == []


def test_header_values_stand_in_the_order_of_amplifiers_and_lack_what_is_not_said() -> None:
    found = header_values([{"AVGBIAS": 25_604, "STDVBIAS": 2.0}], 2)
    np.testing.assert_equal(found["header_bias_level"], [25_604.0, np.nan])
    np.testing.assert_equal(found["header_bias_noise"], [2.0, np.nan])


def test_dark_time_is_what_the_header_says_or_the_exposure_time() -> None:
    assert dark_time_s({"DARKTIME": 16.0}, 15.0) == 16.0
    assert dark_time_s({"DARKTIME": 0.0}, 15.0) == dark_time_s({}, 15.0) == 15.0


def test_a_warm_sensor_is_told_in_degrees_above_the_wanted() -> None:
    assert temperature_offset({"CCDTEMP": -80.0, "TEMP_SET": -100.0}) == 20.0
