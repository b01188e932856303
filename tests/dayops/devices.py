"""A device for tests that takes jobs, and a device that is brought to a state by its own commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

from django.db.models.functions import Now

from dayops import runs
from dayops.devices import registry
from dayops.devices.commands import submit
from dayops.devices.registry import DeviceKind
from dayops.devices.states import State
from dayops.models import Command, Device, Event, Run, WorkerProcess
from tests.work import DAY, task

BENCH = "Bench"
QUEUE = "alert-production"
_numbers = count(1)


def _configuration(name: str) -> dict[str, Any]:
    if name == "broken":
        raise ValueError("The configuration broken names a camera that is not there.")
    return {"camera": "minicam"}


def _execute(device: Device, parameters: dict[str, Any], command: Command) -> Run:
    if parameters.get("pipeline") not in {"tests.succeed", "tests.refuse"}:
        raise ValueError(f"There is no pipeline {parameters.get('pipeline')!r}.")
    run, _ = runs.start(
        activity="products",
        key=f"bench:{command.pk}",
        title="a job of the bench",
        day_obs=DAY,
        tasks=[task("one", parameters["pipeline"])],
        stages=["only"],
        requested_by=command.requested_by,
    )
    return run


def _result(run: Run) -> registry.Result:
    code, _ = registry.summary_of(run)
    return code, {"tasks": run.tasks.count()}


@contextmanager
def bench(name: str = BENCH) -> Iterator[DeviceKind]:
    """A kind of device that takes jobs, registered under `name` as long as the test lasts."""
    before = registry._kinds.get(name)
    kind = DeviceKind(
        name, "Bench", QUEUE, lambda: ["day", "night", "broken"], _configuration, _execute, result=_result
    )
    registry.register(kind)
    try:
        yield kind
    finally:
        registry._kinds.pop(name)
        if before is not None:
            registry.register(before)


def command(name: str, key: str = "", device: str = BENCH, reason: str = "", **parameters: Any) -> Command:
    """Command the device as the OCS would, under a new key unless told one."""
    return submit(device, name, parameters, key or f"key-{next(_numbers)}", "the OCS", reason)


def brought_to(state: State, device: str = BENCH) -> Device:
    """A device in `state`, by its own commands from OFFLINE."""
    ways = {
        State.OFFLINE: [],
        State.STANDBY: ["enterControl"],
        State.DISABLED: ["enterControl", "start"],
        State.ENABLED: ["enterControl", "start", "enable"],
        State.FAULT: ["enterControl", "start", "enable", "abort"],
    }
    for name in ways[state]:
        given = {"configuration": registry.kind_of(device).configurations()[0]} if name == "start" else {}
        assert command(name, device=device, **given).ack == 303
    return state_of(device)


def a_while_ago(seconds: float = 60, device: str = BENCH) -> None:
    """The device has been in its state for so long."""
    Device.objects.filter(name=device).update(state_since=Now() - timedelta(seconds=seconds))


def state_of(device: str = BENCH) -> Device:
    return registry.device_called(device)


def served(queue: str = QUEUE, seconds_ago: float = 0) -> WorkerProcess:
    """A worker of the queue, last seen so long ago."""
    row = WorkerProcess.objects.create(name=f"worker-{next(_numbers)}", host="here", pid=1, queue=queue)
    WorkerProcess.objects.filter(pk=row.pk).update(seen_at=Now() - timedelta(seconds=seconds_ago))
    return row


def told(kind: str = "", device: str = BENCH) -> list[Event]:
    """The events about the device, oldest first."""
    return list(Event.objects.filter(subject=f"device:{device}", kind__startswith=kind).order_by("pk"))


def acks(given: Command) -> list[int]:
    """Every acknowledgement of a command, in order."""
    return [event.data["ack"] for event in told("device.ack") if event.data["command"] == given.pk]
