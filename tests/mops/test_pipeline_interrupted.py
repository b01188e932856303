"""Workers that die in every stage, two searches at once, a bad frame: nothing is lost, doubled or half-done."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from dayops.archive import store
from dayops.engine import claim, perform, work_off
from dayops.level1.models import MpcOrbit, SSObject, SSSource
from dayops.models import Phase, Task
from mops.models import KeptArrays, Linkage, Night, Submission
from mops.pipeline import attributing, kept, linking, publishing, purifying, reporting, tracklet_making
from mops.pipeline.start import STAGES, start
from mops.science.tracklets import TrackletConfig
from tests.mops.searched import LAST, SKY, load, search, work

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "archive-center"
STEPS = {
    "attribute": (attributing, "attribute_night"),
    "tracklets": (tracklet_making, "make"),
    "link": (linking, "link_block"),
    "purify": (purifying, "purify_night"),
    "publish": (publishing, "publish"),
    "report": (reporting, "queue"),
}
Function = Callable[..., Any]


def catalogue() -> dict[str, Any]:
    """What a search leaves, without keys and instants."""
    return {
        "objects": sorted(SSObject.objects.current().values_list("ssObjectId", "nObs", "MOIDEarth")),
        "orbits": sorted(MpcOrbit.objects.current().values_list("designation", "a", "e", "i")),
        "sources": sorted(SSSource.objects.current().values_list("diaSourceId", "ssObjectId", "ephOffsetRa")),
        "linkages": sorted(
            Linkage.objects.filter(night__state="PUBLISHED").values_list("identity", "verdict", "ss_object_id")
        ),
        "reports": sorted(Submission.objects.values_list("digest", "state")),
    }


def killed_before(function: Function) -> Function:
    return lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL)


def killed_after(function: Function) -> Function:
    def call_and_die(*args: Any, **options: Any) -> None:
        function(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return call_and_die


def queue_again() -> None:
    """What the tick does with the task of a dead worker, and no pause for any."""
    Task.objects.filter(phase=Phase.EXECUTING).update(phase=Phase.QUEUED, lease_until=None)
    Task.objects.update(not_before="2020-01-01T00:00Z")


def claimed(worker: str) -> Any:
    """The next task, as soon as PostgreSQL has freed what a dead worker held."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        queue_again()
        if found := claim(QUEUE, worker):
            return found
    return None


def die_at_work() -> int:
    """Perform the next task in a child with a database session of its own; returns how the child ended."""
    child = os.fork()
    if child == 0:
        inherited = connection.connection  # kept alive: its socket is the parent's
        connection.connection = None
        try:
            if found := claimed("a victim"):
                perform(found)
        finally:
            del inherited
            os._exit(0)
    return os.waitpid(child, 0)[1]


def next_stage() -> str:
    return Task.objects.filter(phase=Phase.QUEUED).order_by("pk").values_list("stage", flat=True)[0]


def test_workers_that_are_killed_in_every_stage_leave_the_catalogue_of_an_undisturbed_search(monkeypatch):
    load()
    undisturbed = _catalogue_of_a_search_that_is_forgotten()
    run = start(LAST, requested_by="otto")
    died = set()
    while Task.objects.filter(run=run, phase=Phase.QUEUED).exists():
        stage = next_stage()
        if stage not in died:
            died.add(stage)
            before = KeptArrays.objects.count(), Linkage.objects.count(), Submission.objects.count()
            for how in (killed_before, killed_after):
                owner, name = STEPS[stage]
                with monkeypatch.context() as patch:
                    patch.setattr(owner, name, how(getattr(owner, name)))
                    assert os.WTERMSIG(die_at_work()) == signal.SIGKILL, stage
                assert (KeptArrays.objects.count(), Linkage.objects.count(), Submission.objects.count()) == before
                assert SSObject.objects.exists() == (stage == "report")
        found = claimed("tester")
        assert found is not None
        perform(found)
    assert died == set(STAGES)
    assert set(Task.objects.filter(run=run).values_list("phase", flat=True)) == {"COMPLETED"}
    assert Night.objects.get(run=run).state == Night.State.PUBLISHED
    assert catalogue() == undisturbed
    assert list(store().incoming.iterdir()) == []
    assert set(KeptArrays.objects.values_list("sha256", flat=True)) <= kept.referenced()


