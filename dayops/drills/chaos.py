"""The chaos drill: kill workers, work-horses and Valkey at random while tasks run, then count what is there.

1. N careful tasks and a control of naive ones wait on one queue; workers and a scheduler run as on any host.
2. A fault every moment: SIGKILL to a worker, a work-horse or both; a work-horse frozen past its lease; Valkey killed.
3. When all is quiet: every careful task must have left exactly its rows, once. The control must not, or the faults
   would not have been faults.
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection

from dayops import embedded, runs
from dayops.drills.chaos_steps import CREATE_TABLE, expected
from dayops.models import Attempt, Phase, Task
from dayops.observing_day import ObservingDay
from dayops.processes import Child, manage, stop_all, worker
from dayops.runs import NewTask

QUEUE = "alert-production"
LEASE_S = 4.0
FROZEN_S = 6.0


@dataclass(frozen=True, slots=True)
class Damage:
    """What was found when all was quiet."""

    committed: int
    lost: int
    doubled: int
    different: int
    control_damaged: int


@dataclass
class Faults:
    """Does harm, one fault at a time, and keeps count."""

    workers: list[Child]
    random: random.Random
    valkey_left: int
    counts: Counter[str] = field(default_factory=Counter)

    def next(self) -> None:
        choices: list[tuple[str, Callable[[], bool]]] = [
            ("worker", self._kill_worker),
            ("work-horse", self._kill_horse),
            ("worker and work-horse", self._kill_both),
            ("frozen work-horse", self._freeze_horse),
        ]
        name, harm = self.random.choice(choices)
        if self.valkey_left and self.random.random() < 0.15:
            name, harm = "Valkey", self._kill_valkey
        if harm():
            self.counts[name] += 1

    def valkey_now(self) -> None:
        """Kill Valkey as often as is still owed."""
        while self.valkey_left:
            self.counts["Valkey"] += self._kill_valkey()
            time.sleep(1.0)

    @property
    def kills(self) -> int:
        return sum(number for name, number in self.counts.items() if name != "frozen work-horse")

    def _victim(self) -> Child | None:
        """A worker, rather one that has a task in hand: the others lose nothing."""
        alive = [child for child in self.workers if child.alive]
        busy = [child for child in alive if _horses(child)]
        return self.random.choice(busy or alive) if alive else None

    def _kill_worker(self) -> bool:
        victim = self._victim()
        return victim is not None and victim.process is not None and _kill(victim.process.pid)

    def _kill_horse(self) -> bool:
        """The holder of a task in hand, when there is one."""
        ours = {horse for child in self.workers for horse in _horses(child)}
        running = Attempt.objects.filter(outcome=Attempt.Outcome.RUNNING).values_list("pid", flat=True)
        holders = [pid for pid in running if pid in ours]
        return bool(holders) and _kill(self.random.choice(holders))

    def _kill_both(self) -> bool:
        victim = self._victim()
        if victim is None or victim.process is None:
            return False
        for horse in _horses(victim):
            _kill(horse)
        return _kill(victim.process.pid)

    def _freeze_horse(self) -> bool:
        horses = [horse for child in self.workers for horse in _horses(child)]
        if not horses:
            return False
        horse = self.random.choice(horses)
        with suppress(ProcessLookupError):
            os.kill(horse, signal.SIGSTOP)
            threading.Timer(FROZEN_S, _thaw, [horse]).start()
            return True
        return False

    def _kill_valkey(self) -> bool:
        said = embedded.running(settings.STATE_DIR)
        if said is None:
            return False
        self.valkey_left -= 1
        return _kill(said["Valkey"])


def run(tasks: int, control: int, *, workers: int, seed: int, tell: Callable[[str], None]) -> tuple[Damage, Faults]:
    """Run the drill on the current (scratch) state."""
    with connection.cursor() as cursor:
        cursor.execute(CREATE_TABLE)
    dice = random.Random(seed)  # noqa: S311 (a drill that can be repeated, not a secret)
    for kind, number in (("careful", tasks), ("naive", control)):
        _queue(kind, number, dice)
    logs = Path(settings.STATE_DIR) / "log"
    environment = {"DAYOPS_DRILL": "1", "DAYOPS_LEASE_S": str(LEASE_S)}
    crew = [worker(QUEUE, number, logs, environment) for number in range(1, workers + 1)]
    scheduler = Child("scheduler", manage("scheduler"), logs / "scheduler.log", environment)
    faults = Faults(crew, dice, valkey_left=2)
    try:
        for child in (scheduler, *crew):
            child.start()
        most = max(tasks // 3, 14)
        _harm_until_done(faults, [scheduler, *crew], total=tasks + control, most_faults=most, tell=tell)
    finally:
        stop_all([scheduler, *crew])
    return _count(tasks, control), faults


def _queue(kind: str, number: int, dice: random.Random) -> None:
    new = [
        NewTask(
            stage="drill",
            key=f"{kind}-{i}",
            function=f"drill.{kind}",
            arguments={"key": f"{kind}-{i}", "seconds": round(dice.uniform(0.1, 0.8), 3)},
            queue=QUEUE,
            priority=dice.randrange(10),  # so that careful and naive tasks meet the same faults
            max_attempts=1000,
        )
        for i in range(number)
    ]
    runs.start(
        activity="drill",
        key=f"drill:{kind}",
        title=f"Chaos drill, {kind} tasks",
        day_obs=ObservingDay.current().day_obs,
        tasks=new,
        stages=["drill"],
    )


def _harm_until_done(
    faults: Faults, children: list[Child], *, total: int, most_faults: int, tell: Callable[[str], None]
) -> None:
    """Spread the faults over the whole work: never more than its share of them is done than of the tasks."""
    told = time.monotonic()
    while left := Task.objects.exclude(phase__in=Phase.ended()).count():
        time.sleep(faults.random.uniform(0.1, 0.5))
        done = (total - left) / total
        if sum(faults.counts.values()) < most_faults * min(1.0, 1.2 * done + 0.05):
            faults.next()
        if done > 0.8:
            faults.valkey_now()
        for child in children:
            child.pause_s = 0.1
            child.restart_if_dead()
        if time.monotonic() - told > 5:
            told = time.monotonic()
            tell(f"{left} tasks left; faults so far: {dict(faults.counts)}")


def _count(tasks: int, control: int) -> Damage:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_key, part, value FROM drill_row")
        rows: dict[str, list[tuple[int, str]]] = {}
        for key, part, value in cursor.fetchall():
            rows.setdefault(key, []).append((part, value))
    careful = {f"careful-{i}": sorted(rows.get(f"careful-{i}", [])) for i in range(tasks)}
    wanted = {key: list(enumerate(expected(key))) for key in careful}
    naive = {f"naive-{i}": sorted(rows.get(f"naive-{i}", [])) for i in range(control)}
    return Damage(
        committed=Task.objects.filter(key__in=careful, phase=Phase.COMPLETED).count(),
        lost=sum(len(found) < len(wanted[key]) for key, found in careful.items()),
        doubled=sum(len(found) > len(wanted[key]) for key, found in careful.items()),
        different=sum(set(found) != set(wanted[key]) for key, found in careful.items()),
        control_damaged=sum(found != list(enumerate(expected(key))) for key, found in naive.items()),
    )


def _horses(child: Child) -> list[int]:
    """Process ids of the work-horses of a worker."""
    if child.process is None:
        return []
    with suppress(OSError):
        children = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]
    return []


def _kill(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _thaw(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
