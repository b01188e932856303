"""Objects seen again: fitted with all their detections; what does not fit is given back, with the reason."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.level1.loading import load_columns
from mops.models import KeptArrays, Linkage, Night
from mops.pipeline import kept
from mops.pipeline.improving import ZONE, _members, _reasons, improved
from mops.pipeline.linkage_rows import linkage_rows
from mops.pipeline.properties import properties_of
from mops.science.orbit_status import Status
from tests.dayops.level1.tables import sources
from tests.mops import nights
from tests.mops.linked import FIRST, detected, linked, opposite_the_sun

TONIGHT = FIRST + 3
STATES = opposite_the_sun(2)
ALL = detected(STATES)  # four nights of both, the last of them tonight


def load(shift_arcsec: float = 0.0) -> None:
    """All detections into Level 1; those of tonight of the first object are shifted."""
    moved = (ALL.night == TONIGHT) & (ALL.id < 2_000)
    nothing = np.zeros(len(ALL), np.float32)
    loaded = load_columns(
        sources(
            len(ALL), diaSourceId=ALL.id, visit=ALL.visit, midpointMjdTai=ALL.mjd_tai, ra=ALL.ra,
            dec=ALL.dec + moved * shift_arcsec / 3600, raErr=nothing + 0.02 / 3600, decErr=nothing + 0.02 / 3600,
        )
    )  # fmt: skip
    assert loaded.rows == len(ALL)


def night_before() -> list[Linkage]:
    """A published search of three nights that found both objects."""
    found = linked(states=STATES, nights=3)
    before = nights.night(TONIGHT - 1, decided_at=datetime.now(UTC) - timedelta(hours=1))
    Linkage.objects.bulk_create(linkage_rows(before, found, properties_of(found), np.array([1, 2])))
    return list(before.linkages.order_by("ss_object_id"))


def attributed(known: list[Linkage]) -> Night:
    """Tonight's detections given to these objects."""
    night = nights.night(TONIGHT, "MAKING")
    pairs = [
        (int(each), row.pk)
        for row in known
        for each in ALL.id[ALL.night == TONIGHT]
        if each // 1_000 == row.ss_object_id
    ]
    arrays = {
        "dia_source_id": np.array([pair[0] for pair in pairs], np.int64),
        "linkage": np.array([pair[1] for pair in pairs], np.int64),
    }
    stored = kept.put(arrays)
    kept.keep(night, KeptArrays.Kind.ATTRIBUTIONS, stored, rows=len(pairs), day_obs=TONIGHT)
    return night


@pytest.mark.django_db(transaction=True)
class TestImproved:
    def test_an_object_seen_again_is_fitted_with_all_its_detections_and_known_better(self):
        load()
        before = night_before()
        found = improved(attributed(before))
        assert found is not None
        assert found.reason.tolist() == ["", ""]
        assert found.object_id.tolist() == [1, 2]
        assert set(found.zone) == {ZONE}
        assert np.diff(found.first).tolist() == [8, 8]
        assert found.tracklets.tolist() == [4, 4]
        for number, row in enumerate(before):
            old = np.linalg.det(np.reshape(row.covariance or [], (6, 6)))
            assert 0 < np.linalg.det(found.orbits.covariance[number]) < old

    def test_only_those_seen_tonight_are_fitted_again(self):
        load()
        found = improved(attributed(night_before()[1:]))
        assert found is not None
        assert found.object_id.tolist() == [2]

    def test_where_no_object_was_seen_there_is_nothing(self):
        load()
        night_before()
        assert improved(attributed([])) is None

    def test_detections_that_the_orbit_will_not_have_are_given_back_with_the_reason(self):
        load(shift_arcsec=5.0)
        found = improved(attributed(night_before()))
        assert found is not None
        assert found.accepted.tolist() == [False, True]
        assert found.reason[0]
        tonight = found.detections.night[found.members] == TONIGHT
        assert found.orbits.used[found.of(1)][tonight[found.of(1)]].all()


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("status", list(Status))
def test_an_orbit_is_taken_only_where_it_fits_and_keeps_something_of_tonight(status, keeps):
    used = np.array([True, True, True, keeps])
    (said,) = _reasons(np.array([0, 4]), np.array([status], np.int8), used, np.array([False, False, False, True]))
    if status != Status.OK:
        assert said == status.sentence
    else:
        assert said == (
            "" if keeps else "the detections of this night do not fit the orbit of the object they were attributed to"
        )


ids = st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True)


@given(st.lists(ids, min_size=1, max_size=4), st.sets(st.integers(1, 60), min_size=1), st.randoms())
def test_lists_of_ids_become_indices_in_the_order_of_time_of_what_is_there(lists, there, random):
    present = np.array(sorted(there), np.int64)
    times = np.array([random.random() for _ in there])
    first, members = _members(lists, present, times)
    assert len(first) == len(lists) + 1
    for number, wanted in enumerate(lists):
        mine = members[first[number] : first[number + 1]]
        assert set(present[mine].tolist()) == set(wanted) & there
        assert (np.diff(times[mine]) >= 0).all()
