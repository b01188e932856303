"""`manage.py run`: the buttons of the run page for people at a terminal."""

import getpass
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dayops.models import Event, Phase, Run
from tests.work import run_of, task

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def said(*words: str) -> str:
    out = StringIO()
    call_command("run", *words, stdout=out)
    return out.getvalue()


def test_runs_of_a_day_are_listed_with_their_progress():
    run = run_of(task("one"), task("two"))
    line = said("list", "--day-obs", "2026-11-22").splitlines()
    assert line == [f"{run.pk:>8}  QUEUED         0 of 2     a test run"]
    assert said("list", "--day-obs", "2026-11-21") == ""


def test_runs_are_listed_by_phase_and_activity():
    run_of(task("one"))
    assert said("list", "--day-obs", "2026-11-22", "--phase", "QUEUED", "--activity", "calib")
    assert not said("list", "--day-obs", "2026-11-22", "--phase", "ERROR")
    assert not said("list", "--day-obs", "2026-11-22", "--activity", "mops")


def test_a_run_is_shown_as_json():
    run = run_of(task("one"))
    assert json.loads(said("show", str(run.pk)))["stages"][0]["queued"] == 1


def test_a_run_is_aborted_and_the_record_says_by_whom():
    run = run_of(task("one"))
    assert "aborted" in said("abort", str(run.pk), "--reason", "wrong filter")
    assert Run.objects.get().phase == Phase.ABORTED
    told = Event.objects.get(kind="run.aborted")
    assert (told.actor, told.reason) == (f"command line: {getpass.getuser()}", "wrong filter")


def test_an_aborted_run_is_retried_and_run_again():
    run = run_of(task("one"))
    said("abort", str(run.pk), "--reason", "wrong filter")
    assert said("retry", str(run.pk), "--reason", "right filter").startswith("1 task will be tried again.")
    said("abort", str(run.pk), "--reason", "wrong again")
    said("rerun", str(run.pk), "--reason", "right now")
    assert Run.objects.get().phase == Phase.QUEUED


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "999999"), "There is no run 999999"),
        (("retry", "999999", "--reason", "x"), "There is no run 999999"),
        (("list", "--day-obs", "yesterday"), "is not a dayObs"),
        (("abort", "3"), "--reason"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(words, sentence):
    with pytest.raises(CommandError, match=sentence):
        said(*words)


def test_what_the_phase_does_not_allow_is_refused_in_words():
    run = run_of(task("one"))
    with pytest.raises(CommandError, match="wait until it ends, or abort it first"):
        said("rerun", str(run.pk), "--reason", "impatient")


def test_a_reader_that_has_had_enough_ends_the_command_in_silence():
    words = "import manage; manage._run = lambda words: print('x' * 100_000); manage.main()"
    with subprocess.Popen(
        [sys.executable, "-c", words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout and run.stderr
        run.stdout.read(10)
        run.stdout.close()
        assert (run.stderr.read(), run.wait(60)) == (b"", 141)
