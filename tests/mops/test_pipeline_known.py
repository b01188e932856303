"""Who is known when a night is searched: objects of other published nights, by their newest linkage, not rejected."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from dayops.level1.loading import load_columns
from mops.models import Linkage
from mops.pipeline.attributing import attribute_night
from mops.pipeline.configuration import USUAL, configuration
from mops.pipeline.known_objects import known_objects, taken_sources
from mops.pipeline.linkage_rows import linkage_rows
from mops.pipeline.properties import properties_of
from tests.dayops.level1.tables import sources
from tests.mops import nights
from tests.mops.linked import FIRST, detected, linked, opposite_the_sun

BEFORE, TONIGHT = 20261120, 20261121
EARLIER = datetime.now(UTC) - timedelta(hours=1)
pytestmark = pytest.mark.django_db


def published(day_obs: int = BEFORE, state: str = "PUBLISHED", **fields):
    return nights.night(day_obs, state, decided_at=EARLIER, **fields)


def known() -> list[int]:
    return [int(each) for each in known_objects(nights.night(TONIGHT, "MAKING")).object_id]


def test_objects_of_other_published_nights_are_known_each_once():
    for day in (20261118, BEFORE):
        night = published(day)
        nights.linkage(night, ss_object_id=1)
        nights.linkage(night, ss_object_id=2)
    assert known() == [1, 2]


def test_an_object_is_known_by_its_newest_linkage():
    nights.linkage(published(20261118), ss_object_id=1)
    newest = nights.linkage(published(BEFORE), ss_object_id=1, state=[1.0, 2.0, 3.0, 0.0, 0.0, 0.01], covariance=None)
    found = known_objects(nights.night(TONIGHT, "MAKING"))
    assert found.linkage.tolist() == [newest.pk]
    assert found.state[0].tolist() == newest.state
    assert np.isnan(found.covariance).all()


def test_a_rejected_object_is_not_known_the_next_night():
    night = published()
    nights.reviewed(nights.linkage(night, ss_object_id=1), "REJECTED", "a satellite")
    nights.reviewed(nights.linkage(night, ss_object_id=2), "APPROVED")
    nights.linkage(night, ss_object_id=3)
    assert known() == [2, 3]


@pytest.mark.parametrize("state", ["REFUSED", "REPLACED", "TRIAL"])
def test_what_is_not_published_is_not_known(state):
    nights.linkage(published(state=state), ss_object_id=1)
    assert known() == []


def test_the_nights_own_objects_are_found_anew():
    nights.linkage(published(TONIGHT), ss_object_id=1)
    assert known() == []


def test_what_was_published_after_the_search_began_is_not_known_to_it():
    night = nights.night(TONIGHT, "MAKING")
    nights.linkage(nights.night(BEFORE, decided_at=datetime.now(UTC) + timedelta(hours=1)), ss_object_id=1)
    assert len(known_objects(night)) == 0


def test_where_nothing_is_known_the_arrays_have_their_shapes():
    found = known_objects(nights.night(TONIGHT, "MAKING"))
    assert (found.state.shape, found.covariance.shape, len(found)) == ((0, 6), (0, 6, 6), 0)


def test_detections_that_an_orbit_uses_are_taken_and_those_it_left_aside_are_not():
    one = nights.linkage(published(), number=5, ss_object_id=1, nights=[BEFORE])
    night = nights.night(TONIGHT, "MAKING")
    used = [source for source, is_used in zip(one.sources, one.used, strict=True) if is_used]
    assert taken_sources(night, [BEFORE]).tolist() == used
    assert len(used) == len(one.sources) - 1
    assert taken_sources(night, [TONIGHT]).tolist() == []


@pytest.mark.django_db(transaction=True)
class TestAttributed:
    """Two objects known from three nights; their fourth night is tonight."""

    STATES = opposite_the_sun(2)
    TONIGHT = FIRST + 3

    def night(self, **fields):
        every = detected(self.STATES)
        tonight = every.take(every.night == self.TONIGHT)
        nothing = np.zeros(len(tonight), np.float32)
        load_columns(
            sources(
                len(tonight), diaSourceId=tonight.id, visit=tonight.visit, midpointMjdTai=tonight.mjd_tai,
                ra=tonight.ra, dec=tonight.dec, raErr=nothing + 0.02 / 3600, decErr=nothing + 0.02 / 3600,
            )
        )  # fmt: skip
        found = linked(states=self.STATES, nights=3)
        before = published(self.TONIGHT - 1)
        Linkage.objects.bulk_create(linkage_rows(before, found, properties_of(found), np.array([1, 2])))
        before.linkages.filter(ss_object_id=1).update(**fields)
        return nights.night(self.TONIGHT, "MAKING", as_of_mjd_tai=99_999.0)

    def test_tonights_detections_of_known_objects_are_theirs(self):
        left = attribute_night(self.night(), configuration(USUAL))
        given = dict(zip(left.arrays["dia_source_id"].tolist(), left.arrays["object_id"].tolist(), strict=True))
        assert given == {1006: 1, 1007: 1, 2006: 2, 2007: 2}
        assert left.counts["detections"] == left.counts["attributed"] == left.rows == 4
        assert left.counts["known"] == left.counts["objects_seen"] == 2
        assert (left.arrays["separation_arcsec"] < 10).all()

    def test_those_of_a_rejected_object_are_nobodys(self):
        night = self.night(
            review="REJECTED", reviewed_by="sonia", review_reason="a ghost", reviewed_at=datetime.now(UTC)
        )
        left = attribute_night(night, configuration(USUAL))
        assert set(left.arrays["object_id"].tolist()) == {2}
