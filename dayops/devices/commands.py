"""Giving a device a command. What is asked twice under one key is done once.

1. The device is locked, and the key looked up: the same command again gives what it came to the first time.
2. The command is written down and acknowledged with 300, whatever comes of it.
3. What the table of states forbids is refused with −302, and so is what its parameters make impossible.
4. A change of state is done at once: 303. `execute` starts a run: 301, and the scheduler's duty follows it to its end.
"""

import json
from typing import Any

from dayops.devices import jobs
from dayops.devices.acknowledgements import Ack
from dayops.devices.changes import (
    ABORTED_BY_COMMAND,
    COMMAND,
    acknowledge,
    change_state,
    changing,
    into_fault,
    say,
    state_now,
    trying,
)
from dayops.devices.clock import now
from dayops.devices.registry import kind_of
from dayops.devices.states import RULES, State, after, why_not
from dayops.models import Command, Device, Phase
from dayops.runs import NotPossible

LONGEST_KEY = 200
LONGEST_REASON = 500
MOST_PARAMETERS = 100_000  # characters of JSON
Refused = Command.Refused


class OtherCommand(NotPossible):
    """The key belongs to another command of the device; the message says which."""


def submit(
    device: str, name: str, parameters: dict[str, Any] | None, key: str, actor: str, reason: str = ""
) -> Command:
    """Give the device called `device` the command `name`, once for each `key`, and return it as it stands.

    What the state forbids comes back in phase ERROR with `refused` STATE, wrong parameters with PARAMETERS; `text` is
    the sentence. `reason` is a person's, for the record.

    Raises
    ------
    UnknownDevice
        There is no such device.
    OtherCommand
        The key was used for another command.
    ValueError
        In a sentence: no such command, no key, or parameters that are not an object of JSON.
    """
    kind_of(device)
    given = _parameters(parameters)
    key = _key(key)
    if name not in RULES:
        raise ValueError(f"{name[:40]!r} is no command; there are {', '.join(RULES)}.")
    with changing(device) as locked:
        if known := locked.commands.filter(key=key).first():
            return _same(known, name, given)
        command = locked.commands.create(
            key=key, name=name, parameters=given, phase=Phase.PENDING, requested_by=actor[:150]
        )
        data = {"command": command.pk, "name": name, "key": key, "parameters": given}
        say(
            COMMAND,
            locked,
            f"{actor} commands {device} to {name}.",
            actor=actor[:150],
            data=data,
            reason=_clean(reason),
        )
        acknowledge(command, Ack.ACK, "Received.")
        _answer(locked, command, _clean(reason))
        return command


def abort(command_id: int, *, actor: str, reason: str) -> Command:
    """Abort what a command started; one that is ABORTED already is left alone.

    Raises Command.DoesNotExist, and NotPossible where it is over.
    """
    name = Command.objects.select_related("device").get(pk=command_id).device.name
    with changing(name):
        command = Command.objects.select_related("device").get(pk=command_id)
        if command.phase != Phase.ABORTED:
            jobs.end(command, actor=actor, reason=_clean(reason) or "commanded without a reason")
        return command


def _answer(device: Device, command: Command, reason: str) -> None:
    state, _ = state_now(device, now())
    configured = bool(device.configuration_name)
    if problem := why_not(state, command.name, configured=configured, locked_out=device.locked_out):
        acknowledge(command, Ack.FAILED, problem, refused=Refused.STATE)
    else:
        trying(command, lambda: _obey(device, command, reason))


def _obey(device: Device, command: Command, reason: str) -> None:
    if command.name == "execute":
        jobs.begin(device, command)
    elif command.name == "abort_job":
        _expect(command, "job_id")
        why = reason or "commanded without a reason"
        done = jobs.abort_job(device, command.parameters["job_id"], actor=command.requested_by, reason=why)
        acknowledge(command, Ack.COMPLETE, done)
    else:
        _change(device, command, reason)
        acknowledge(command, Ack.COMPLETE, f"{device.name} is {device.state}.")


def _change(device: Device, command: Command, reason: str) -> None:
    """One of the commands that change the state. Raises ValueError for parameters that it does not take."""
    rule, actor = RULES[command.name], command.requested_by
    _expect(command, *(["configuration"] if rule.configures else []))
    to = after(State(device.state), command.name)
    why = f"{actor} commanded {command.name}."
    if to == State.FAULT:
        into_fault(device, why, actor=actor, because=reason, error_code=ABORTED_BY_COMMAND)
        return
    installed = _configuration(device, command.parameters["configuration"]) if rule.configures else {}
    change_state(device, to, actor=actor, why=why, because=reason, **installed)


def _configuration(device: Device, name: Any) -> dict[str, Any]:
    kind = kind_of(device.name)
    known = list(kind.configurations())
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"{str(name)[:80]!r} is no configuration of {device.name}; there are {', '.join(known)}.")
    return {"configuration_name": name, "configuration": dict(kind.configuration(name))}


def _expect(command: Command, *names: str) -> None:
    """Raises ValueError unless the parameters are exactly `names`."""
    given = set(command.parameters)
    if lacking := sorted(set(names) - given):
        raise ValueError(f"{command.name} lacks the parameter {', '.join(lacking)}.")
    if unknown := sorted(given - set(names)):
        takes = f"takes only {', '.join(names)}" if names else "takes no parameters"
        raise ValueError(f"{command.name} {takes}, but was given {', '.join(unknown)[:200]}.")


def _same(known: Command, name: str, parameters: dict[str, Any]) -> Command:
    if (known.name, known.parameters) == (name, parameters):
        return known
    raise OtherCommand(
        f"The key {known.key!r} belongs to {known}, which has another name or other parameters. "
        "Take a new key for each new command."
    )


def _key(key: str) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise ValueError(
            f"An idempotency key of 1 to {LONGEST_KEY} printable characters is needed, new for each new command, "
            "such as a UUID: the same key again is the same command."
        )
    return key


def _parameters(given: Any) -> dict[str, Any]:
    """As PostgreSQL will give them back. Raises ValueError for what is no object of JSON that it can keep."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise ValueError('parameters is not an object of JSON; expected e.g. {"configuration": "daytime"}.')
    try:
        text = json.dumps(given, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError("parameters holds what JSON does not know: NaN, an infinity or broken text.") from error
    if "\\u0000" in text:
        raise ValueError("parameters holds a NUL character, which cannot be kept.")
    if len(text) > MOST_PARAMETERS:
        raise ValueError(f"parameters is {len(text)} characters long; {MOST_PARAMETERS} may be.")
    kept: dict[str, Any] = json.loads(text)
    return kept


def _clean(reason: str) -> str:
    return reason.replace("\0", "").encode(errors="replace").decode().strip()[:LONGEST_REASON]
