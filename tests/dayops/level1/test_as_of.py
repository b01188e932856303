"""As of an instant: the same rows for ever, whatever is loaded, withdrawn or attributed afterwards."""

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from dayops.level1.instants import instant, snapshot
from dayops.level1.loading import load_columns
from dayops.level1.models import Clock, DiaSource, SSSource
from dayops.level1.reading import dia_sources
from dayops.level1.writing import end, replace, withdraw
from tests.dayops.level1.tables import NIGHT, sources

pytestmark = pytest.mark.django_db
SOME = ["diaSourceId", "ssObjectId", "psfFlux", "ra"]


def attribute(ids: list[int], objects: list[int]) -> None:
    zero = np.zeros(len(ids))
    rows = {"diaSourceId": np.array(ids), "ssObjectId": np.array(objects)}
    replace(SSSource, rows | dict.fromkeys(["eclLambda", "eclBeta", "galLon", "galLat"], zero), instant())


def unattributed(at: float | None = None) -> list[int]:
    found: list[int] = dia_sources([NIGHT], as_of_mjd_tai=at, unattributed=True)["diaSourceId"].tolist()
    return found


def test_an_instant_repeats_exactly_after_everything_that_may_happen():
    load_columns(sources(20, ssObjectId=[99] + [0] * 19))
    attribute([2, 3], [50, 51])
    then = snapshot()
    seen = dia_sources([NIGHT], as_of_mjd_tai=then, columns=SOME)
    load_columns(sources(20, first_id=15))
    withdraw(DiaSource, [NIGHT], np.array([4, 5]), instant())
    attribute([3, 6], [52, 53])
    end(SSSource, [2], instant())
    again = dia_sources([NIGHT], as_of_mjd_tai=then, columns=SOME)
    for name in SOME:
        np.testing.assert_array_equal(again[name], seen[name])
    now = dia_sources([NIGHT], columns=SOME)
    assert dict(zip(again["diaSourceId"].tolist()[:6], again["ssObjectId"].tolist(), strict=False)) == {
        1: 99, 2: 50, 3: 51, 4: 0, 5: 0, 6: 0,
    }  # fmt: skip
    assert dict(zip(now["diaSourceId"].tolist()[:4], now["ssObjectId"].tolist(), strict=False)) == {
        1: 99, 2: 0, 3: 52, 6: 53,
    }  # fmt: skip
    assert now["diaSourceId"].tolist() == [1, 2, 3, *range(6, 35)]


def test_django_says_the_same_as_the_arrays():
    load_columns(sources(5))
    then = snapshot()
    load_columns(sources(5, first_id=6))
    withdraw(DiaSource, [NIGHT], np.array([1]), instant())
    assert sorted(DiaSource.objects.as_of(then).values_list("diaSourceId", flat=True)) == [1, 2, 3, 4, 5]
    assert DiaSource.objects.current().count() == 9


def test_what_is_attributed_is_left_out_of_the_unattributed_as_of_each_instant():
    load_columns(sources(4, ssObjectId=[9, 0, 0, 0]))
    first = snapshot()
    attribute([2], [50])
    second = snapshot()
    end(SSSource, [2], instant())
    assert (unattributed(first), unattributed(second), unattributed()) == ([2, 3, 4], [3, 4], [2, 3, 4])


def test_rows_withdrawn_twice_keep_the_first_instant():
    load_columns(sources(3))
    assert withdraw(DiaSource, [NIGHT], np.array([1, 2]), 70_000.0) == 2
    assert withdraw(DiaSource, [NIGHT], np.array([2, 3]), 70_001.0) == 1
    assert list(DiaSource.objects.order_by("pk").values_list("timeWithdrawnMjdTai", flat=True)) == [7e4, 7e4, 70_001.0]


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE "DiaSource" SET ra = 5',
        'UPDATE "DiaSource" SET "ssObjectId" = 5',
        'UPDATE "DiaSource" SET "timeWithdrawnMjdTai" = 70001 WHERE "timeWithdrawnMjdTai" IS NOT NULL',
        'DELETE FROM "DiaSource"',
        'UPDATE "SSSource" SET "ssObjectId" = 5',
        'DELETE FROM "SSSource"',
    ],
)
def test_nothing_is_changed_or_deleted_behind_the_back_of_an_instant(statement):
    load_columns(sources(3))
    withdraw(DiaSource, [NIGHT], np.array([1]), instant())
    attribute([2], [50])
    refused = pytest.raises(IntegrityError, match="rows of the Level 1 database are not")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_instants_come_in_order_and_are_todays():
    from datetime import UTC, datetime

    from dayops.observing_day import mjd_tai

    given = [snapshot() for _ in range(50)]
    assert given == sorted(set(given))
    assert given[-1] == pytest.approx(mjd_tai(datetime.now(UTC)), abs=1e-4)


def test_instants_come_in_order_though_the_clock_was_set_back():
    ahead = snapshot() + 1.0
    Clock.objects.update(lastMjdTai=ahead)
    assert ahead < snapshot() < snapshot() < ahead + 1e-9


@pytest.mark.django_db(transaction=True)
def test_an_instant_outside_a_transaction_is_refused():
    with pytest.raises(TransactionManagementError, match="inside atomic"):
        instant()
