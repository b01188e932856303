"""Whom a visit would confirm: each part of the chance by itself, and the order of candidates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.confirmation import ConfirmationRule, Outlook, confirmations
from mops.science.tonight import Fields, Predictions, joined

RULE = ConfirmationRule(false_per_deg2=100, measured_arcsec=0.1)


def one_field(m5: float = 24.0) -> Fields:
    return Fields(
        np.array([60_400.0]), np.zeros(1), np.zeros(1), np.full(1, 1.75), np.zeros(1, np.int8), np.array([m5])
    )


def met(*, body=0, sigma=1.0, minor=None, magnitude=21.0, inside=1.0) -> Predictions:
    numbers = {name: np.zeros(1) for name in Predictions.__slots__}
    numbers |= {"field": np.zeros(1, np.int64), "object": np.array([body]), "sigma_major": np.array([sigma])}
    numbers |= {"sigma_minor": np.array([sigma if minor is None else minor]), "magnitude": np.array([magnitude])}
    return Predictions(**numbers | {"inside": np.array([inside])})


def outlook(prediction: Predictions, nights: int = 3, m5: float = 24.0) -> Outlook:
    return Outlook(confirmations(prediction, one_field(m5), np.array([nights]), RULE).outlook[0])


def test_a_bright_well_placed_candidate_of_three_nights_is_confirmed_by_a_fourth():
    assert outlook(met()) is Outlook.CONFIRMS
    assert outlook(met(), nights=2) is Outlook.MORE_NIGHTS


def test_each_hindrance_is_named():
    assert outlook(met(sigma=300.0)) is Outlook.CONFUSED
    assert outlook(met(magnitude=25.0)) is Outlook.FAINT
    assert outlook(met(inside=0.2)) is Outlook.EDGE
    assert outlook(met(), m5=20.0) is Outlook.FAINT
    assert len({each.sentence for each in Outlook}) == len(Outlook)


def test_an_unknown_magnitude_or_depth_is_no_hindrance():
    assert outlook(met(magnitude=np.nan)) is Outlook.CONFIRMS
    assert outlook(met(), m5=np.nan) is Outlook.CONFIRMS


@given(st.floats(0, 1_000), st.floats(0, 1), st.floats(15, 30), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_the_chance_is_the_product_the_rule_states(sigma, flat, magnitude, inside):
    found = confirmations(
        met(sigma=sigma, minor=flat * sigma, magnitude=magnitude, inside=inside),
        one_field(),
        np.ones(1, np.int64),
        RULE,
    )
    area = np.pi * 9 * np.hypot(sigma, 0.1) * np.hypot(flat * sigma, 0.1) / 3_600**2
    seen = 1 / (1 + np.exp(np.clip((magnitude - 24) / 0.1, -50, 50)))
    assert found.chance[0] == pytest.approx(inside * seen * np.exp(-100 * area))
    before, after = np.diag([sigma**2, (flat * sigma) ** 2]) + 0.01 * np.eye(2), 0.01 * np.eye(2)
    bits = 0.5 * (np.linalg.slogdet(before)[1] - np.linalg.slogdet(after)[1])
    assert found.information[0] == pytest.approx(bits, abs=1e-9)
    assert found.value[0] == pytest.approx(found.chance[0] * found.information[0])


def test_those_that_a_visit_confirms_come_first_and_the_more_worth_before_the_less():
    predictions = joined([met(body=0, sigma=300), met(body=1, sigma=1), met(body=2, sigma=5), met(body=3, sigma=2)])
    found = confirmations(predictions, one_field(), np.array([3, 3, 3, 1]), RULE)
    assert found.object.tolist() == [2, 1, 3, 0]
    assert found.outlook.tolist() == [Outlook.CONFIRMS, Outlook.CONFIRMS, Outlook.MORE_NIGHTS, Outlook.CONFUSED]
    assert np.all(np.diff(found.value[:2]) < 0)


def test_the_best_of_several_visits_counts():
    predictions = joined([met(inside=0.3), met(inside=0.9), met(inside=0.6)])
    found = confirmations(predictions, one_field(), np.array([3]), RULE)
    assert found.prediction.tolist() == [1]
    assert found.chance == pytest.approx([0.9], rel=0.01)


def test_a_candidate_that_no_field_comes_near_is_last_and_says_so():
    found = confirmations(met(body=1), one_field(), np.array([3, 3, 9]), RULE)
    assert found.object.tolist() == [1, 2, 0]
    assert found.prediction.tolist() == [0, -1, -1]
    assert found.outlook.tolist() == [Outlook.CONFIRMS, Outlook.NOT_IN_A_FIELD, Outlook.NOT_IN_A_FIELD]
    assert found.chance.tolist()[1:] == [0, 0]


def test_without_predictions_or_candidates_there_is_nothing_to_confirm():
    assert confirmations(joined([]), one_field(), np.array([3, 4]), RULE).outlook.tolist() == [5, 5]
    assert len(confirmations(joined([]), one_field(), np.empty(0, np.int64), RULE)) == 0
