"""The door of the observatory's control system: command devices, read them, follow what they say.

A command is answered with 202 and its address, whatever it will come to; one that is refused with 409 (its state does
not allow it) or 422 (its parameters are wrong), and the address of what was written down. The key is the header
``Idempotency-Key`` or ``key`` in the body: sending a command again under it is safe.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from dayops.devices import commands, registry
from dayops.devices.acknowledgements import Ack
from dayops.devices.changes import ACK, changing, say
from dayops.devices.commands import OtherCommand
from dayops.devices.reading import command_as_json, device_as_json, read, read_all
from dayops.devices.registry import UnknownDevice
from dayops.models import Command
from dayops.runs import NotPossible
from dayops.web.access import require, why_not
from dayops.web.api.endpoints import body_of, endpoint
from dayops.web.refusals import refusal
from dayops.web.work_pages.operations import actor_of

MAY_COMMAND = "dayops.command_device"
_STATUS = {
    Command.Refused.STATE.value: HTTPStatus.CONFLICT,
    Command.Refused.PARAMETERS.value: HTTPStatus.UNPROCESSABLE_ENTITY,
}


@endpoint("GET")
def devices_view(request: HttpRequest) -> HttpResponseBase:
    """All devices."""
    return JsonResponse({"devices": [device_as_json(reading) for reading in read_all()]})


@endpoint("GET")
def device_view(request: HttpRequest, device: str) -> HttpResponseBase:
    """One device: its state, what it may be commanded, and why not the rest."""
    try:
        return JsonResponse(device_as_json(read(registry.device_called(device))))
    except UnknownDevice as error:
        return refusal(request, HTTPStatus.NOT_FOUND, str(error))


@endpoint("POST")
def commands_view(request: HttpRequest, device: str) -> HttpResponseBase:
    """Give a command: ``{"name": "start", "parameters": {"configuration": "daytime"}}``."""
    if forbidden := why_not(request, MAY_COMMAND):
        return _forbidden(request, device, forbidden)
    body = body_of(request)
    try:
        command = commands.submit(
            device,
            _text(body, "name"),
            body.get("parameters"),
            request.headers.get("Idempotency-Key") or _text(body, "key"),
            actor_of(request),
            _text(body, "reason"),
        )
    except UnknownDevice as error:
        return refusal(request, HTTPStatus.NOT_FOUND, str(error))
    except OtherCommand as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    except ValueError as error:
        return refusal(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    return _answer(request, command)


def _answer(request: HttpRequest, command: Command) -> HttpResponse:
    response: HttpResponse
    if command.refused:
        response = refusal(request, _STATUS[command.refused], command.text)
    else:
        response = JsonResponse(command_as_json(command), status=HTTPStatus.ACCEPTED)
    response["Location"] = reverse("ocs-command", args=[command.pk])
    return response


def _forbidden(request: HttpRequest, device: str, sentence: str) -> HttpResponse:
    """403, and −300 on the record where it is somebody: that an account tries what it may not is worth knowing."""
    if request.user.is_authenticated and device in {kind.name for kind in registry.kinds()}:
        with changing(device) as locked:
            data = {"ack": Ack.NOPERM.value, "label": Ack.NOPERM.label}
            say(ACK, locked, f"{device} refuses a command: {sentence}", actor=actor_of(request), data=data)
    return refusal(request, HTTPStatus.FORBIDDEN, sentence)


def _text(body: dict[str, Any], name: str) -> str:
    """Raises ValueError for what is no text."""
    value = body.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text.")
    return value


def command_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Read a command, or by DELETE abort what it started."""
    response = abort_view(request, pk) if request.method == "DELETE" else read_view(request, pk)
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response["Allow"] = "GET, HEAD, DELETE"
    return response


@endpoint("GET")
def read_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A command and how far it is."""
    return JsonResponse(command_as_json(get_object_or_404(Command.objects.select_related("device"), pk=pk)))


@endpoint("DELETE")
@require(MAY_COMMAND)
def abort_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Abort it; again is no error. 409 where it was over before."""
    try:
        command = commands.abort(pk, actor=actor_of(request), reason=request.headers.get("X-Reason", ""))
    except (Command.DoesNotExist, UnknownDevice):
        return refusal(request, HTTPStatus.NOT_FOUND, f"There is no command {pk}.")
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse(command_as_json(command))
