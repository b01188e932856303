"""How a device changes: one at a time, every state and every acknowledgement an event in the same transaction.

Changes of all devices are made one after the other, so that their events become visible in the order of their numbers:
who replays from a number misses none. Locks are taken in the order of `dayops.runs`, with these before them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from dayops import alarms, events
from dayops.devices.acknowledgements import Ack
from dayops.devices.registry import kind_of
from dayops.devices.states import State, keeps_configuration
from dayops.models import Command, Device, Event, Phase, Severity
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible

SILENT_AFTER = timedelta(seconds=15)
COMMAND, ACK, STATE, LOCK_OUT = "device.command", "device.ack", "device.state", "device.lock-out"
FAULTED, ABORTED_BY_COMMAND = 1, 2  # error codes
_ONE_AT_A_TIME = 0x0DEF1CE
_PHASES = {Ack.ACK: Phase.QUEUED, Ack.INPROGRESS: Phase.EXECUTING, Ack.COMPLETE: Phase.COMPLETED}
_BEATS = "Start: python manage.py scheduler"
_REMEDY = "Mend the cause, then command standby, start and enable."


def subject_of(name: str) -> str:
    """What its events, its alarm and its notes are about; also the key of its alarm."""
    return f"device:{name}"


@contextmanager
def changing(name: str) -> Iterator[Device]:
    """The device called `name`, locked, in a transaction. Raises UnknownDevice."""
    kind_of(name)
    with transaction.atomic():
        _wait_for_the_others()
        device, _ = Device.objects.get_or_create(name=name)
        yield Device.objects.select_for_update(no_key=True).get(pk=device.pk)


def _wait_for_the_others() -> None:
    """Until the transaction ends nobody else writes events about devices."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])


def state_now(device: Device, now: datetime) -> tuple[State, str]:
    """The state that counts, and why where it is FAULT: without a heartbeat that is where a device is, too."""
    silent = now - device.heartbeat_at
    if device.state not in {State.OFFLINE, State.FAULT} and silent > SILENT_AFTER:
        return State.FAULT, f"No heartbeat for {silent.total_seconds():.0f} s: no scheduler looks after it. {_BEATS}"
    return State(device.state), device.reason


def say(kind: str, device: Device, text: str, *, actor: str, data: dict[str, Any], **more: Any) -> Event:
    """One event about a device."""
    return events.record(kind, text, actor=actor, subject=subject_of(device.name), data=data, **more)


def acknowledge(command: Command, ack: Ack, text: str, **fields: Any) -> None:
    """Answer a command: its row and an event. Other `fields` of the row are changed with it."""
    phase = _PHASES.get(ack) or (Phase.ABORTED if ack == Ack.ABORTED else Phase.ERROR)
    times: dict[str, Any] = {"ended_at": Now()} if phase in Phase.ended() else {}
    if phase == Phase.EXECUTING or (phase == Phase.COMPLETED and command.phase != Phase.EXECUTING):
        times["started_at"] = Now()
    Command.objects.filter(pk=command.pk).update(phase=phase, ack=ack, text=text, **times, **fields)
    command.refresh_from_db()
    data = {
        "command": command.pk,
        "name": command.name,
        "key": command.key,
        "ack": ack.value,
        "label": ack.label,
        "phase": phase.value,
        "job_id": str(command.run_id) if command.run_id else None,
        "result": command.result,
    }
    severity = Severity.WARN if ack < 0 else Severity.INFO
    said = f"{command.device.name} answers {command.name} with {ack.value} {ack.label}: {text}"
    say(ACK, command.device, said, actor=command.device.name, data=data, severity=severity)


def trying(command: Command, do: Callable[[], None]) -> None:
    """Obey a command as a whole or not at all: what cannot be done is refused with its sentence."""
    try:
        with transaction.atomic():
            do()
    except ValueError as error:
        acknowledge(command, Ack.FAILED, str(error), refused=Command.Refused.PARAMETERS)
    except NotPossible as error:
        acknowledge(command, Ack.FAILED, str(error), refused=Command.Refused.STATE)


def change_state(device: Device, to: State, *, actor: str, why: str, because: str = "", **fields: Any) -> None:
    """Bring a locked device into another state, and say so: `why` for the record, `because` a person's reason.

    It keeps its configuration in DISABLED, ENABLED and FAULT; `fields` are other columns that change with the state.
    Leaving FAULT clears its alarm.
    """
    was = State(device.state)
    kept = {} if keeps_configuration(to) else {"configuration_name": "", "configuration": {}}
    well = {} if to == State.FAULT else {"reason": "", "error_code": 0, "fault_from": ""}
    Device.objects.filter(pk=device.pk).update(state=to.value, state_since=Now(), **kept, **well, **fields)
    device.refresh_from_db()
    data = {
        "state": to.value,
        "code": to.code,
        "from": was.value,
        "configuration": device.configuration_name,
        "error_code": device.error_code,
        "reason": device.reason,
    }
    severity = Severity.WARN if to == State.FAULT else Severity.INFO
    text = f"{device.name} is {to}, was {was}: {why}"
    say(STATE, device, text, actor=actor, data=data, reason=because, severity=severity)
    if was == State.FAULT and to != State.FAULT:
        alarms.clear(subject_of(device.name), why=f"{device.name} is {to}: {why}")


def lock_out(name: str, why: str, *, actor: str) -> None:
    """Lock a device out for engineering, because of the sentence `why`, or end that where it is empty; an event.

    Nothing that leads it towards work is obeyed meanwhile. What runs goes on, and all ways down stay open.
    """
    with changing(name) as device:
        Device.objects.filter(pk=device.pk).update(locked_out=why)
        text = f"{actor} locked {name} out for engineering: {why}" if why else f"{actor} ended the lock-out of {name}."
        say(LOCK_OUT, device, text, actor=actor, data={"locked_out": why})


def into_fault(device: Device, why: str, *, actor: str, because: str = "", error_code: int = FAULTED) -> bool:
    """Take a locked device into FAULT and raise its alarm; what runs goes on. False where it was OFFLINE or there."""
    if device.state in {State.OFFLINE, State.FAULT}:
        return False
    fault = {"reason": why, "error_code": error_code, "fault_from": device.state}
    change_state(device, State.FAULT, actor=actor, why=why, because=because, **fault)
    alarms.raise_alarm(
        key=subject_of(device.name),
        name="device_fault",
        activity=kind_of(device.name).activity,
        day_obs=ObservingDay.current().day_obs,
        sentence=f"{device.name} is in FAULT: {why}",
        remedy=_REMEDY,
        subject=subject_of(device.name),
    )
    return True
