"""Loads that meet, that are killed, and snapshots taken between."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.db import connection, transaction

from dayops.embedded import CHECKOUT
from dayops.level1 import loading
from dayops.level1.columns import Columns
from dayops.level1.instants import instant, snapshot
from dayops.level1.loading import load, load_columns
from dayops.level1.models import DiaSource, Load
from dayops.level1.partitioning import nights_of
from dayops.level1.reading import dia_sources
from tests.dayops.level1.tables import MJD, NIGHT, sources

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _without_partitions() -> Iterator[None]:
    """A committed night stays a partition when its rows are gone; here each test wants its nights to be new."""
    _drop()
    yield
    _drop()


def _drop() -> None:
    with connection.cursor() as cursor:
        for night in nights_of("DiaSource"):
            cursor.execute(f'DROP TABLE "DiaSource_{night}"')


def at_once(*works: Callable[[], Any]) -> list[BaseException]:
    """Do all in threads with sessions of their own, begun together; what they raised."""
    together = threading.Barrier(len(works))
    raised: list[BaseException] = []

    def one(work: Callable[[], Any]) -> None:
        try:
            together.wait(timeout=30)
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'level1_load_%%_2%%' AND relkind = 'r'")
        return [name for (name,) in cursor.fetchall()]


def count() -> int:
    return int(DiaSource.objects.count())


def test_the_same_night_loaded_by_many_at_once_is_there_once():
    done: list[loading.Loaded] = []
    works = [lambda: done.append(load_columns(sources(2_000))) for _ in range(4)]
    assert at_once(*works) == []
    assert count() == 2_000
    assert sorted(one.rows for one in done) == [0, 0, 0, 2_000]
    assert tables() == []


def test_loads_of_the_same_nights_in_opposite_order_do_not_wait_for_each_other_for_ever():
    def batches(order: list[int], first: int) -> list[Columns]:
        return [
            sources(200, first_id=first + 1_000 * night, midpointMjdTai=np.full(200, MJD + night)) for night in order
        ]

    raised = at_once(
        lambda: load(batches([0, 1, 2], 1)), lambda: load(batches([2, 1, 0], 101)), lambda: load(batches([1, 0, 2], 51))
    )
    assert raised == []
    assert count() == 3 * 300


def test_different_nights_at_once_are_both_there():
    raised = at_once(
        lambda: load_columns(sources(500)),
        lambda: load_columns(sources(500, first_id=1_000, midpointMjdTai=np.full(500, MJD + 1))),
    )
    assert raised == []
    assert [len(dia_sources([night])["ra"]) for night in (NIGHT, NIGHT + 1)] == [500, 500]


def test_a_snapshot_never_gains_rows_whoever_was_committing_meanwhile():
    seen: list[tuple[float, int]] = []

    def watch() -> None:
        for _ in range(60):
            at = snapshot()
            seen.append((at, len(dia_sources([NIGHT], as_of_mjd_tai=at, columns=["diaSourceId"])["diaSourceId"])))
            time.sleep(0.005)

    def bring(first: int) -> None:
        for turn in range(4):
            load_columns(sources(50, first_id=first + 100 * turn))

    assert at_once(watch, lambda: bring(1), lambda: bring(10_001)) == []
    for at, number in seen:
        assert len(dia_sources([NIGHT], as_of_mjd_tai=at, columns=["diaSourceId"])["diaSourceId"]) == number
    assert count() == 400


def test_whoever_asks_for_an_instant_waits_for_the_commit_of_the_one_before():
    order: list[str] = []
    asked = threading.Event()

    def slow() -> None:
        with transaction.atomic():
            instant()
            asked.set()
            time.sleep(0.3)
            order.append("committed")

    def quick() -> None:
        asked.wait(10)
        snapshot()
        order.append("snapshot")

    assert at_once(slow, quick) == []
    assert order == ["committed", "snapshot"]


def test_a_load_that_fails_in_the_middle_leaves_nothing():
    def batches() -> Iterator[Columns]:
        yield sources(500)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="the disk went away"):
        load(batches())
    assert (count(), Load.objects.count(), nights_of("DiaSource"), tables()) == (0, 0, [], [])


KILLED = """
import time
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
django.setup()
from dayops.level1.loading import load
from tests.dayops.level1.tables import sources
def batches():
    yield sources(3_000)
    yield sources(3_000, first_id=5_000)
    print("in the middle", flush=True)
    time.sleep(60)
load(batches(), tell=lambda text: print(text, flush=True))
"""


def test_a_load_that_is_killed_leaves_nothing_and_can_be_given_again():
    name = settings.DATABASES["default"]["NAME"]  # the tests' own database, not that of the child's settings
    program = KILLED.format(name=name)
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "dayops.settings"}
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines = [child.stdout.readline(), child.stdout.readline(), child.stdout.readline()]
    assert "in the middle\n" in lines
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    child.stdout.close()
    until = time.monotonic() + 20
    while _others() and time.monotonic() < until:
        time.sleep(0.05)
    assert (count(), Load.objects.count(), nights_of("DiaSource"), tables()) == (0, 0, [], [])
    assert load_columns(sources(3_000)).rows == 3_000


def _others() -> int:
    """Sessions in this database beside our own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])
