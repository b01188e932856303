"""`manage.py ocs`: list devices, command one, follow what they say; on this machine or over HTTP."""

import getpass
import json
import os
import time
from argparse import ArgumentTypeError
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from dayops.devices import commands
from dayops.devices.client import OVER, POLL_S, Answer, Devices, Refused
from dayops.devices.reading import command_as_json, device_as_json, event_as_json, events_after, read_all
from dayops.devices.registry import UnknownDevice
from dayops.devices.states import RULES
from dayops.models import Command as Commanded
from dayops.runs import NotPossible

TOKEN_VARIABLE = "DAYOPS_OCS_TOKEN"  # noqa: S105 (the name of a variable, not a token)


class Here:
    """The devices of this machine's database, as `Devices` offers those behind an address."""

    def devices(self) -> list[Answer]:
        return [_plain(device_as_json(reading)) for reading in read_all()]

    def command(self, device: str, name: str, parameters: dict[str, Any], *, key: str, reason: str) -> Answer:
        """As `Devices.command`. Raises Refused."""
        try:
            given = commands.submit(device, name, parameters, key, f"command line: {getpass.getuser()}", reason)
        except (UnknownDevice, ValueError, NotPossible) as error:
            raise Refused(str(error)) from error
        if given.refused:
            raise Refused(given.text)
        return _plain(command_as_json(given))

    def wait(self, command: Answer, seconds: float) -> Answer:
        """As `Devices.wait`."""
        until = time.monotonic() + seconds
        while command["phase"] not in OVER and time.monotonic() < until:
            time.sleep(POLL_S)
            command = _plain(command_as_json(Commanded.objects.select_related("device").get(pk=command["id"])))
        return command

    def events(self, after: int, device: str) -> list[Answer]:
        """As `Devices.events`."""
        found = []
        while page := events_after(after, device):
            found += [_plain(event_as_json(event)) for event in page]
            after = page[-1].pk
        return found


class Command(BaseCommand):
    help = (
        "Without arguments: the devices and their states. With DEVICE and COMMAND: give a command and print what it "
        "came to as JSON; exit status 1 when it was refused, failed or aborted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("device", nargs="?", default="", metavar="DEVICE")
        parser.add_argument("name", nargs="?", metavar="COMMAND", help=", ".join(RULES))
        parser.add_argument("--configuration", help="for start and configure")
        parser.add_argument("--parameter", action="append", default=[], type=_parameter, metavar="NAME=VALUE")
        parser.add_argument("--key", help="idempotency key (default: a new one)")
        parser.add_argument("--reason", default="", help="why, for the record")
        parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="until the command is over")
        parser.add_argument("--events", action="store_true", help="what devices (or DEVICE) said, one JSON a line")
        parser.add_argument("--after", type=int, default=0, metavar="ID", help="only events after this one")
        parser.add_argument("--url", help="of a DayOps elsewhere: command it over HTTP")
        parser.add_argument("--token", help=f"of scope ocs, for --url (or {TOKEN_VARIABLE})")

    def handle(self, *args: Any, **options: Any) -> None:
        there = _there(options["url"], options["token"])
        try:
            if options["events"]:
                for event in there.events(options["after"], options["device"]):
                    self.stdout.write(json.dumps(event))
            elif options["name"]:
                self._command(there, options)
            else:
                self._list(there, options["device"])
        except Refused as error:
            raise CommandError(str(error)) from error

    def _list(self, there: Devices | Here, only: str) -> None:
        chosen = [device for device in there.devices() if only in {"", device["device"]}]
        if not chosen:
            raise CommandError(f"There is no device {only!r}. Without a name, all are listed.")
        for device in chosen:
            configuration = device["configuration"]["name"]
            line = f"{device['device']:<24} {device['state']:<9} {configuration:<18} {device['reason']}"
            self.stdout.write(line.rstrip())

    def _command(self, there: Devices | Here, options: dict[str, Any]) -> None:
        parameters = dict(options["parameter"])
        if options["configuration"] is not None:
            parameters["configuration"] = options["configuration"]
        key = options["key"] or str(uuid4())
        given = there.command(options["device"], options["name"], parameters, key=key, reason=options["reason"])
        given = there.wait(given, options["wait"])
        self.stdout.write(json.dumps(given, indent=2))
        if given["ack"] < 0:
            raise CommandError(f"{given['ack']} {given['label']}: {given['text']}")


def _there(url: str | None, token: str | None) -> Devices | Here:
    if url is None:
        return Here()
    if not (token := token or os.environ.get(TOKEN_VARIABLE)):
        raise CommandError(f"--url needs a token of scope ocs, made at /tokens/: --token, or {TOKEN_VARIABLE}.")
    return Devices(url, token)


def _parameter(text: str) -> tuple[str, Any]:
    """``name=value``; the value is JSON where it is some, else text."""
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE, e.g. pipeline=daily-calibrations.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _plain(row: Answer) -> Answer:
    """As it goes over HTTP."""
    plain: Answer = json.loads(json.dumps(row, cls=DjangoJSONEncoder))
    return plain
