"""`mops_simulate` and `mops_import`: what they say, and that what is wrong is a sentence, not a traceback."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dayops.level1.models import DiaSource, Visit
from dayops.observing_day import ObservingDay
from mops.management.commands import mops_simulate
from mops.models import SyntheticTruth
from mops.mpc.ades_write import ades_document, psv_bytes
from mops.mpc.obs80 import write_obs80
from tests.mops import nights
from tests.mops.mpc_observations import CONTEXT, tracklet
from tests.real_data import needs_real_data, real_file

DAY = 20261121


def run(command: str, *arguments: object, **options: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *map(str, arguments), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def imported(path, *arguments: object) -> tuple[list[dict[str, Any]], str]:
    out, err = run("mops_import", path, "--json", *arguments)
    return [json.loads(line) for line in out.splitlines()], err


@pytest.mark.real_data
@needs_real_data
class TestRealObservations:
    def file(self, name: str):
        return real_file("moving_objects", "mpc_observations", name)

    def test_an_interstellar_object_is_fitted_as_one(self):
        rows, said = imported(self.file("3I_ATLAS_ades.csv"))
        (row,) = rows
        assert "observations of 1 objects" in said
        assert row["e"] == pytest.approx(6.14, abs=0.8)  # of an arc of days; the whole one gives 6.14
        assert row["a"] < 0
        assert row["q"] == pytest.approx(1.36, abs=0.1)
        assert row["rms_arcsec"] < 1.5
        assert row["used"] <= row["observations"] == 48

    def test_a_table_has_a_line_an_object_with_a_verdict(self):
        out, _ = run("mops_import", self.file("3I_ATLAS_ades.csv"))
        head, line = out.splitlines()
        assert head.split()[:2] == ["object", "obs"]
        assert "orbit" in line.lower()

    def test_only_the_object_asked_for_is_fitted(self):
        path = self.file("4_random_mpc_ADES_provIDs_no_sats.csv")
        with pytest.raises(CommandError) as refused:
            imported(path, "--object", "1999 XX99")
        assert "The file has no 1999 XX99; it has " in str(refused.value)
        name = str(refused.value).partition("it has ")[2].rstrip(".").split(", ")[0]
        rows, _ = imported(path, "--object", name)
        assert [row["object"] for row in rows] == [name]
        assert rows[0]["nights"] >= 1


ROWS = [row for night in range(3) for row in tracklet(night)]


@pytest.mark.parametrize("content", [psv_bytes(ades_document(ROWS, CONTEXT)), write_obs80(ROWS).encode()])
def test_every_format_is_read_and_told(tmp_path, content):
    path = tmp_path / "observations.txt"
    path.write_bytes(content)
    rows, said = imported(path)
    assert f"{len(ROWS)} observations of 1 objects, 0 lines refused" in said
    assert all(row["verdict"] for row in rows)


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(CommandError, match=r"no\.psv cannot be read: No such file or directory\.$"):
        imported(tmp_path / "no.psv")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        imported(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 50, b"{}", b"<ades>", b"provID,ra\n1,2\n", b"not at all\n" * 9])
def test_a_file_without_an_observation_is_refused_in_words(tmp_path, content):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="holds no observation that can be used"):
        imported(path)


def test_a_malformed_line_is_named_and_the_others_are_read(tmp_path):
    path = tmp_path / "some.txt"
    good = write_obs80(ROWS).splitlines()
    path.write_text("\n".join([*good[:2], good[2][:40], *good[2:]]) + "\n")
    out, err = run("mops_import", path, "--json")
    assert "1 lines refused" in err
    assert str(len(ROWS)) in err
    assert out


def test_an_unknown_observatory_is_refused_with_its_code(tmp_path):
    path = tmp_path / "some.csv"
    lines = "".join(f"2026 GA1,1.{k},2.0,2026-04-0{k + 1}T03:04:05Z,QQQ\n" for k in range(6))
    path.write_text("provID,ra,dec,obsTime,stn\n" + lines)
    try:
        _, said = imported(path)
    except CommandError as refused:
        said = str(refused)
    assert "QQQ" in said or "no observation that can be used" in said


@pytest.mark.django_db(transaction=True)
class TestSimulate:
    def simulate(self, *more: object) -> str:
        out, _ = run("mops_simulate", "--day-obs", DAY, "--objects", 20, *more)
        return out

    def test_nights_are_loaded_with_their_truth(self):
        out = self.simulate("--nights", 2)
        assert "20 objects" in out
        assert "2026-11-21: " in out
        assert sorted(SyntheticTruth.objects.values_list("day_obs", flat=True)) == [20261120, DAY]
        assert DiaSource.objects.count() == sum(SyntheticTruth.objects.values_list("rows", flat=True)) > 0
        assert set(Visit.objects.values_list("night", flat=True)) == {20261120, DAY}

    def test_the_same_again_changes_nothing(self):
        self.simulate("--nights", 2)
        before = DiaSource.objects.count()
        assert "2026-11-21: 0 detections" in self.simulate("--nights", 2)
        assert DiaSource.objects.count() == before

    def test_nights_come_one_by_one_where_each_is_searched_first(self, monkeypatch):
        waited = []
        monkeypatch.setattr(mops_simulate, "_wait_for", lambda day: waited.append(day.day_obs))
        self.simulate("--nights", 2, "--as-they-come")
        assert waited == [20261120, DAY]
        assert SyntheticTruth.objects.count() == 2


@pytest.mark.parametrize("nights_wanted", [0, 1, 61, -3])
def test_a_number_of_nights_out_of_range_is_refused(nights_wanted):
    with pytest.raises(CommandError, match=f"--nights must be from 2 to 60, not {nights_wanted}"):
        run("mops_simulate", "--day-obs", DAY, "--nights", nights_wanted)


def test_what_is_no_night_is_refused_in_words():
    with pytest.raises(CommandError, match="20261350 is not a dayObs"):
        run("mops_simulate", "--day-obs", 20261350)


@pytest.mark.django_db
def test_waiting_ends_when_a_search_has_ended_and_says_so_when_none_does(monkeypatch):
    monkeypatch.setattr(mops_simulate, "LIMIT_S", 0.0)
    monkeypatch.setattr(mops_simulate, "POLL_S", 0.0)
    with pytest.raises(CommandError, match="2026-11-21 was not searched within 0 s: is a scheduler at work"):
        mops_simulate._wait_for(ObservingDay(DAY))
    nights.night(DAY)
    mops_simulate._wait_for(ObservingDay(DAY))
