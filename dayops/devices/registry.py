"""The kinds of device there are. An app registers its own in `AppConfig.ready()`; the row is made when it is asked for.

registry.register(DeviceKind("CalibrationGenerator", "Calibration Generator", "alert-production", …))
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dayops.models import Command, Device, Phase, Run

Result = tuple[int, dict[str, Any]]
EXIT_OK, EXIT_FAILED, EXIT_NOT_DONE = 0, 1, 255
_EXITS = {Phase.COMPLETED.value: EXIT_OK, Phase.ERROR.value: EXIT_FAILED}


class UnknownDevice(LookupError):
    """There is no device of that name; the message names those there are."""


def summary_of(run: Run) -> Result:
    """What a job came to, where its kind does not say it better: 0 done, 1 failed, 255 not done; the run's summary."""
    return _EXITS.get(run.phase, EXIT_NOT_DONE), dict(run.summary)


def nothing_more(run: Run) -> None:
    """For kinds that have nothing to tidy up when a job is aborted."""


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One commandable device as its app describes it.

    `queue` is the one that its work waits on, empty where it has none. `configuration(name)` gives the values of a
    configuration, and raises ValueError, in a sentence, for one that cannot be had now. `execute(device, parameters,
    command)` starts the run of a job inside the command's transaction; it raises ValueError, in a sentence, for wrong
    parameters, and is None where the device takes no jobs. `abort(run)` is called when the run of a job has just been
    aborted; `result(run)` when it is over: exit code 0, 1 or 255, and what the OCS is told. None of them may wait, or
    change another device.
    """

    name: str
    title: str
    queue: str
    configurations: Callable[[], Sequence[str]]
    configuration: Callable[[str], Mapping[str, Any]]
    execute: Callable[[Device, dict[str, Any], Command], Run] | None = None
    abort: Callable[[Run], None] = nothing_more
    result: Callable[[Run], Result] = summary_of
    activity: str = "maintenance"
    purpose: str = ""


_kinds: dict[str, DeviceKind] = {}


def register(kind: DeviceKind) -> None:
    """Make a kind of device known. The same name again replaces it."""
    _kinds[kind.name] = kind


def kinds() -> list[DeviceKind]:
    """All of them, in the order in which they were registered."""
    return list(_kinds.values())


def kind_of(name: str) -> DeviceKind:
    """The kind called `name`. Raises UnknownDevice."""
    if name not in _kinds:
        raise UnknownDevice(f"There is no device {name[:60]!r}; there are {', '.join(_kinds) or 'none'}.")
    return _kinds[name]


def device_called(name: str) -> Device:
    """The row of the device called `name`, made if need be. Raises UnknownDevice."""
    kind_of(name)
    return Device.objects.get_or_create(name=name)[0]


def devices() -> list[Device]:
    """The rows of all devices, made if need be (one query where they exist)."""
    rows = {device.name: device for device in Device.objects.filter(name__in=list(_kinds))}
    return [rows.get(name) or device_called(name) for name in _kinds]
