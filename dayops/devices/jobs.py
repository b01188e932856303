"""Jobs: what `execute` starts, how it is followed to its end, and how it is aborted.

A job is a run; its id is the run's number as text. What a job ends as is the run's phase: 303 with the result for
COMPLETED, −302 for ERROR or a result with exit code 1, −303 for ABORTED. `prereq_jobs` are waited for until they are
over, however they ended.
"""

import logging
from typing import Any

from django.db import transaction

from dayops import runs
from dayops.devices.acknowledgements import Ack
from dayops.devices.changes import acknowledge, changing, into_fault, trying
from dayops.devices.registry import EXIT_FAILED, EXIT_NOT_DONE, DeviceKind, kind_of, kinds
from dayops.devices.states import State
from dayops.models import Command, Device, Phase, Run
from dayops.runs import NotPossible

log = logging.getLogger(__name__)

LIVE = [Phase.QUEUED, Phase.EXECUTING]
_ENDS = {Phase.COMPLETED.value: Ack.COMPLETE, Phase.ABORTED.value: Ack.ABORTED}


def begin(device: Device, command: Command) -> None:
    """Start the job of an `execute`, or leave it QUEUED until its prerequisites are over. Raises ValueError."""
    kind = kind_of(device.name)
    if kind.execute is None:
        raise ValueError(f"{device.name} takes no jobs, so it cannot execute any.")
    if waiting := _waits_for(command):
        acknowledge(command, Ack.ACK, f"Waits until {_jobs(waiting)} over.")
    else:
        run = kind.execute(device, command.parameters, command)
        acknowledge(command, Ack.INPROGRESS, f"Job {run.pk} is under way.", run=run, result={"job_id": str(run.pk)})


def _jobs(runs_: list[Run]) -> str:
    names = ", ".join(str(run.pk) for run in runs_)
    return f"job {names} is" if len(runs_) == 1 else f"jobs {names} are"


def _waits_for(command: Command) -> list[Run]:
    """The prerequisites that are not over. Raises ValueError for what names no job."""
    wanted = {_job_id(job) for job in _named(command.parameters.get("prereq_jobs"))}
    found = {run.pk: run for run in Run.objects.filter(pk__in=wanted).order_by("pk")}
    if lacking := sorted(wanted - set(found)):
        raise ValueError(f"prereq_jobs names {', '.join(map(str, lacking))[:200]}, but there is no such job.")
    return [run for run in found.values() if not run.is_over]


def _named(given: Any) -> list[Any]:
    """Job ids as a list or, as OCPS sends them, as a text with commas."""
    if given is None or given == "":
        return []
    if isinstance(given, str):
        return [part for part in given.split(",") if part.strip()]
    if not isinstance(given, list):
        raise ValueError('prereq_jobs is not a list of job ids; expected e.g. ["17", "18"].')
    return given


def _job_id(given: Any) -> int:
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(f"{text[:40]!r} is no job id; expected a number such as {'17'!r}, as execute answered it.")
    return int(text)


def abort_job(device: Device, job_id: Any, *, actor: str, reason: str) -> str:
    """Abort the job `job_id` of a locked device; returns what was done in words.

    Raises ValueError where the device has no such job and NotPossible where it is over.
    """
    number = _job_id(job_id)
    command = device.commands.filter(run_id=number).order_by("-pk").first()
    if command is None:
        raise ValueError(f"{device.name} has no job {number}.")
    end(command, actor=actor, reason=reason)
    return f"Job {number} is aborted."


def end(command: Command, *, actor: str, reason: str) -> None:
    """Abort what a command of a locked device started. Raises NotPossible where it is over."""
    if command.is_over:
        raise NotPossible(f"{str(command).capitalize()} is {command.phase} already; there is nothing to abort.")
    result = command.result
    if command.run_id:
        runs.abort(command.run_id, actor=actor, reason=reason)
        run = Run.objects.get(pk=command.run_id)
        kind = kind_of(command.device.name)
        kind.abort(run)
        result = _outcome(kind, run)
    acknowledge(command, Ack.ABORTED, f"Aborted by {actor}: {reason}", result=result)


def follow() -> int:
    """Bring every live command forward: start what has waited long enough, end what is over. Returns how many moved."""
    known = [kind.name for kind in kinds()]
    live = Command.objects.filter(phase__in=LIVE, device__name__in=known).select_related("device", "run")
    return sum(_bring_forward(command) for command in live.order_by("pk") if _can_move(command))


def _can_move(command: Command) -> bool:
    if command.phase == Phase.QUEUED:
        return not _still_waits(command)
    return command.run is None or command.run.is_over


def _still_waits(command: Command) -> bool:
    try:
        return bool(_waits_for(command))
    except ValueError:
        return False  # a prerequisite was deleted: it is told when the command is brought forward


def _bring_forward(command: Command) -> bool:
    with changing(command.device.name) as device:
        command = Command.objects.select_related("run", "device").get(pk=command.pk)
        if command.phase not in LIVE or not _can_move(command):
            return False
        if command.phase == Phase.QUEUED:
            _begin_late(device, command)
        else:
            _finish(device, command)
    return True


def _begin_late(device: Device, command: Command) -> None:
    if device.state != State.ENABLED:
        text = f"Its prerequisites are over, but {device.name} is {device.state} now. Enable it and command it again."
        acknowledge(command, Ack.FAILED, text)
    else:
        trying(command, lambda: begin(device, command))


def _finish(device: Device, command: Command) -> None:
    run = command.run
    if run is None:
        acknowledge(command, Ack.FAILED, "Its run is gone.")
        return
    result = _outcome(kind_of(device.name), run)
    in_vain = run.phase == Phase.COMPLETED and result["exit_code"] == EXIT_FAILED
    ack = Ack.FAILED if in_vain else _ENDS.get(run.phase, Ack.FAILED)
    said = run.error or result["result"].get("sentence", "")
    acknowledge(command, ack, f"Job {run.pk} is {run.phase}{f': {said}' if said else '.'}", result=result)
    lost = run.tasks.filter(phase=Phase.ERROR, error_class="WorkerLost").order_by("pk").first()
    if ack == Ack.FAILED and lost is not None:
        into_fault(device, f"Job {run.pk} lost its worker: {lost.error}.", actor=device.name)


def _outcome(kind: DeviceKind, run: Run) -> dict[str, Any]:
    """What the OCS is told of a job. A kind that fails to say it must not keep the job from ending."""
    try:
        with transaction.atomic():
            exit_code, result = kind.result(run)
    except Exception as error:
        log.exception("the result of job %d cannot be told", run.pk)
        exit_code, result = EXIT_NOT_DONE, {"error": f"Its result cannot be told: {type(error).__name__}."}
    return {"job_id": str(run.pk), "exit_code": exit_code, "result": result}
