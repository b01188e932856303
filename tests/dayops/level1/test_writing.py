"""What the pipeline writes: once, or in the place of what was."""

import numpy as np
import pytest
from django.db import connection

from dayops.level1.columns import Columns
from dayops.level1.instants import instant, snapshot
from dayops.level1.models import DetectorVisitProcessingSummary, DiaObject, MpcOrbit, SSObject, Visit
from dayops.level1.writing import append, end, replace

pytestmark = pytest.mark.django_db


def objects(ids: list[int], **changed: object) -> Columns:
    number = len(ids)
    made = {
        "ssObjectId": np.array(ids),
        "designation": np.array([f"2026 W{one}" for one in ids]),
        "nObs": np.full(number, 6),
        "arc": np.full(number, 13.5),
        "g_H": np.full(number, np.nan),
    }
    return made | {name: np.asarray(values) for name, values in changed.items()}


def test_new_objects_are_valid_from_their_instant_on():
    before = snapshot()
    at = instant()
    assert replace(SSObject, objects([1, 2]), at) == 2
    row = SSObject.objects.current().get(ssObjectId=1)
    assert (row.designation, row.nObs, row.arc, row.g_H, row.r_nObs) == ("2026 W1", 6, 13.5, None, 0)
    assert row.validityStartMjdTai == at
    assert not SSObject.objects.as_of(before).exists()


def test_a_changed_object_ends_where_its_successor_begins_and_the_same_stays():
    first, second = instant(), instant()
    replace(SSObject, objects([1, 2]), first)
    assert replace(SSObject, objects([1, 2, 3], nObs=[6, 9, 6]), second) == 2
    history = SSObject.objects.order_by("ssObjectId", "validityStartMjdTai")
    assert [(o.ssObjectId, o.nObs, o.validityStartMjdTai == first, o.validityEndMjdTai) for o in history] == [
        (1, 6, True, None),
        (2, 6, True, second),
        (2, 9, False, None),
        (3, 6, False, None),
    ]
    assert [o.nObs for o in SSObject.objects.as_of(first).order_by("ssObjectId")] == [6, 6]


def test_what_is_written_twice_changes_nothing():
    replace(SSObject, objects([1, 2]), instant())
    assert replace(SSObject, objects([1, 2]), instant()) == 0


def test_a_value_that_is_no_longer_given_is_a_change():
    replace(SSObject, objects([1], g_H=[17.5]), instant())
    assert replace(SSObject, objects([1]), instant()) == 1
    assert SSObject.objects.current().get().g_H is None


def test_an_object_may_end_without_a_successor():
    replace(SSObject, objects([1, 2]), instant())
    then = snapshot()
    assert (end(SSObject, [1, 7], instant()), end(SSObject, [1], instant())) == (1, 0)
    assert [o.ssObjectId for o in SSObject.objects.current()] == [1 + 1]
    assert SSObject.objects.as_of(then).count() == 2


def test_orbits_are_known_by_their_designation_whatever_its_letters():
    names = np.array(["2026 WA1", "ʻOumuamua"])
    orbits = {
        "designation": names,
        "packed_primary_provisional_designation": names,
        "unpacked_primary_provisional_designation": names,
        "a": np.array([2.7, np.nan]),
        "e": np.array([0.1, 1.2]),
        "u_param": np.ma.masked_array([0, 0], [False, True]),
        "fitting_datetime": np.array(["2026-11-20T12:00:00", "NaT"], "M8[us]"),
    }
    assert replace(MpcOrbit, orbits, instant()) == 2
    assert replace(MpcOrbit, orbits | {"a": np.array([2.8, np.nan])}, instant()) == 1
    first, second = MpcOrbit.objects.current().order_by("designation")
    assert (first.a, first.u_param, first.fitting_datetime.isoformat()) == (2.8, 0, "2026-11-20T12:00:00+00:00")
    assert (second.designation, second.a, second.u_param, second.fitting_datetime) == ("ʻOumuamua", None, None, None)
    assert end(MpcOrbit, ["2026 WA1"], instant()) == 1


def test_dia_objects_get_their_pixel():
    rows = {"diaObjectId": np.array([1]), "ra": np.array([10.0]), "dec": np.array([5.0]), "nDiaSources": np.array([3])}
    replace(DiaObject, rows, instant())
    assert DiaObject.objects.get().healpix > 0


def test_a_key_given_twice_is_refused():
    with pytest.raises(ValueError, match="ssObjectId is given more than once"):
        replace(SSObject, objects([1, 1]), instant())


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"ssObjectId": np.array([1])}, "SSObject needs arc, nObs too"),
        (objects([1], hue=[3]), "SSObject has no column hue"),
        (objects([1], validityStartMjdTai=[6e4]), "set by the instant that is given"),
    ],
)
def test_columns_that_do_not_fit_are_named(columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(SSObject, columns, 60_000.0)


def test_visits_and_summaries_are_written_once():
    visits = {
        "visit": np.array([1, 2]),
        "night": np.array([20261120, 20261120]),
        "ra": np.array([1.0, 2.0]),
        "dec": np.array([1.0, 2.0]),
        "band": np.array(["r", ""]),
        "expMidptMJD": np.array([61_365.1, 61_365.2]),
        "expTime": np.array([30.0, 30.0]),
    }
    assert (append(Visit, visits), append(Visit, visits)) == (2, 0)
    assert [(visit.band, visit.observatory) for visit in Visit.objects.order_by("visit")] == [
        ("r", "X05"),
        (None, "X05"),
    ]
    summary = {"visit": np.array([1, 1]), "detector": np.array([0, 1])}
    summary |= {name: np.array([4_000, 4_000]) for name in ("xSize", "ySize", "nPsfStar")}
    assert (append(DetectorVisitProcessingSummary, summary), append(DetectorVisitProcessingSummary, summary)) == (2, 0)


def test_no_rows_are_written_without_asking_the_database(django_assert_num_queries):
    none = {name: values[:0] for name, values in objects([1]).items()}
    with django_assert_num_queries(0):
        assert (replace(SSObject, none, 60_000.0), append(Visit, none)) == (0, 0)


def test_of_one_key_the_database_lets_one_row_be_valid():
    from django.db import IntegrityError, transaction

    replace(SSObject, objects([1]), instant())
    with pytest.raises(IntegrityError, match="ss_object_current"), transaction.atomic():
        row = SSObject.objects.get()
        row.validityStartMjdTai += 1
        row.save(force_insert=True)
    assert connection.is_usable()
