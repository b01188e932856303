"""A Camera Data System over HTTP: ``GET /frames?day_obs=`` lists, ``GET /frames/<name>`` serves, Range resumes.

Spoken with the standard library's client, because only there is the socket at hand that a deadline must cut:
timeouts between packets alone let a server that drips a byte now and then hold a worker for ever.
"""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from dayops.camera_data_system.offers import BadOffer, CameraDataSystemAway, Listing, OfferedFrame, read_listing

_PACKET = 256 * 1024
_MAX_LISTING_BYTES = 64 * 1024**2  # 100,000 offers of about 300 bytes, twice


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two packets, and for a whole answer (against a server that drips)."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 300.0


class HttpCameraDataSystem:
    """Client of one service. Holds only its address, so it may be shared by threads and survive a fork.

    Redirects are not followed and proxies not used: the bytes of a frame come from the host that offered it.
    Raises ValueError for an address without a host.
    """

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        self.url = url.rstrip("/")
        self._address = urlsplit(self.url)
        self._timeouts = timeouts or Timeouts()
        if not self._address.hostname:
            raise ValueError(f"{url!r} names no host: expected an address such as http://127.0.0.1:8100")

    def listing(self, day_obs: int | None = None) -> Listing:
        query = "" if day_obs is None else f"?day_obs={day_obs}"
        with self._ask(f"/frames{query}", {}, "its listing") as answer:
            answer.expect(200)
            text = b"".join(answer.body(_MAX_LISTING_BYTES))
            answer.check_whole()
        try:
            payload = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadOffer(f"{self.url} answered with something that is not JSON: {text[:60]!r}") from error
        return read_listing(payload, self.url).of(day_obs)

    def fetch(self, frame: OfferedFrame, into: BinaryIO, offset: int = 0) -> None:
        if offset >= frame.size:
            return
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        done = offset
        with self._ask(f"/frames/{quote(frame.name, safe='')}", headers, frame.name) as answer:
            answer.expect(206 if offset else 200)
            if offset and not answer.header("Content-Range").startswith(f"bytes {offset}-"):
                raise BadOffer(f"{self.url} does not resume {frame.name} at byte {offset}: fetch it from the start")
            try:
                for packet in answer.body(frame.size - offset):
                    into.write(packet)
                    done += len(packet)
            except CameraDataSystemAway as error:
                raise CameraDataSystemAway(f"{error} ({done} of {frame.size} bytes are here)") from error
            if done < frame.size:
                raise answer.wire.away(f"broke off {frame.name} ({done} of {frame.size} bytes are here)")

    @contextmanager
    def _ask(self, path: str, headers: dict[str, str], what: str) -> Iterator["_Answer"]:
        """One request and the head of its answer, on a connection that is cut when the total time is over."""
        limits = self._timeouts
        wire = _Wire(self.url, what, limits.total_s, monotonic() + limits.total_s)
        connection = self._connection()
        with wire.troubles("cannot be reached", limits.connect_s):
            connection.connect()
        watchdog = threading.Timer(limits.total_s, _cut, [connection.sock])
        watchdog.daemon = True
        watchdog.start()
        try:
            with wire.troubles("broke off before it answered", limits.read_s):
                connection.sock.settimeout(limits.read_s)
                connection.request("GET", self._address.path + path, headers=headers)
                response = connection.getresponse()
            yield _Answer(wire, response, limits.read_s)
        finally:
            watchdog.cancel()
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._address.hostname or "", self._address.port, timeout=self._timeouts.connect_s)


@dataclass(frozen=True, slots=True)
class _Wire:
    """What can go wrong between here and there while `what` is asked for, in words."""

    url: str
    what: str
    total_s: float
    deadline: float

    def away(self, what_happened: str) -> CameraDataSystemAway:
        """The error to raise. A connection that we cut ourselves was too slow, whatever it looks like."""
        if monotonic() >= self.deadline:
            return CameraDataSystemAway(f"{self.url} is too slow: {self.what} took over {self.total_s:g} s")
        return CameraDataSystemAway(f"{self.url} {what_happened}")

    @contextmanager
    def troubles(self, what_happened: str, patience_s: float) -> Iterator[None]:
        """Wraps network calls and nothing else: an OSError of our own disk must stay one."""
        try:
            yield
        except TimeoutError as error:
            raise self.away(f"hung: nothing of {self.what} came within {patience_s:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise self.away(f"{what_happened}: {error or type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer whose head is here and whose body is still to be read."""

    wire: _Wire
    response: http.client.HTTPResponse
    patience_s: float

    def header(self, name: str) -> str:
        return self.response.headers.get(name, "").strip()

    def expect(self, status: int) -> None:
        got, url, what = self.response.status, self.wire.url, self.wire.what
        if got == status:
            return
        if got >= 500:
            raise CameraDataSystemAway(f"{url} is in trouble: HTTP {got} instead of {what}")
        if 300 <= got < 400:
            raise BadOffer(f"{url} redirects instead of sending {what}: redirects are not followed")
        raise BadOffer(f"{url} answered HTTP {got} instead of {what}")

    def body(self, limit: int) -> Iterator[bytes]:
        """Packets as they come, at most `limit` bytes together."""
        seen = 0
        while True:
            with self.wire.troubles(f"broke off in the middle of {self.wire.what}", self.patience_s):
                packet = self.response.read1(_PACKET)
            if not packet:
                return
            seen += len(packet)
            if seen > limit:
                raise BadOffer(f"{self.wire.url} sends more of {self.wire.what} than the {limit} bytes expected")
            yield packet

    def check_whole(self) -> None:
        if self.response.length or monotonic() >= self.wire.deadline:
            raise self.wire.away(f"broke off in the middle of {self.wire.what}")


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
