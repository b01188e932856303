"""Jobs that are aborted, killed, or find the archive full or away: at every stage, and nothing is lost or doubled."""

import errno
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from calib.models import CertificationAction, Product, ProductSet
from calib.products import gate, keeping
from calib.products.generator import QUEUE, STAGES
from dayops import runs
from dayops.archive import content_store, incoming, store
from dayops.engine import Superseded, Work, claim, perform
from dayops.models import Phase, Run, Task
from tests.calib.masters import BEFORE, SMALL, files, made, start, steps, take, used, worked_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dayops.camera.load", lambda name: SMALL)


def step() -> Task | None:
    """Perform the next task, whatever pause it should make first, and say which it was."""
    work = claimed("tester")
    if work is None:
        return None
    perform(work)
    return Task.objects.get(pk=work.task_id)


def claimed(worker: str) -> Work | None:
    """The next task, as soon as PostgreSQL has freed what a dead worker held; None where there is none."""
    until = time.monotonic() + 10
    queue_again()
    while Task.objects.filter(phase=Phase.QUEUED).exists() and time.monotonic() < until:
        if work := claim(QUEUE, worker):
            return work
        queue_again()
    return None


def queue_again() -> None:
    """What the tick does with the task of a dead worker, and no pause for any."""
    Task.objects.filter(phase=Phase.EXECUTING).update(phase=Phase.QUEUED, lease_until=None)
    Task.objects.update(not_before="2026-01-01T00:00:00Z")


def up_to(stage: str) -> Iterator[Task]:
    """Perform tasks until the next one is of `stage`."""
    while not Task.objects.filter(stage=stage, phase=Phase.QUEUED).exists():
        done = step()
        assert done is not None
        assert done.phase == Phase.COMPLETED, done.error
        yield done


def test_a_job_may_be_aborted_at_every_stage_and_taken_up_again():
    take(BEFORE, only=steps("bias"))
    incumbents = files(made(BEFORE))
    gate.override(ProductSet.objects.get(), "sofia", "to have something that must not be harmed")
    take()
    run = start(days=1)
    for stage in STAGES:
        list(up_to(stage))
        runs.abort(run.pk, actor="the OCS", reason=f"at {stage}")
        assert step() is None, "nothing can be taken any more"
        assert used() == incumbents
        assert ProductSet.objects.get(run=run).state == "MAKING"
        runs.retry(run.pk, actor="the OCS", reason="go on")
    assert worked_off(run).state == "CERTIFIED"
    assert len(used()) == 11
    assert Product.objects.filter(product_set__run=run).count() == 11


def test_a_task_that_is_under_way_when_its_job_is_aborted_keeps_nothing(monkeypatch):
    take(only=steps("bias"))
    run = start()
    publish = keeping.publish

    def aborted_meanwhile(made_now: Any) -> Any:
        runs.abort(run.pk, actor="the OCS", reason="meanwhile")
        return publish(made_now)

    monkeypatch.setattr(keeping, "publish", aborted_meanwhile)
    work = claim(QUEUE, "tester")
    assert work is not None
    with pytest.raises(Superseded):
        perform(work)
    assert not Product.objects.exists()
    assert Run.objects.get().phase == "ABORTED"


Function = Callable[..., Any]


def killed_before(function: Function) -> Function:
    return lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL)


