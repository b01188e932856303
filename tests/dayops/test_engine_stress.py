"""Workers, a scheduler and people at one run at once, each with a session of its own: nobody waits in a circle."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest
from django.db import DatabaseError, connection

from dayops import runs, scheduler
from dayops.engine import Superseded, claim
from dayops.engine.claim import unlock
from dayops.engine.perform import _end_badly
from dayops.engine.work import BadInput
from dayops.models import Attempt, Phase, Run, Task
from tests.work import run_of, task

pytestmark = pytest.mark.django_db(transaction=True)

STAGES = ("bias", "dark", "flat")
QUEUE = "stress"
SECONDS = 6.0


class Stress:
    """What goes on around one run, and what went wrong."""

    def __init__(self) -> None:
        self.keys = count(1)
        self.run = run_of(*(self.new(stage) for stage in STAGES for _ in range(3)), stages=STAGES)
        self.until = time.monotonic() + SECONDS
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []

    def new(self, stage: str) -> runs.NewTask:
        return task(f"{stage}-{next(self.keys)}", stage=stage, queue=QUEUE, max_attempts=50)

    def work(self, dice: random.Random) -> None:
        work = claim(QUEUE, threading.current_thread().name)
        if work is None:
            return
        try:
            if dice.random() < 0.1:
                _end_badly(work, BadInput("it is wrong"))
            elif dice.random() < 0.9:  # otherwise it is lost
                with work.commit():
                    time.sleep(dice.uniform(0, 0.004))
        except Superseded:
            self.counts["superseded"] += 1
        finally:
            unlock(work.task_id)

    def tick(self, dice: random.Random) -> None:
        scheduler.recover()
        time.sleep(0.01)

    def add(self, dice: random.Random) -> None:
        runs.add_tasks(self.run, [self.new(dice.choice(STAGES)) for _ in range(dice.randint(1, 3))])
        time.sleep(dice.uniform(0, 0.02))

    def abort_and_retry(self, dice: random.Random) -> None:
        time.sleep(dice.uniform(0, 0.05))
        change = dice.choice([runs.abort, runs.retry, runs.retry, runs.rerun])
        change(self.run.pk, actor="stress", reason="why not")

    def repeat(self, action: Callable[[random.Random], None], seed: int) -> None:
        dice = random.Random(seed)
        try:
            while time.monotonic() < self.until and not self.troubles:
                try:
                    action(dice)
                    self.counts[action.__name__] += 1
                except runs.NotPossible:
                    self.counts[f"{action.__name__} refused"] += 1
        except DatabaseError as error:
            self.troubles.append(f"{action.__name__}: {error}")
        finally:
            connection.close()


def test_workers_scheduler_and_people_never_wait_in_a_circle_and_leave_a_whole_run() -> None:
    stress = Stress()
    actions = [stress.work] * 3 + [stress.tick] + [stress.add] * 2 + [stress.abort_and_retry] * 2
    threads = [threading.Thread(target=stress.repeat, args=(action, seed)) for seed, action in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not stress.troubles
    assert min(stress.counts[name] for name in ("work", "add", "abort_and_retry")) > 2, stress.counts
    _is_whole(stress.run.pk)


def _is_whole(pk: int) -> None:
    scheduler.recover()
    run = Run.objects.get(pk=pk)
    live = list(Task.objects.filter(run=pk, phase__in=[Phase.QUEUED, Phase.EXECUTING]))
    assert run.is_over != bool(live), f"{run.phase} with {len(live)} live tasks"
    assert not Attempt.objects.filter(outcome=Attempt.Outcome.RUNNING).exclude(task__phase=Phase.EXECUTING).exists()
    numbers = Task.objects.filter(run=pk).prefetch_related("attempts")
    assert all({attempt.number for attempt in its.attempts.all()} == set(range(1, its.attempt + 1)) for its in numbers)
