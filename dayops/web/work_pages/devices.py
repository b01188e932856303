"""Devices for people: all of them, and one with its buttons, its job, its acknowledgements and its history."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from uuid import uuid4

from django.contrib import messages
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from dayops.devices import commands, registry
from dayops.devices.acknowledgements import label_of
from dayops.devices.changes import subject_of
from dayops.devices.reading import Reading, read, read_all
from dayops.devices.registry import UnknownDevice
from dayops.devices.states import RULES, Rule
from dayops.models import Command, Event, Phase, Run
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.version import code_version
from dayops.web.access import require, why_not
from dayops.web.api.ocs import MAY_COMMAND
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.facts import facts
from dayops.web.work_pages.operations import REASON_LIMIT, actor_of
from dayops.web.work_pages.runs import run_url
from dayops.web.work_pages.texts import Unbroken

ABORT_JOB = "abort_job"
BY_PROGRAM = {"execute", ABORT_JOB, "stop"}  # a job's parameters are the OCS's; jobs have their own abort button
LOOKS = {"abort": "danger", "enable": "primary"}
ACKS_SHOWN = 12
_OLD = "LDM-230: "


@dataclass(frozen=True, slots=True)
class Button:
    """A command as this page offers it; `blocked` says why it may not be pressed."""

    rule: Rule
    look: str
    blocked: str

    @property
    def words(self) -> str:
        """What it does, as a sentence."""
        summary = self.rule.summary.removeprefix(_OLD)
        return f"{summary[0].upper()}{summary[1:]}."


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is not over, and how many of its run's tasks are done."""

    command: Command
    done: int
    total: int

    @property
    def url(self) -> str:
        return run_url(self.command.run) if self.command.run else ""


def device_url(name: str) -> str:
    return reverse("device", args=[name])


def _state(event: Event) -> str:
    return str(event.data.get("state", ""))


def _ack(event: Event) -> str:
    code = event.data.get("ack")
    return Unbroken(f"{code} {label_of(code)}") if isinstance(code, int) else ""


HISTORY = Table(
    "device",
    (
        Column("event", "Event", lambda event: event.pk, order="pk"),
        Column("at", "At", lambda event: event.at, "instant", order="at", unit="UTC"),
        Column("kind", "Kind", lambda event: event.kind.removeprefix("device."), order="kind"),
        Column("state", "State", _state, "status"),
        Column("ack", "Acknowledgement", _ack),
        Column("text", "What happened", lambda event: event.text),
        Column("reason", "Reason", lambda event: event.reason),
        Column("actor", "Who", lambda event: event.actor, order="actor"),
        Column("command", "Command", lambda event: event.data.get("command"), "number", on_page=False),
        Column("job_id", "Job", lambda event: event.data.get("job_id"), on_page=False),
    ),
    search=("text", "reason", "actor"),
    filters=(
        Filter(
            "kind",
            "Kind",
            [("device.state", "states"), ("device.command", "commands"), ("device.ack", "acknowledgements")],
            "kind",
        ),
    ),
    page_size=50,
)


@require_safe
@conditional_page
def device_list(request: HttpRequest) -> HttpResponseBase:
    """Every device with its state and its jobs; live."""
    rows = [(reading, list(_jobs(reading))) for reading in read_all()]
    template = "devices/list_live.html" if is_fragment(request) else "devices/list.html"
    return render(request, template, {"rows": rows})


@require_safe
@conditional_page
def device_page(request: HttpRequest, device: str, day: ObservingDay | None = None) -> HttpResponseBase:
    """One device, whole or as the fragment that keeps it current; its history is exported as CSV, JSON or FITS."""
    reading = _reading(device)
    context = {
        "reading": reading,
        "device": reading.device,
        "subject": subject_of(device),
        "groups": _groups(reading),
        "configurations": reading.kind.configurations(),
        "configuration": facts(reading.device.configuration),
        "jobs": list(_jobs(reading)),
        "acks": _acknowledgements(device),
        "may_not": why_not(request, MAY_COMMAND),
        "reason_limit": REASON_LIMIT,
        "version": code_version(),
        "crumbs": [("Devices", reverse("devices")), (reading.kind.title, "")],
    }
    template = "devices/device_live.html" if is_fragment(request) else "devices/device.html"
    return replace(HISTORY, name=f"history-of-{device}").respond(request, _history(device), template, context)


def _reading(name: str) -> Reading:
    try:
        return read(registry.device_called(name))
    except UnknownDevice as error:
        raise Http404(str(error)) from error


def _groups(reading: Reading) -> list[tuple[str, list[Button]]]:
    """SAL's commands, and LDM-230's words for them."""
    buttons = [
        Button(rule, LOOKS.get(rule.name, ""), problem)
        for rule, problem in reading.commands()
        if rule.name not in BY_PROGRAM
    ]
    old = [button for button in buttons if button.rule.summary.startswith(_OLD)]
    return [("Commands", [button for button in buttons if button not in old]), ("In the words of LDM-230", old)]


def _jobs(reading: Reading) -> Iterator[Job]:
    jobs = list(reading.jobs())
    runs = Run.objects.filter(pk__in=[job.run_id for job in jobs])
    counted = runs.annotate(all=Count("tasks"), done=Count("tasks", filter=Q(tasks__phase=Phase.COMPLETED)))
    numbers = {run.pk: (run.done, run.all) for run in counted}
    return (Job(job, *numbers.get(job.run_id or 0, (0, 0))) for job in jobs)


def _history(name: str) -> QuerySet[Event]:
    return Event.objects.filter(subject=subject_of(name)).order_by("-pk")


def _acknowledgements(name: str) -> QuerySet[Command]:
    """The newest commands with how they were answered last."""
    took = ExpressionWrapper(F("ended_at") - F("created_at"), output_field=DurationField())
    newest = Command.objects.filter(device__name=name).annotate(took=took).select_related("run")
    return newest.order_by("-pk")[:ACKS_SHOWN]


@require_POST
@require(MAY_COMMAND)
def command_device(request: HttpRequest, device: str, command: str) -> HttpResponse:
    """Give a command by its button, for the reason given, and show the device again."""
    if command not in RULES:
        raise Http404(command)
    try:
        done = _abort(request) if command == ABORT_JOB else _submit(request, device, command)
    except (UnknownDevice, Command.DoesNotExist) as error:
        raise Http404(str(error)) from error
    except (ValueError, NotPossible) as error:
        messages.error(request, str(error))
    else:
        tell = messages.error if done.refused else messages.success
        tell(request, f"{command} was answered with {done.ack} {label_of(done.ack)}: {done.text}")
    response = redirect("device", device)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def _submit(request: HttpRequest, name: str, command: str) -> Command:
    given = request.POST
    parameters = {"configuration": given.get("configuration", "")} if RULES[command].configures else {}
    return commands.submit(name, command, parameters, str(uuid4()), actor_of(request), given.get("reason", ""))


def _abort(request: HttpRequest) -> Command:
    """The job of the button that was pressed, also one that waits and has no number yet."""
    number = request.POST.get("job", "")
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise ValueError("Say which job: press the button beside it.")
    return commands.abort(int(number), actor=actor_of(request), reason=request.POST.get("reason", ""))
