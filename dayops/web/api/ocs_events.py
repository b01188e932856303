"""What devices said, from any event on: as one page of JSON, or as a stream of server-sent events (WHATWG HTML § 9.2).

A stream lasts 25 s at most, since each holds a thread of the web server, and two may be open in a process; the client
comes back with ``Last-Event-ID`` and misses nothing.
"""

import json
import time
from collections.abc import Generator, Iterator
from http import HTTPStatus
from threading import BoundedSemaphore

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse

from dayops.devices.reading import event_as_json, events_after, newest_event, read_all
from dayops.devices.registry import UnknownDevice, kind_of
from dayops.web.api.endpoints import LARGEST_PAGE, PAGE_SIZE, BadRequest, endpoint
from dayops.web.refusals import refusal

EVENT_STREAM = "text/event-stream"
LONGEST_S = 25
BEAT_S = 1.0
MOST_STREAMS = 2
_places = BoundedSemaphore(MOST_STREAMS)


@endpoint("GET")
def events_view(request: HttpRequest) -> HttpResponseBase:
    """Events about devices after ``?after=``, oldest first; of one ``?device=``; ``?limit=`` of them."""
    device = request.GET.get("device", "")
    try:
        if device:
            kind_of(device)
    except UnknownDevice as error:
        return refusal(request, HTTPStatus.NOT_FOUND, str(error))
    if request.get_preferred_type(["application/json", EVENT_STREAM]) == EVENT_STREAM:
        return _stream(request, device)
    after = _whole(request.GET.get("after", "0"), "after", 10**18)
    limit = _whole(request.GET.get("limit", str(PAGE_SIZE)), "limit", LARGEST_PAGE)
    found = events_after(after, device, limit)
    last = found[-1].pk if found else after
    return JsonResponse({"events": [event_as_json(event) for event in found], "last": last})


def _stream(request: HttpRequest, device: str) -> HttpResponseBase:
    known = request.headers.get("Last-Event-ID") or request.GET.get("after")
    after = newest_event() if known is None else _whole(known, "after", 10**18)
    seconds = _whole(request.GET.get("seconds", str(LONGEST_S)), "seconds", LONGEST_S)
    if not _places.acquire(blocking=False):
        sentence = f"{MOST_STREAMS} streams are open here already: more would leave no thread for pages."
        response = refusal(request, HTTPStatus.SERVICE_UNAVAILABLE, sentence, "Come back, or ask for JSON.")
        response["Retry-After"] = "5"
        return response
    stream = StreamingHttpResponse(EventStream(after, device, seconds), content_type=EVENT_STREAM)
    stream["Cache-Control"] = "no-store"
    stream["X-Accel-Buffering"] = "no"  # nginx would keep the events until the end
    return stream


class EventStream:
    """The lines of one stream; closing it, as Django does when the answer is over, gives its place back."""

    def __init__(self, after: int, device: str, seconds: float) -> None:
        self._lines = _lines(after, device, seconds)
        self._open = True

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def close(self) -> None:
        self._lines.close()
        if self._open:
            self._open = False
            _places.release()


def _lines(after: int, device: str, seconds: float) -> Generator[str, None, None]:
    until = time.monotonic() + seconds
    yield f"retry: {BEAT_S * 1000:.0f}\n\n"
    while True:
        while found := events_after(after, device):
            for event in found:
                yield f"id: {event.pk}\nevent: {event.kind}\n{_data(event_as_json(event))}"
            after = found[-1].pk
        yield f"event: heartbeat\n{_data(_heartbeats(device))}"
        if time.monotonic() + BEAT_S > until:
            return
        time.sleep(BEAT_S)


def _heartbeats(device: str) -> list[dict[str, object]]:
    return [
        {
            "device": reading.device.name,
            "state": reading.state.value,
            "code": reading.state.code,
            "heartbeat_at": reading.device.heartbeat_at,
            "heartbeat_age_s": round(reading.heartbeat_age_s, 3),
        }
        for reading in read_all()
        if device in {"", reading.device.name}
    ]


def _data(value: object) -> str:
    return f"data: {json.dumps(value, cls=DjangoJSONEncoder)}\n\n"


def _whole(text: str, name: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= most):
        raise BadRequest(f"{name}={text[:40]!r} is not a whole number from 0 to {most}.")
    return int(text)
