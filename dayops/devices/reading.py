"""A device and its commands as everyone reads them: the API, the pages and the command line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from dayops.devices.changes import state_now, subject_of
from dayops.devices.clock import now
from dayops.devices.registry import DeviceKind, devices, kind_of, kinds
from dayops.devices.states import RULES, Rule, State, why_not
from dayops.models import Command, Device, Event, Phase
from dayops.version import code_version


@dataclass(frozen=True, slots=True)
class Reading:
    """A device as it is at one instant of PostgreSQL's clock. `reason` says why it is in FAULT."""

    device: Device
    kind: DeviceKind
    state: State
    reason: str
    at: datetime

    @property
    def heartbeat_age_s(self) -> float:
        return max(0.0, (self.at - self.device.heartbeat_at).total_seconds())

    @property
    def takes_jobs(self) -> bool:
        return self.kind.execute is not None

    def why_not(self, command: str) -> str:
        """Why `command` is forbidden now; empty where it is allowed."""
        if command == "execute" and not self.takes_jobs:
            return f"{self.device.name} takes no jobs."
        configured = bool(self.device.configuration_name)
        return why_not(self.state, command, configured=configured, locked_out=self.device.locked_out)

    def commands(self) -> Iterator[tuple[Rule, str]]:
        """Every command, and why it is forbidden now."""
        return ((rule, self.why_not(name)) for name, rule in RULES.items())

    def jobs(self) -> QuerySet[Command]:
        """The jobs that are not over, oldest first."""
        live = self.device.commands.filter(phase__in=[Phase.QUEUED, Phase.EXECUTING])
        return live.select_related("run", "device").order_by("pk")


def read(device: Device) -> Reading:
    return read_all([device])[0]


def read_all(rows: Sequence[Device] | None = None) -> list[Reading]:
    """Every device (or `rows`) as of now."""
    at = now()
    return [Reading(row, kind_of(row.name), *state_now(row, at), at) for row in (devices() if rows is None else rows)]


def device_as_json(reading: Reading) -> dict[str, Any]:
    """A device as programs see it; instants in UTC."""
    device = reading.device
    return {
        "device": device.name,
        "title": reading.kind.title,
        "purpose": reading.kind.purpose,
        "state": reading.state.value,
        "code": reading.state.code,
        "since": device.state_since,
        "reason": reading.reason,
        "error_code": device.error_code,
        "locked_out": device.locked_out,
        "configuration": {"name": device.configuration_name, "values": device.configuration},
        "configurations": list(reading.kind.configurations()),
        "commands": [
            {"name": rule.name, "summary": rule.summary, "allowed": not problem, "why_not": problem}
            for rule, problem in reading.commands()
        ],
        "jobs": [command_as_json(command) for command in reading.jobs()],
        "heartbeat_at": device.heartbeat_at,
        "heartbeat_age_s": round(reading.heartbeat_age_s, 3),
        "queue": reading.kind.queue,
        "software_version": code_version(),
    }


def command_as_json(command: Command) -> dict[str, Any]:
    """A command as programs see it; instants in UTC, `job_id` null where it started no run (yet)."""
    return {
        "id": command.pk,
        "device": command.device.name,
        "name": command.name,
        "parameters": command.parameters,
        "key": command.key,
        "phase": command.phase,
        "ack": command.ack,
        "label": command.label,
        "text": command.text,
        "job_id": str(command.run_id) if command.run_id else None,
        "result": command.result,
        "requested_by": command.requested_by,
        "created_at": command.created_at,
        "started_at": command.started_at,
        "ended_at": command.ended_at,
    }


def event_as_json(event: Event) -> dict[str, Any]:
    """An event about a device as programs see it."""
    return {
        "id": event.pk,
        "at": event.at,
        "kind": event.kind,
        "device": event.subject.partition(":")[2],
        "severity": event.severity,
        "text": event.text,
        "actor": event.actor,
        "reason": event.reason,
        "data": event.data,
    }


def events_after(last: int, device: str = "", limit: int = 100) -> list[Event]:
    """The oldest `limit` events of devices (or one) with numbers above `last`. None of them is ever missed.

    What others write about a device, as people's notes, is not among them: it would not keep their order.
    """
    names = [device] if device else [kind.name for kind in kinds()]
    return list(_events(names).filter(pk__gt=last).order_by("pk")[:limit])


def newest_event() -> int:
    """The number of the newest event of devices; 0 where there is none."""
    return _events([kind.name for kind in kinds()]).order_by("-pk").values_list("pk", flat=True).first() or 0


def _events(names: Sequence[str]) -> QuerySet[Event]:
    return Event.objects.filter(subject__in=[subject_of(name) for name in names], kind__startswith="device.")
