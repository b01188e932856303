"""What DayMOPS adds to the search."""

import pytest

from mops.search import LINKAGES, OBJECTS, REPORTS
from tests.mops.in_level1 import NAME, OBJECT, known_object
from tests.mops.nights import linkage, night
from tests.mops.test_pages_others import report

pytestmark = pytest.mark.django_db


def test_a_candidate_is_found_by_one_of_its_detections():
    one = linkage(night(), sources=[700_001, *range(2, 9)])
    (hit,) = LINKAGES.find(["700001"])
    assert hit.url == f"/2026-11-22/mops/candidates/{one.pk}/"
    assert "accepted, MBA" in hit.about
    assert list(LINKAGES.find(["700002", "moon"])) == []


def test_a_candidate_is_found_by_its_object_and_the_beginning_of_its_identity():
    one = linkage(night(), ss_object_id=123_456_789, identity="ab" * 32)
    assert [hit.title for hit in LINKAGES.find(["123456789"])] == [f"Candidate {one.pk} of 2026-11-22"]
    assert [hit.title for hit in LINKAGES.find([one.identity[:16]])] == [f"Candidate {one.pk} of 2026-11-22"]


def test_a_candidate_that_is_named_exactly_is_led_to():
    one = linkage(night())
    for text in (f"candidate {one.pk}", f"Linkage #{one.pk}"):
        assert LINKAGES.exact(text) == f"/2026-11-22/mops/candidates/{one.pk}/"
    assert LINKAGES.exact("candidate 99999999") == LINKAGES.exact("candidate") == ""


def test_an_object_is_found_by_its_designation_and_led_to_by_all_of_it():
    known_object()
    (hit,) = OBJECTS.find(["2026", "xy"])
    assert hit.title == NAME
    assert hit.url.endswith(f"/mops/objects/{OBJECT}/")
    assert OBJECTS.exact(NAME) == hit.url
    assert OBJECTS.exact("2026") == ""


def test_a_report_is_found_by_its_name_or_the_mpcs_identifier():
    row = report(linkage(night()), confirmation="")
    (hit,) = REPORTS.find([row.tracklet_name])
    assert hit.url == f"/2026-11-22/mops/submissions/{row.pk}/"
    assert list(REPORTS.find(["nothing"])) == []
