"""DiaSources as detections: units, what is unknown, what is left out, and their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.level1.instants import snapshot
from dayops.level1.loading import load_columns
from mops.pipeline.reading import band_numbers, detections_by_id, detections_of, magnitudes
from mops.science import observers
from mops.science.detections import BANDS
from tests.dayops.level1.tables import NIGHT, sources


@given(st.floats(10, 30))
def test_a_magnitude_of_a_flux_is_the_one_that_it_was_made_of(mag):
    assert magnitudes(np.array([10 ** ((31.4 - mag) / 2.5)]))[0] == pytest.approx(mag)


def test_one_microjansky_is_23_point_9():
    assert magnitudes(np.array([1000.0]))[0] == pytest.approx(23.9)


@given(st.floats(max_value=0) | st.just(float("nan")))
def test_a_flux_that_is_not_positive_has_no_magnitude(flux):
    assert np.isnan(magnitudes(np.array([flux]))[0])


@given(st.lists(st.text(max_size=2) | st.sampled_from(BANDS)))
def test_a_band_is_its_place_in_the_alphabet_of_filters_and_any_other_word_is_none(words):
    expected = [BANDS.index(word) if len(word) == 1 and word in BANDS else -1 for word in words]
    assert band_numbers(np.array(words, dtype=str)).tolist() == expected


def load(number: int = 6, **changed) -> float:
    """Load sources; returns an instant after."""
    loaded = load_columns(sources(number, **changed))
    assert loaded.rows == number - len(loaded.refused)
    return snapshot()


def read(as_of: float, minimum: float = 0.0, nights=(NIGHT,)):
    return detections_of(nights, as_of_mjd_tai=as_of, minimum_reliability=minimum)


@pytest.mark.django_db(transaction=True)
class TestFromTheDatabase:
    def test_detections_come_in_the_order_of_their_ids_whatever_that_of_loading(self):
        found = read(load(diaSourceId=np.array([5, 3, 6, 1, 2, 4])))
        assert found.id.tolist() == [1, 2, 3, 4, 5, 6]
        rows = dict(zip([5, 3, 6, 1, 2, 4], sources(6)["ra"].tolist(), strict=True))
        assert found.ra.tolist() == [rows[each] for each in range(1, 7)]
        assert set(found.night.tolist()) == {NIGHT}

    def test_an_error_is_in_arcseconds_on_the_sky(self):
        found = read(load(raErr=np.full(6, 2e-5, np.float32), decErr=np.full(6, 3e-5, np.float32)))
        np.testing.assert_allclose(found.sigma_ra, 0.072 * np.cos(np.radians(found.dec)), rtol=1e-6)
        np.testing.assert_allclose(found.sigma_dec, 0.108, rtol=1e-6)

    def test_a_source_without_an_error_has_that_of_a_poor_one(self):
        found = read(load())  # no decErr
        np.testing.assert_array_equal(found.sigma_dec, 0.1)

    def test_sigmas_can_always_be_divided_by(self):
        found = read(load(raErr=np.zeros(6, np.float32)))
        assert (found.sigma_ra > 0).all()
        assert (found.sigma_dec > 0).all()

    def test_unreliable_sources_are_left_out_and_those_that_nobody_judged_are_not(self):
        reliability = np.array([0.05, 0.1, 0.9, np.nan, 0.0, np.nan], np.float32)
        at = load(reliability=reliability)
        assert read(at, 0.1).id.tolist() == [2, 3, 4, 6]
        assert read(at, 0.0).id.tolist() == [1, 2, 3, 4, 5, 6]

    def test_what_was_loaded_after_the_instant_is_not_read(self):
        before = load(3)
        load(2, first_id=100)
        assert read(before).id.tolist() == [1, 2, 3]
        assert len(read(snapshot())) == 5

    def test_the_observer_is_where_the_observatory_was(self):
        found = read(load(2))
        place, _ = observers.heliocentric("X05", found.mjd_tai)
        np.testing.assert_array_equal(found.observer, place)
        assert 0.97 < np.linalg.norm(place[0]) < 1.02

    def test_a_night_without_sources_gives_none(self):
        assert len(read(snapshot(), nights=(20200101,))) == 0

    def test_by_id_only_those_asked_for_and_there_are_given(self):
        load(6)
        found = detections_by_id([NIGHT], [4, 2, 4_000])
        assert found.id.tolist() == [2, 4]
        assert len(detections_by_id([NIGHT - 1], [4, 2])) == 0
        assert len(detections_by_id([NIGHT], [])) == 0

    def test_sources_that_are_no_numbers_are_refused_at_loading_and_the_others_are_read(self):
        places = sources(6)["ra"]
        places[2], places[4] = np.nan, 360.5
        loaded = load_columns(sources(6, ra=places))
        assert {refusal.identity for refusal in loaded.refused} == {"3", "5"}
        assert all(refusal.reason for refusal in loaded.refused)
        found = read(snapshot())
        assert found.id.tolist() == [1, 2, 4, 6]
        assert np.isfinite(found.ra).all()

    def test_sources_that_are_given_twice_are_read_once(self):
        load_columns(sources(4, diaSourceId=np.array([1, 2, 2, 3])))
        load_columns(sources(3))
        assert read(snapshot()).id.tolist() == [1, 2, 3]
