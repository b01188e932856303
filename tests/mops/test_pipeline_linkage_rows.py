"""A night's linkages as rows: all accepted ones, refused ones worth a look, nothing that is no number."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.models import Linkage
from mops.pipeline import linkage_rows as rows_module
from mops.pipeline.linkage_rows import identity, linkage_rows
from mops.pipeline.properties import properties_of
from tests.mops import nights
from tests.mops.linked import linked, opposite_the_sun, refused, sources_of

FOUND = linked(3)
PROPERTIES = properties_of(FOUND)
IDS = np.array([4, 5, 6])


@given(st.lists(st.integers(1, 10**18), max_size=12), st.randoms())
def test_an_identity_is_of_the_detections_whatever_their_order(sources, random):
    shuffled = sources.copy()
    random.shuffle(shuffled)
    assert identity(sources) == identity(shuffled)
    assert len(identity(sources)) == 64


@given(st.sets(st.integers(1, 10**6), min_size=1), st.sets(st.integers(1, 10**6), min_size=1))
def test_other_detections_have_another_identity(one, other):
    assert (identity(sorted(one)) == identity(sorted(other))) == (one == other)


@pytest.mark.django_db
class TestRows:
    def rows(self, found=FOUND, ids=IDS):
        night = nights.night(state="MAKING")
        Linkage.objects.bulk_create(linkage_rows(night, found, properties_of(found), ids))
        return list(Linkage.objects.filter(night=night).order_by("pk"))

    def test_a_row_says_what_the_linkage_is(self):
        for number, row in enumerate(self.rows()):
            assert row.sources == sources_of(FOUND, number)
            assert row.nights == [20261119, 20261120, 20261121, 20261122]
            assert row.identity == identity(row.sources)
            assert row.ss_object_id == IDS[number]
            assert row.arc_days == pytest.approx(3 + 1 / 48)
            assert row.used == FOUND.orbits.used[FOUND.of(number)].tolist()
            assert row.a_au == pytest.approx(PROPERTIES.elements.a[number])
            assert row.orbit_class == PROPERTIES.words[number]
            assert row.verdict == Linkage.Verdict.ACCEPTED

    def test_the_covariance_is_kept_row_by_row(self):
        for number, row in enumerate(self.rows()):
            np.testing.assert_array_equal(np.reshape(row.covariance, (6, 6)), FOUND.orbits.covariance[number])

    def test_residuals_belong_to_the_detections_one_to_one(self):
        for number, row in enumerate(self.rows()):
            np.testing.assert_array_equal(row.residual_ra, FOUND.orbits.residual_ra[FOUND.of(number)])
            assert len(row.residual_dec) == len(row.sources)

    def test_what_is_unknown_is_left_out_of_the_hypothesis(self):
        assert self.rows()[0].hypothesis == {"zone": "main_belt", "r_au": 2.5, "rdot_au_per_day": 0.0}

    def test_bands_that_were_not_seen_have_no_magnitude(self):
        assert set(self.rows()[0].h_by_band) == {"g", "r"}

    def test_a_refused_linkage_keeps_its_reason_and_is_of_no_object(self):
        made = self.rows(refused(FOUND, 1, "It does not fit."), np.array([4, 0, 6]))
        row = next(each for each in made if each.verdict == Linkage.Verdict.REFUSED)
        assert (row.reason, row.ss_object_id) == ("It does not fit.", None)
        assert row.sources == sources_of(FOUND, 1)

    def test_an_orbit_that_is_none_leaves_no_number_that_is_none(self):
        orbits = FOUND.orbits
        lost = replace(
            orbits,
            covariance=np.full_like(orbits.covariance, np.nan),
            chi2=np.full_like(orbits.chi2, np.inf),
            rms_arcsec=np.full_like(orbits.rms_arcsec, np.nan),
        )
        for row in self.rows(replace(FOUND, orbits=lost)):
            assert (row.covariance, row.chi2, row.rms_arcsec) == (None, None, None)
            assert row.u_parameter is None

    def test_a_hyperbola_keeps_its_negative_axis_and_has_no_u(self):
        state = opposite_the_sun(1)
        state[:, 3:] *= 2.2
        (row,) = self.rows(linked(states=state, nights=10), np.array([1]))
        assert row.a_au < 0
        assert row.e > 1
        assert row.u_parameter is None

    def test_of_many_refused_those_of_most_nights_are_kept_and_no_accepted_one_is_lost(self, monkeypatch):
        monkeypatch.setattr(rows_module, "_MOST_REFUSED", 1)
        found = refused(refused(FOUND, 0, "short"), 2, "longer")
        first, members = np.array([0, 2, 10, 18]), np.concatenate([found.members[:2], found.members[8:]])
        which = np.concatenate([np.arange(2), np.arange(8, 24)])
        orbits = replace(
            found.orbits,
            **{name: getattr(found.orbits, name)[which] for name in ("used", "residual_ra", "residual_dec")},
        )
        made = self.rows(replace(found, first=first, members=members, orbits=orbits), np.array([0, 5, 0]))
        assert [row.reason for row in made] == ["", "longer"]
