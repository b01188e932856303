"""A command never begins on tables that are missing or old: it makes them, or says how to."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.db.migrations.recorder import MigrationRecorder

from dayops.embedded import CHECKOUT
from dayops.processes import manage
from dayops.tables import TablesError, expect_tables


@pytest.mark.django_db
def test_tables_of_this_code_are_left_alone():
    expect_tables(make=True)


@pytest.mark.django_db
@pytest.mark.parametrize("make", [True, False])
def test_old_tables_are_refused_with_the_remedy_and_never_changed(make: bool):
    MigrationRecorder.Migration.objects.filter(app="calib").delete()
    with pytest.raises(TablesError, match=r"older than this code .* calib\.0001.* Run: python manage\.py migrate"):
        expect_tables(make=make)


@pytest.mark.django_db
def test_missing_tables_of_a_site_are_refused_with_the_remedy():
    MigrationRecorder.Migration.objects.all().delete()
    with pytest.raises(TablesError, match=r"are missing .* Run: python manage\.py migrate"):
        expect_tables(make=False)


def command(state: str, *words: str, **environment: str) -> subprocess.Popen[str]:
    dropped = ("DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return subprocess.Popen(
        manage(*words),
        env=kept | {"DAYOPS_STATE": state} | environment,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_first_commands_at_once_find_the_tables_made():
    with TemporaryDirectory(prefix="dayops-tables-") as state:
        Path(state).chmod(0o711)
        for started in [command(state, "run", "list"), command(state, "scrub")]:
            _, complaint = started.communicate(timeout=90)
            assert (started.returncode, complaint) == (0, "")


def test_a_database_that_is_away_is_told_in_a_sentence_without_a_traceback(tmp_path: Path):
    site = {
        "DATABASE_URL": "postgresql://dayops:x@127.0.0.1:1/dayops",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DAYOPS_SECRET_KEY": "abcdefghijklmnopqrstuvwxyz0123456789",
    }
    started = command(str(tmp_path), "scrub", **site)
    _, complaint = started.communicate(timeout=60)
    assert started.returncode == 1
    assert complaint.startswith("The database does not answer: ")
    assert len(complaint.splitlines()) == 1
