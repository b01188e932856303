"""The engine's rules hold whatever happens in whatever order: claimed, committed, lost, aborted, retried, added to."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count

import hypothesis.strategies as st
import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Hypothesis
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from dayops import runs, scheduler
from dayops.engine import BadInput, Superseded, Work, claim
from dayops.engine.claim import unlock
from dayops.engine.perform import _end_badly, _fail, _try_later
from dayops.models import Attempt, Phase, Run, Task
from tests.work import run_of, task

pytestmark = pytest.mark.django_db(transaction=True)

STAGES = ("bias", "dark", "flat")
LIVE = {Phase.QUEUED, Phase.EXECUTING}
_queues = count(1)


def _commit(work: Work, _: Exception) -> None:
    with work.commit() as result:
        result["attempt"] = work.attempt


def _die(work: Work, _: Exception) -> None:
    scheduler.recover()


class EngineRules(RuleBasedStateMachine):
    """One run on a queue of its own. `held` are the attempts in the hands of workers, newest and superseded alike."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = f"rules-{next(_queues)}"
        self.keys = count(1)
        self.held: list[Work] = []
        self.done: dict[int, tuple[object, ...]] = {}
        self.phase = str(Phase.QUEUED)  # as the invariants found it: preconditions are asked more often than all else
        self.run = run_of(*(self._new(stage) for stage in ("bias", "dark", "dark")), stages=STAGES)

    def teardown(self) -> None:
        with suppress(runs.NotPossible):
            runs.abort(self.run.pk, actor="rules", reason="the example is over")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")

    # What workers do

    @precondition(lambda self: self.phase in LIVE)
    @rule()
    def claim(self) -> None:
        work = self._take()
        if work:
            self.held.append(work)
        else:
            assert self._tasks().filter(phase=Phase.EXECUTING).exists(), "a live run in which nothing can be done"

    @precondition(lambda self: self.phase in LIVE)
    @rule(number=st.integers(1, 3))
    def do(self, number: int) -> None:
        for work in filter(None, (self._take() for _ in range(number))):
            with work.commit() as result:
                result["done"] = True
            unlock(work.task_id)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from([_commit, _end_badly, _fail, _try_later, _die]))
    def end(self, data: st.DataObject, how: Callable[[Work, Exception], None]) -> None:
        work = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        newest = self._tasks().filter(pk=work.task_id, attempt=work.attempt, phase=Phase.EXECUTING).exists()
        for _ in range(1 + newest * len(self.held)):  # superseded attempts of this very session hold it too
            unlock(work.task_id)
        try:
            how(work, BadInput("it is wrong"))
        except Superseded:
            assert not newest
        else:
            assert newest or how is not _commit, "a superseded attempt has committed"

    @precondition(lambda self: self.held)
    @rule()
    def stall(self) -> None:
        """All leases lapse; the holders stay where they are and do not know."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")  # or this very session would be ended
        self._tasks().filter(phase=Phase.EXECUTING).update(lease_until="2020-01-01T00:00Z")
        scheduler.recover()

    # What people and services do

    @precondition(lambda self: self.phase != Phase.ABORTED)
    @rule(stage=st.sampled_from(STAGES))
    def add(self, stage: str) -> None:
        runs.add_tasks(self.run, [self._new(stage)])

    @precondition(lambda self: self.phase in LIVE)
    @rule()
    def abort(self) -> None:
        runs.abort(self.run.pk, actor="rules", reason="why not")

    @precondition(lambda self: self.phase in {Phase.ERROR, Phase.ABORTED})
    @rule()
    def retry(self) -> None:
        runs.retry(self.run.pk, actor="rules", reason="why not")

    @precondition(lambda self: self.phase in Phase.ended())
    @rule()
    def rerun(self) -> None:
        self.done.clear()
        runs.rerun(self.run.pk, actor="rules", reason="why not")

    # What is true at every moment

    @invariant()
    def the_phase_of_the_run_follows_from_its_tasks(self) -> None:
        run, phases = Run.objects.get(pk=self.run.pk), set(self._tasks().values_list("phase", flat=True))
        self.phase = run.phase
        if phases & LIVE:
            assert run.phase in LIVE
            assert run.phase == Phase.EXECUTING or Phase.EXECUTING not in phases
        else:
            ends = (phase for phase in (Phase.ABORTED, Phase.ERROR) if phase in phases)
            assert run.phase == next(ends, Phase.COMPLETED)
            assert run.phase != Phase.COMPLETED or phases == {Phase.COMPLETED}
        assert run.is_over == (run.ended_at is not None)
        assert run.started_at is not None or run.phase != Phase.EXECUTING

    @invariant()
    def what_is_completed_stays_as_it_is(self) -> None:
        fields = ("pk", "attempt", "result", "ended_at", "started_at", "phase")
        now = {row[0]: row for row in self._tasks().filter(phase=Phase.COMPLETED).values_list(*fields)}
        assert self.done.items() <= now.items()
        self.done = now

    @invariant()
    def attempts_are_numbered_and_one_runs_where_a_task_executes(self) -> None:
        for its in self._tasks().prefetch_related("attempts"):
            attempts = sorted(its.attempts.all(), key=lambda attempt: attempt.number)
            running = [attempt.number for attempt in attempts if attempt.outcome == Attempt.Outcome.RUNNING]
            assert [attempt.number for attempt in attempts] == list(range(1, its.attempt + 1))
            assert running == ([its.attempt] if its.phase == Phase.EXECUTING else [])
            assert all((attempt.ended_at is None) == (attempt.number in running) for attempt in attempts)
            assert (its.ended_at is not None) == (its.phase in Phase.ended())
            assert (its.lease_until is not None) == (its.phase == Phase.EXECUTING)

    # Builders

    def _new(self, stage: str) -> runs.NewTask:
        return task(f"{stage}-{next(self.keys)}", stage=stage, queue=self.queue, max_attempts=2)

    def _tasks(self):
        return Task.objects.filter(run=self.run.pk)

    def _take(self) -> Work | None:
        self._tasks().update(not_before="2020-01-01T00:00Z")  # pauses are another test's subject
        work = claim(self.queue, "rules")
        if work:
            taken = Task.objects.get(pk=work.task_id)
            earlier = self._tasks().filter(ordinal__lt=taken.ordinal).exclude(phase=Phase.COMPLETED)
            assert not earlier.exists(), f"{taken.stage} is claimed before {earlier[0].stage} is complete"
        return work


def test_the_rules_hold_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "ring_on_commit", lambda queues: None)  # nobody listens
    small = settings(
        max_examples=20,
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Hypothesis.generate],  # shrinking would take minutes; an example is short enough to read
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(EngineRules, settings=small)
