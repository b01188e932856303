"""Where a night's objects will be in the next one, and whom one more visit would confirm."""

import numpy as np
import pytest

from dayops.level1 import writing
from dayops.level1.models import Visit
from mops.models import Linkage
from mops.pipeline.linkage_rows import linkage_rows
from mops.pipeline.next_night import FIELD_RADIUS_DEG, predictions_of
from mops.pipeline.properties import properties_of
from tests.mops import nights
from tests.mops.linked import FIRST, MJD, detected, linked, opposite_the_sun, refused

STATES = opposite_the_sun(2)
FOUND = linked(states=STATES, nights=3)
LATEST = FIRST + 2
NEXT = detected(STATES, nights=4, sigma=1e-6)  # where they really are, one night longer
pytestmark = pytest.mark.django_db


def visits(*places: tuple[float, float], band: str | None = "r", m5: float | None = 24.0) -> None:
    """Visits of the last night, at these places."""
    count = len(places)
    columns = {
        "visit": np.arange(1, count + 1), "night": np.full(count, LATEST), "ra": np.array([ra for ra, _ in places]),
        "dec": np.array([dec for _, dec in places]), "expMidptMJD": MJD + 2 + np.arange(count) * 1e-4,
        "expTime": np.full(count, 30.0),
    }  # fmt: skip
    if band is not None:
        columns["band"] = np.array([band] * count)
    if m5 is not None:
        columns["m5"] = np.full(count, m5, np.float32)
    assert writing.append(Visit, columns) == count


def there(number: int) -> tuple[float, float]:
    """Where an object is a night after `LATEST`."""
    at = 8 * number + 6
    return float(NEXT.ra[at]), float(NEXT.dec[at])


def searched(found=FOUND, **fields):
    night = nights.night(LATEST)
    Linkage.objects.bulk_create(linkage_rows(night, found, properties_of(found), np.array([1, 2])))
    night.linkages.update(**fields)
    return night


def test_an_object_in_a_field_is_predicted_where_it_will_be():
    visits(there(0))
    (row,) = predictions_of(searched())
    ra, dec = there(0)
    assert row["linkage"] == Linkage.objects.get(ss_object_id=1).pk
    assert row["dec"] == pytest.approx(dec, abs=5 / 3600)
    assert row["ra"] == pytest.approx(ra, abs=10 / 3600)
    assert row["mjd_tai"] == pytest.approx(MJD + 3, abs=1e-3)
    assert row["designation"] == "d000001"
    assert 0 < row["minor_arcsec"] <= row["major_arcsec"] < 10
    assert 19 < row["mag"] < 22


def test_an_object_seen_in_three_nights_is_confirmed_by_a_fourth():
    visits(there(0))
    (row,) = predictions_of(searched())
    assert row["confirms"] is True
    assert row["outlook"] == "One more visit confirms it."


def test_what_was_seen_in_four_nights_needs_none():
    visits(there(0))
    (row,) = predictions_of(searched(nights=[1, 2, 3, 4]))
    assert row["confirms"] is False
    assert row["outlook"] == "Seen in 4 nights: it is confirmed."


def test_an_object_too_faint_for_its_field_is_told_so():
    visits(there(0), m5=17.0)
    (row,) = predictions_of(searched())
    assert row["confirms"] is False
    assert "faint" in row["outlook"]


def test_each_object_is_told_of_once_with_its_best_field():
    visits(there(0), there(1), there(0))
    rows = predictions_of(searched())
    assert sorted(row["designation"] for row in rows) == ["d000001", "d000002"]
    assert next(row["field"] for row in rows if row["designation"] == "d000002") == 2


def test_far_from_all_fields_nothing_is_predicted():
    ra, dec = there(0)
    visits(((ra + 180) % 360, -dec))
    assert predictions_of(searched()) == []


def test_an_object_just_outside_of_the_field_is_not_in_it():
    ra, dec = there(0)
    visits((ra, dec + FIELD_RADIUS_DEG + 0.2))
    assert predictions_of(searched()) == []


def test_without_visits_or_objects_there_is_nothing_to_predict():
    assert predictions_of(searched()) == []
    visits(there(0))
    assert predictions_of(nights.night(LATEST + 1)) == []


def test_refused_linkages_are_not_predicted():
    visits(there(0), there(1))
    rows = predictions_of(searched(refused(FOUND, 0, "It does not fit.")))
    assert [row["designation"] for row in rows] == ["d000002"]


def test_what_is_not_known_is_left_out_of_the_row():
    visits(there(0), band=None, m5=None)
    (row,) = predictions_of(searched(h_mag=None, covariance=None))
    assert "mag" not in row
    assert {"ra", "dec", "outlook"} <= set(row)
    assert all(np.isfinite(value) for value in row.values() if isinstance(value, float))
