"""Tables by night, and what Django believes of them."""

import pytest
from django.core.management import call_command
from django.db import connection

from dayops.level1.loading import load_columns
from dayops.level1.models import DiaForcedSource, DiaSource
from dayops.level1.partitioning import nights_of, partition_name
from tests.dayops.level1.tables import MJD, NIGHT, sources

pytestmark = pytest.mark.django_db


def test_the_migrations_say_what_the_models_say():
    call_command("makemigrations", "level1", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("model", [DiaSource, DiaForcedSource])
def test_sources_are_partitioned_by_night(model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT partstrat, attname FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid"
            " AND attnum = ANY(partattrs) WHERE partrelid = %s::regclass",
            [f'"{model._meta.db_table}"'],
        )
        assert cursor.fetchall() == [("l", "night")]


def test_the_nights_of_a_table_are_those_that_were_loaded():
    before = nights_of("DiaSource")
    load_columns(sources(2, midpointMjdTai=[MJD + 3, MJD]))
    assert set(nights_of("DiaSource")) - set(before) <= {NIGHT, NIGHT + 3}
    assert {NIGHT, NIGHT + 3} <= set(nights_of("DiaSource"))
    assert nights_of("DiaSource") == sorted(nights_of("DiaSource"))


def test_a_query_that_names_its_night_looks_into_no_other():
    load_columns(sources(4, midpointMjdTai=[MJD, MJD + 1, MJD + 2, MJD + 3]))
    plan = DiaSource.objects.filter(night=NIGHT + 1).explain()
    assert partition_name("DiaSource", NIGHT + 1) in plan
    assert partition_name("DiaSource", NIGHT + 2) not in plan


def test_rows_of_all_nights_are_one_table_to_django():
    load_columns(sources(4, midpointMjdTai=[MJD, MJD + 1, MJD + 2, MJD + 3]))
    found = DiaSource.objects.order_by("night").values_list("pk", flat=True)
    assert list(found) == [(1 + turn, NIGHT + turn) for turn in range(4)]
    assert str(DiaSource.objects.get(pk=(2, NIGHT + 1))) == "DiaSource 2"