def killed_after(function: Function) -> Function:
    def call_and_die(*args: Any, **options: Any) -> None:
        function(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return call_and_die


POINTS = [  # before its file is kept, between file and rows, between rows and commit
    (keeping, "publish", killed_before),
    (keeping, "publish", killed_after),
    (keeping, "keep", killed_after),
]
OF_STAGE = {
    "verify": [(keeping, "keep_verification", killed_before), (keeping, "keep_verification", killed_after)],
    "certify": [(gate, "decide", killed_before), (gate, "decide", killed_after)],
}


def die_at_work() -> int:
    """Perform the next task in a child with a database session of its own; returns how the child ended."""
    child = os.fork()
    if child == 0:
        inherited = connection.connection  # kept alive: its socket is the parent's
        connection.connection = None
        try:
            if work := claimed("a victim"):
                perform(work)
        finally:
            del inherited
            os._exit(0)
    return os.waitpid(child, 0)[1]


def test_workers_that_are_killed_at_every_point_of_every_stage_leave_one_product_of_each(monkeypatch):
    take()
    run = start()
    for stage in STAGES:
        list(up_to(stage))
        before = Product.objects.count()
        for owner, name, how in OF_STAGE.get(stage, POINTS):
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, how(getattr(owner, name)))
                assert os.WTERMSIG(die_at_work()) == signal.SIGKILL
            assert Product.objects.count() == before
            assert not CertificationAction.objects.exists()
    while step() is not None:
        pass
    made_set = ProductSet.objects.get(run=run)
    assert (made_set.state, made_set.products.count()) == ("CERTIFIED", 11)
    assert used() == files(made_set)
    assert CertificationAction.objects.count() == 1
    assert set(Task.objects.values_list("phase", flat=True)) == {"COMPLETED"}
    assert list(store().incoming.iterdir()) == []


def no_space(source: Any, path: Path, limit_bytes: int) -> None:
    """What the system says in the middle of a copy to a disk that is full."""
    path.write_bytes(source.read(1000))
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_with_its_figures_and_waited_for(monkeypatch, settings, tmp_path):
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    take(only=steps("bias"))
    run = start()
    kept = {entry.key for entry in store().walk()}
    with monkeypatch.context() as patch:
        patch.setattr(incoming, "_copy", no_space)
        for _ in range(8):
            assert step() is not None
    waiting = Task.objects.get(key="bias R22_S11")
    assert (waiting.phase, waiting.error_class) == ("QUEUED", "ArchiveFull")
    assert waiting.error.startswith("No space left in ")
    assert waiting.max_attempts > waiting.attempt, "however often it was tried"
    assert {entry.key for entry in store().walk()} == kept
    assert list(store().incoming.iterdir()) == []
    assert not Product.objects.exists()
    made_set = worked_off_at_once(run)
    assert files(made_set).keys() == {("bias", "")}


def test_an_archive_that_is_away_is_told_and_waited_for(settings, tmp_path):
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    take(only=steps("bias"))
    run = start()
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    (tmp_path / "archive").write_text("a file where the folder should be")
    for _ in range(8):
        assert step() is not None
    waiting = Task.objects.get(key="bias R22_S11")
    assert (waiting.phase, waiting.error_class) == ("QUEUED", "ArchiveAway")
    assert waiting.error.startswith(f"The archive {tmp_path / 'archive'} cannot be used: ")
    (tmp_path / "archive").unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    assert files(worked_off_at_once(run)).keys() == {("bias", "")}


def test_a_frame_that_the_archive_has_lost_is_named_and_the_gate_refuses(settings, tmp_path):
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    lost = take(only=steps("bias"))[0]
    store().remove(lost.sha256)
    made_set = made()
    assert made_set.state == "REFUSED"
    assert [reason for reason in made_set.reasons if lost.sha256 in reason] == [
        f"R22_S11 bias: The archive {tmp_path / 'archive'} does not hold {lost.sha256}."
    ]


def test_a_master_that_the_archive_has_lost_is_named_when_it_is_needed(settings, tmp_path):
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    take(only=steps("bias", "dark"))
    run = start()
    list(up_to("dark"))
    bias = Product.objects.get()
    shutil.rmtree(tmp_path / "archive" / content_store.address(bias.sha256).rpartition("/")[0])
    made_set = worked_off_at_once(run)
    assert made_set.state == "REFUSED"
    assert f"R22_S11 dark: The archive {tmp_path / 'archive'} does not hold {bias.sha256}." in made_set.reasons


def worked_off_at_once(run: Run) -> ProductSet:
    while step() is not None:
        pass
    return ProductSet.objects.get(run=run)
