"""`manage.py level1_load`, as a person gives it."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from dayops.level1.models import DiaSource, Load
from dayops.models import Event
from tests.dayops.level1.tables import MJD, NIGHT, sources
from tests.dayops.level1.test_files import csv, fits, parquet

pytestmark = pytest.mark.django_db


def given(*words: object) -> str:
    out = StringIO()
    call_command("level1_load", *map(str, words), stdout=out)
    return out.getvalue()


def refused(*words: object) -> tuple[str, str]:
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("level1_load", *map(str, words), stdout=out)
    return out.getvalue(), str(error.value)


def test_files_of_every_kind_are_loaded_and_told_of(tmp_path):
    paths = [
        parquet(tmp_path / "a.parquet", sources(5)),
        csv(tmp_path / "b.csv", sources(5, first_id=6)),
        fits(tmp_path / "c.fits", sources(5, first_id=11, midpointMjdTai=np.full(5, MJD + 1))),
    ]
    said = given(*paths)
    assert f"a.parquet: 5 of 5 rows loaded into {NIGHT}; 0 were there already, 0 refused." in said
    assert f"c.fits: 5 of 5 rows loaded into {NIGHT + 1};" in said
    assert "5 rows read, 5 new" in said
    assert DiaSource.objects.count() == 15
    assert Event.objects.filter(kind="level1.load").count() == 3


def test_the_same_file_again_loads_nothing(tmp_path):
    path = parquet(tmp_path / "a.parquet", sources(5))
    given(path)
    assert "0 of 5 rows loaded into no night; 5 were there already, 0 refused." in given(path)


def test_refused_rows_are_counted_by_reason_and_the_first_shown(tmp_path):
    ra = np.where(np.arange(20) < 8, 400.0, 5.0)
    said, remedy = refused(parquet(tmp_path / "a.parquet", sources(20, ra=ra)))
    assert "12 of 20 rows loaded" in said
    assert "8 × ra is outside [0, 360) degrees" in said
    assert "row 4, id 5: ra = 400.0 is outside [0, 360) degrees" in said
    assert "row 5, id 6" not in said
    assert "Mend those rows or files" in remedy
    assert Load.objects.get().refusals.count() == 8


def test_a_bad_file_does_not_keep_the_others_from_loading(tmp_path):
    good = parquet(tmp_path / "good.parquet", sources(5))
    said, _ = refused(tmp_path / "missing.csv", good)
    assert "missing.csv: refused. " in said
    assert DiaSource.objects.count() == 5


def test_forced_sources_are_loaded_when_their_table_is_named(tmp_path):
    from dayops.level1.models import DiaForcedSource
    from tests.dayops.level1.test_loading import forced

    path = parquet(Path(tmp_path) / "forced.parquet", forced(5))
    assert "5 of 5 rows loaded" in given(path, "--table", "DiaForcedSource")
    assert DiaForcedSource.objects.count() == 5
