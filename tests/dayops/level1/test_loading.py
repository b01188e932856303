"""Loading: what comes back, what is refused, what a second load does."""

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction

from dayops.level1.checking import BadTable
from dayops.level1.columns import Columns
from dayops.level1.loading import load, load_columns
from dayops.level1.models import DiaForcedSource, DiaSource, Load
from dayops.level1.partitioning import nights_of
from dayops.level1.reading import dia_sources, forced_sources
from tests.dayops.level1.tables import MJD, NIGHT, sources

pytestmark = pytest.mark.django_db


def ids(*nights: int) -> list[int]:
    found: list[int] = dia_sources(nights or [NIGHT], columns=["diaSourceId"])["diaSourceId"].tolist()
    return found


def forced(number: int, first_id: int = 1) -> Columns:
    return {
        "diaForcedSourceId": np.arange(first_id, first_id + number),
        "diaObjectId": np.arange(1, number + 1),
        "ra": np.linspace(0, 359, number),
        "dec": np.linspace(-89, 89, number),
        "visit": np.full(number, 5),
        "detector": np.full(number, 7),
        "psfFlux": np.full(number, 3.5, np.float32),
        "midpointMjdTai": np.full(number, MJD),
        "timeProcessedMjdTai": np.full(number, MJD),
    }


def test_what_was_loaded_is_read_back_bit_by_bit():
    given = sources(1000)
    done = load_columns(given)
    assert (done.rows, done.present, done.read, done.refused, done.nights) == (1000, 0, 1000, [], [NIGHT])
    read = dia_sources([NIGHT], columns=list(given))
    for name, values in given.items():
        np.testing.assert_array_equal(read[name], values)


def test_what_is_not_given_is_null():
    load_columns(sources(3, diaObjectId=[0, 8, 0], band=["", "r", ""], psfFlux=[np.nan, 2.0, np.nan]))
    row = DiaSource.objects.get(diaSourceId=1)
    assert (row.diaObjectId, row.band, row.psfFlux, row.snr, row.isDipole) == (None, None, None, None, None)
    assert DiaSource.objects.get(diaSourceId=2).diaObjectId == 8


def test_a_second_load_changes_nothing():
    load_columns(sources(500))
    with connection.cursor() as cursor:
        cursor.execute('SELECT ctid, xmin, * FROM "DiaSource" ORDER BY "diaSourceId"')
        before = cursor.fetchall()
        done = load_columns(sources(500))
        cursor.execute('SELECT ctid, xmin, * FROM "DiaSource" ORDER BY "diaSourceId"')
        assert cursor.fetchall() == before
    assert (done.rows, done.present, done.nights) == (0, 500, [])


def test_a_night_that_is_there_gains_only_the_new_rows():
    load_columns(sources(10))
    done = load_columns(sources(10, first_id=6, psfFlux=np.zeros(10)))
    assert (done.rows, done.present) == (5, 5)
    assert ids() == list(range(1, 16))
    assert DiaSource.objects.get(diaSourceId=6).psfFlux != 0  # the first to come stays


def test_a_table_of_several_nights_fills_a_partition_each():
    done = load_columns(sources(9, midpointMjdTai=MJD + np.arange(9) % 3))
    assert done.nights == [NIGHT, NIGHT + 1, NIGHT + 2]
    assert set(done.nights) <= set(nights_of("DiaSource"))
    assert ids(NIGHT + 1) == [2, 5, 8]
    assert ids(NIGHT, NIGHT + 2) == [1, 3, 4, 6, 7, 9]


def test_batches_of_one_load_are_one_load():
    done = load([sources(5), sources(5, first_id=6)])
    assert ids() == list(range(1, 11))
    assert set(DiaSource.objects.values_list("loadId", flat=True)) == {done.load}


def test_a_partition_is_indexed_as_its_table_is():
    load_columns(sources(5))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid WHERE indrelid = %s::regclass",
            [f'"DiaSource_{NIGHT}"'],
        )
        assert cursor.fetchone() == (5,)  # attached to the table's own: nothing was built twice


def test_a_row_that_has_an_earlier_rows_id_is_refused_and_the_first_of_the_file_stays():
    done = load_columns(sources(5, diaSourceId=[1, 2, 2, 3, 2], psfFlux=[1, 2, 3, 4, 5], ra=[9, 8, 2, 9, 3]))
    assert ids() == [1, 2, 3]
    assert DiaSource.objects.get(diaSourceId=2).psfFlux == 2
    assert dict(done.reasons) == {"diaSourceId has been given to an earlier row of the same table": 2}
    assert [(one.row, one.reason) for one in done.refused] == [
        (2, "diaSourceId = 2 has been given to an earlier row of the same table"),
        (4, "diaSourceId = 2 has been given to an earlier row of the same table"),
    ]
    assert (done.rows, done.present) == (3, 0)


