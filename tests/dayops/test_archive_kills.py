"""A worker killed at any step of archiving a frame loses nothing and doubles nothing."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from dayops.archive import hooks, jobs, store
from dayops.archive.catch_up import QUEUE, catch_up
from dayops.archive.content_store import Store
from dayops.archive.incoming import Partial
from dayops.camera_data_system import HttpCameraDataSystem
from dayops.engine import claim, perform
from dayops.models import Exposure, Phase, RawFrame, Task
from tests import frames
from tests.frames import frame_name
from tests.shelf import Shelf, served

pytestmark = pytest.mark.django_db(transaction=True)

Function = Callable[..., Any]


def killed_before(function: Function) -> Function:
    return lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL)


def killed_after(function: Function) -> Function:
    def call_and_die(*args: Any, **options: Any) -> None:
        function(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return call_and_die


POINTS: list[tuple[str, object, str, Callable[[Function], Function]]] = [
    ("before the first byte", HttpCameraDataSystem, "fetch", killed_before),
    ("when all bytes have come", HttpCameraDataSystem, "fetch", killed_after),
    ("before they are compared", Partial, "complete", killed_before),
    ("before publishing", Store, "publish", killed_before),
    ("between publishing and the rows", Store, "publish", killed_after),
    ("between the rows and the commit", jobs, "admit", killed_after),
]


def die_at_work() -> int:
    """Perform the next task in a child with a database session of its own; returns how the child ended."""
    child = os.fork()
    if child == 0:
        inherited = connection.connection  # kept alive: its socket is the parent's
        connection.connection = None
        work = claim(QUEUE, "a victim")
        assert work is not None
        perform(work)
        del inherited
        os._exit(0)
    return os.waitpid(child, 0)[1]


def work_off_within(seconds: float) -> None:
    """What the tick and another worker do next. PostgreSQL frees the dead one's lock within milliseconds."""
    until = time.monotonic() + seconds
    while Task.objects.exclude(phase=Phase.COMPLETED).exists() and time.monotonic() < until:
        Task.objects.filter(phase=Phase.EXECUTING).update(phase=Phase.QUEUED, lease_until=None)
        Task.objects.update(not_before="2026-01-01T00:00:00Z")
        if work := claim(QUEUE, "a survivor"):
            perform(work)


@pytest.mark.parametrize(("owner", "name", "how"), [point[1:] for point in POINTS], ids=[point[0] for point in POINTS])
def test_a_worker_killed_at_any_step_leaves_one_frame_after_the_next_try(
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    how: Callable[[Function], Function],
):
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    settings.CAMERA_DATA_SYSTEM = ""
    queued: list[RawFrame] = []
    monkeypatch.setattr(hooks, "_hooks", [queued.append])
    with served(Shelf.of(tmp_path / "shelf", {frame_name(0, 1): frames.minicam(0, 1)})) as url:
        catch_up(url)
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, how(getattr(owner, name)))
            assert os.WTERMSIG(die_at_work()) == signal.SIGKILL
        assert RawFrame.objects.count() == 0
        work_off_within(10)
    frame = RawFrame.objects.get()
    assert queued == [frame]
    assert Exposure.objects.count() == 1
    assert store().verify(frame.sha256) == frame.size
    assert len(list(store().walk())) == 1
    assert list(store().incoming.iterdir()) == []
