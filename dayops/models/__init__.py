"""The ground floor's tables: work, what happened, what was archived, who may."""

from dayops.models.access import ApiToken
from dayops.models.alarms import Alarm, AlarmDelivery
from dayops.models.devices import Command, Device
from dayops.models.events import Event, Severity
from dayops.models.frames import Exposure, FrameState, RawFrame
from dayops.models.notes import Note
from dayops.models.runs import Attempt, LogLine, Phase, Run, Task
from dayops.models.workers import WorkerProcess

__all__ = [
    "Alarm",
    "AlarmDelivery",
    "ApiToken",
    "Attempt",
    "Command",
    "Device",
    "Event",
    "Exposure",
    "FrameState",
    "LogLine",
    "Note",
    "Phase",
    "RawFrame",
    "Run",
    "Severity",
    "Task",
    "WorkerProcess",
]