def test_a_row_that_has_the_id_of_a_row_in_an_earlier_batch_is_refused_too():
    done = load([sources(3, psfFlux=[1, 2, 3]), sources(3, psfFlux=[4, 5, 6], first_id=3), sources(1, first_id=3)])
    assert ids() == [1, 2, 3, 4, 5]
    assert DiaSource.objects.get(diaSourceId=3).psfFlux == 3
    assert [(one.row, one.identity) for one in done.refused] == [(-1, "3")]
    assert sum(done.reasons.values()) == 2


def test_a_double_among_new_rows_of_a_night_that_is_there_is_refused_too():
    load_columns(sources(3))
    done = load_columns(sources(4, diaSourceId=[3, 4, 4, 5]))
    assert (done.rows, done.present, sum(done.reasons.values())) == (2, 1, 1)


def test_refused_rows_are_listed_and_kept_with_their_reasons_while_the_others_load():
    done = load([sources(3, ra=[1.0, np.nan, 2.0]), sources(3, first_id=4, band=["r", "r", "V"])], source="a file")
    assert ids() == [1, 3, 4, 5]
    assert [(one.row, one.identity) for one in done.refused] == [(1, "2"), (5, "6")]
    record = Load.objects.get(pk=done.load)
    assert (record.source, record.rows_read, record.rows_loaded, record.rows_refused) == ("a file", 6, 4, 2)
    assert record.reasons == {"ra is missing or not a number": 1, "band is none of u, g, r, i, z, y": 1}
    assert [str(one) for one in record.refusals.order_by("row")] == [
        "row 1 (2): ra is missing or not a number",
        "row 5 (6): band = V is none of u, g, r, i, z, y",
    ]


def test_a_table_of_nothing_but_bad_rows_makes_no_night():
    done = load_columns(sources(2, midpointMjdTai=[MJD + 2_400_000.5, np.nan]))
    assert (done.rows, done.nights, sum(done.reasons.values())) == (0, [], 2)


def test_a_flood_of_refusals_is_counted_whole_and_kept_in_part():
    number = 10_050
    done = load_columns(sources(number, ra=np.full(number, 400.0)))
    assert done.reasons == {"ra is outside [0, 360) degrees": number}
    assert len(done.refused) == Load.objects.get(pk=done.load).refusals.count() == 10_000


def test_a_table_that_cannot_be_loaded_leaves_no_trace():
    before = Load.objects.count()
    table = sources(3)
    with pytest.raises(BadTable, match="has no dec"):
        load([table, {name: values for name, values in table.items() if name != "dec"}])
    assert (Load.objects.count(), ids()) == (before, [])


def test_columns_of_different_lengths_are_no_table():
    with pytest.raises(BadTable, match=r"different lengths: \[2, 3\]"):
        load_columns(sources(3) | {"ra": np.zeros(2)})


def test_nothing_is_loaded_from_no_batches():
    assert load([]).rows == 0


def test_rows_lie_in_the_order_of_the_sky():
    load_columns(sources(200))
    with connection.cursor() as cursor:
        cursor.execute('SELECT healpix FROM "DiaSource" ORDER BY ctid')
        pixels = [pixel for (pixel,) in cursor.fetchall()]
    assert pixels == sorted(pixels)


def test_forced_sources_are_loaded_once_by_object_visit_and_detector():
    given = forced(50)
    assert load_columns(given, model=DiaForcedSource).rows == 50
    again = load_columns(forced(50, first_id=1_000), model=DiaForcedSource)
    assert (again.rows, again.present) == (0, 50)
    read = forced_sources([NIGHT])
    for name, values in given.items():
        np.testing.assert_array_equal(read[name], values)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("ra = 'NaN'", "dia_source_place"),
        ("ra = 360", "dia_source_place"),
        ("dec = 90.5", "dia_source_place"),
        ("dec = 'NaN'", "dia_source_place"),
        ('"diaSourceId" = 0', "dia_source_ids"),
        ("band = 'V'", "dia_source_band"),
        ('"midpointMjdTai" = 2461365.6', "dia_source_time"),
        ("\"midpointMjdTai\" = 'NaN'", "dia_source_time"),
    ],
)
def test_the_database_itself_refuses_what_should_not_be_there(change, constraint):
    load_columns(sources(1))
    column, _, value = change.partition(" = ")
    fields = [field.column for field in DiaSource._meta.concrete_fields]
    values = ", ".join(value if f'"{name}"' == column or name == column else f'"{name}"' for name in fields)
    quoted = ", ".join(f'"{name}"' for name in fields)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "DiaSource" ({quoted}) SELECT {values} FROM "DiaSource"')  # noqa: S608