def _catalogue_of_a_search_that_is_forgotten() -> dict[str, Any]:
    """As if the search had never been, so that the next one is the first again."""
    search()
    found = catalogue()
    assert found["objects"]
    assert found["reports"]
    for model in (Submission, KeptArrays, Linkage, Night):
        model.objects.all().delete()
    with connection.cursor() as cursor:
        for table in (SSObject, SSSource, MpcOrbit):
            cursor.execute(f"TRUNCATE {connection.ops.quote_name(table._meta.db_table)}")
    return found


def test_a_step_that_fails_once_is_tried_again_and_the_night_is_published(monkeypatch):
    load(nights=3)
    failed: list[str] = []
    for stage, (owner, name) in STEPS.items():
        monkeypatch.setattr(owner, name, _failing_once(getattr(owner, name), stage, failed))
    run = start(LAST, requested_by="otto")
    while Task.objects.filter(run=run, phase=Phase.QUEUED).exists():
        work(run)
    assert failed == list(STAGES)
    assert Night.objects.get(run=run).state == Night.State.PUBLISHED
    assert SSObject.objects.current().count() == Linkage.objects.filter(verdict="ACCEPTED").count() > 0


def _failing_once(function: Function, stage: str, failed: list[str]) -> Function:
    def call(*args: Any, **options: Any) -> Any:
        if stage not in failed:
            failed.append(stage)
            raise ZeroDivisionError(f"a bug in {stage}")
        return function(*args, **options)

    return call


def test_two_workers_search_one_night_twice_at_once_and_one_catalogue_stands():
    load(nights=3)
    runs = [start(LAST, requested_by=who, key=who) for who in ("otto", "olivia")]
    workers = [threading.Thread(target=_work_off, args=(name,)) for name in ("one", "two")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert set(Task.objects.filter(run__in=runs).values_list("phase", flat=True)) == {"COMPLETED"}
    assert sorted(Night.objects.values_list("state", flat=True)) == [Night.State.PUBLISHED, Night.State.REPLACED]
    objects = list(SSObject.objects.current().values_list("ssObjectId", flat=True))
    published = Linkage.objects.filter(night__state="PUBLISHED", verdict="ACCEPTED")
    assert len(objects) == len(set(objects))
    assert set(objects) == set(published.values_list("ss_object_id", flat=True))
    sources = SSSource.objects.current().values_list("diaSourceId", flat=True)
    assert len(sources) == len(set(sources))
    assert len(set(Submission.objects.values_list("ss_object_id", flat=True))) == Submission.objects.count()


def _work_off(name: str) -> None:
    try:
        while Task.objects.filter(phase__in=[Phase.QUEUED, Phase.PENDING, Phase.EXECUTING]).exists():
            if not work_off(QUEUE, name):
                time.sleep(0.05)
    finally:
        connection.close()


def test_a_bad_frame_is_refused_with_its_figure_and_what_was_published_stays(monkeypatch):
    load(nights=3)
    night = search()
    before = catalogue()
    tight = TrackletConfig(max_per_visit=3)
    monkeypatch.setattr(tracklet_making, "limits", lambda wanted: tight)
    flooded = search(may_fail=True)
    task = Task.objects.get(run=flooded.run, stage="tracklets", phase="ERROR")
    assert task.error_class == "BadInput"
    assert task.attempt == 1, "more tries would find the same"
    assert "detections, more than the 3 that a usable visit can have: leave it out" in task.error
    assert flooded.state == Night.State.MAKING
    night.refresh_from_db()
    assert night.state == Night.State.PUBLISHED
    assert catalogue() == before


def test_too_many_tracklets_are_refused_with_their_figure_not_by_running_out_of_memory(monkeypatch):
    load(nights=3)
    monkeypatch.setattr(tracklet_making, "limits", lambda wanted: TrackletConfig(max_tracklets=1))
    flooded = search(may_fail=True)
    failed = Task.objects.filter(run=flooded.run, stage="tracklets", phase="ERROR")
    assert failed.count() > 0
    assert all("which is more than the 1 allowed in all" in task.error for task in failed)
    assert flooded.state == Night.State.MAKING
    assert not SSObject.objects.exists()


def test_a_night_that_is_loaded_twice_gives_the_same_catalogue():
    assert load(nights=3) > 0
    assert load(nights=3, sky=SKY) == 0
    night = search()
    assert night.truth["purity"] == 1.0


def test_a_night_that_is_missing_is_searched_over():
    load(leave_out=(20261119,))
    night = search()
    assert night.state == Night.State.PUBLISHED
    for linkage in night.linkages.filter(verdict="ACCEPTED"):
        assert 20261119 not in linkage.nights
        assert len(linkage.nights) == 3
