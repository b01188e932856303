"""Metrics, values and limits in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.metric_words import (
    axis_title,
    limits_in_words,
    stored_axis_title,
    stored_title,
    stored_unit,
    tidy,
    title,
    unit,
)
from calib.science.judgement import Limits
from calib.science.metrics import MetricDefinition


def metric(name: str, of: str) -> MetricDefinition:
    return MetricDefinition(name, of, "")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(), "no limits in force"),
        (Limits(warn_high=0.0, error_high=0.25), "WARN above 0, ERROR above 0.25"),
        (Limits(warn_high=1e-7), "WARN above 1.000×10⁻⁷"),
        (Limits(500.0, 2000.0), "WARN below 2\u202f000, ERROR below 500"),
    ],
)
def test_limits_are_said_in_words(limits: Limits, words: str):
    assert limits_in_words(limits) == words


def test_limits_carry_the_unit_of_their_metric():
    assert limits_in_words(Limits(2.0, 3.0, 13.0, 18.0), "e⁻") == "WARN outside 3 … 13 e⁻, ERROR outside 2 … 18 e⁻"


def test_a_stored_metric_that_is_not_known_any_more_stands_as_it_is():
    assert (stored_title("read_noise_e"), stored_unit("read_noise_e")) == ("read noise", "e⁻")
    assert (stored_title("old_metric"), stored_unit("old_metric")) == ("old_metric", "")


def test_a_stored_check_is_said_by_its_title_and_unit():
    assert stored_axis_title("light_in_bias") == "Light in a bias / ADU"
    assert stored_axis_title("read_noise_e") == "read noise / e⁻"
    assert stored_axis_title("old_metric") == "old_metric"


def test_a_rate_is_said_without_two_strokes():
    assert axis_title(metric("cosmic_ray_rate", "/cm²/min")) == "cosmic ray rate per cm²/min"


@pytest.mark.parametrize(
    ("name", "of", "words"),
    [
        ("read_noise_e", "e⁻", ("read noise", "e⁻")),
        ("read_noise_adu", "ADU", ("read noise", "ADU")),
        ("hot_pixels", "pixels", ("hot pixels", "")),
        ("dead_fraction", "", ("dead fraction", "")),
    ],
)
def test_a_metric_has_a_title_and_a_unit_that_do_not_say_the_same(name: str, of: str, words: tuple[str, str]):
    assert (title(metric(name, of)), unit(metric(name, of))) == words


@given(st.floats())
def test_tidying_never_changes_a_value(value: float):
    assert tidy(value) == value or value != value


def test_whole_numbers_lose_their_decimals():
    assert repr(tidy(13.0)) == "13"
    assert repr(tidy(0.5)) == "0.5"
