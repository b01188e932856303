"""A small observatory control system: it brings devices up and commands a day's calibration products, over HTTP."""

import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from dayops.devices.client import Devices

ARCHIVER, CLUSTER, GENERATOR = "Archiver", "ProcessingCluster", "CalibrationGenerator"
WAIT_S = 3600.0
Say = Callable[[str], None]
_UP = {"OFFLINE": "enterControl", "FAULT": "standby", "STANDBY": "start", "DISABLED": "enable"}
_MOST_STEPS = 6
_HEARTBEAT_S = 15.0
_PATIENCE_S = 60.0


class NotBrought(RuntimeError):
    """A device could not be brought to ENABLED; the message says why."""


def bring(devices: Devices, name: str, configuration: str = "") -> dict[str, Any]:
    """Bring a device to ENABLED in `configuration` (its first, or the one it has, where none is named).

    Works from any state, by the commands that its state calls for. Raises Refused and NotBrought.
    """
    _await_heartbeat(devices, name)
    for _ in range(_MOST_STEPS):
        device = devices.device(name)
        wanted = configuration or device["configuration"]["name"] or device["configurations"][0]
        if device["configuration"]["name"] not in {"", wanted} and device["state"] in {"ENABLED", "DISABLED"}:
            devices.command(name, "configure", {"configuration": wanted})
        elif device["state"] == "ENABLED":
            return device
        else:
            step = _UP[device["state"]]
            devices.command(name, step, {"configuration": wanted} if step == "start" else {})
    raise NotBrought(f"{name} is {device['state']} and does not stay ENABLED: {device['reason']}")


def _await_heartbeat(devices: Devices, name: str) -> None:
    """A DayOps that has just been started has a heartbeat a moment later."""
    until = time.monotonic() + _PATIENCE_S
    while (age := devices.device(name)["heartbeat_age_s"]) > _HEARTBEAT_S:
        if time.monotonic() > until:
            raise NotBrought(f"{name} has had no heartbeat for {age:.0f} s: no scheduler looks after it.")
        time.sleep(1.0)


def execute(
    devices: Devices, name: str, parameters: Mapping[str, Any], stop: Event, key: str = "", wait_s: float = WAIT_S
) -> dict[str, Any]:
    """Command a job and follow it to its end; returns the command. Where `stop` is set first, the job goes on."""
    return devices.wait(devices.command(name, "execute", dict(parameters), key=key), wait_s, stop)


def run_day(
    base_url: str,
    token: str,
    day_obs: int,
    frames_are_in: Callable[[], bool],
    say: Say,
    stop: Event,
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The OCS's part in a day: enable the devices, wait for the frames, then command the calibration products.

    `parameters` replaces what `execute` is given (`data_query` is the day). Returns the result of the job:
    ``{"job_id": …, "exit_code": 0, "result": {…}}``, empty where `stop` was set before. Raises Refused and NotBrought.
    """
    devices = Devices(base_url, token)
    for name, configuration in ((ARCHIVER, ""), (CLUSTER, "raw-calibration"), (GENERATOR, "")):
        device = bring(devices, name, configuration)
        say(f"OCS: {name} is {device['state']} ({device['configuration']['name']})")
    while not frames_are_in():
        if stop.wait(1.0):
            return {}
    bring(devices, CLUSTER, "daytime")
    bring(devices, GENERATOR)  # what a late worker took to FAULT meanwhile
    say("OCS: the frames are in, the Processing Cluster is in daytime mode")
    wanted = parameters or {"pipeline": "daily-calibrations", "data_query": {"day_obs": day_obs}}
    ended = execute(devices, GENERATOR, wanted, stop)
    say(f"OCS: {GENERATOR} answers execute with {ended['ack']} {ended['label']}: {ended['text']}")
    return dict(ended["result"])
