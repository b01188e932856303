"""What every test of DayMOPS begins with."""

import pytest
from django.db import connection

from dayops.level1.partitioning import nights_of, partition_name


@pytest.fixture(autouse=True)
def _without_the_nights_of_other_tests(request):
    """Partitions stay when their rows are flushed; a night of another test would wait to be searched."""
    if request.node.get_closest_marker("django_db") is None:
        return
    request.getfixturevalue("db")
    with connection.cursor() as cursor:
        for table in ("DiaSource", "DiaForcedSource"):
            for night in nights_of(table):
                cursor.execute(f'DROP TABLE "{partition_name(table, night)}"')
