"""A Camera Data System over HTTP: ``GET /frames?day_obs=`` lists, ``GET /frames/<name>`` serves, Range resumes."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

import requests
import urllib3

from dayops.camera_data_system.offers import BadOffer, CameraDataSystemAway, OfferedFrame, read_listing

_PACKET = 256 * 1024
_MAX_LISTING_BYTES = 64 * 1024**2  # 100,000 offers of about 300 bytes, twice


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two packets, and for a whole answer (against a server that drips)."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 300.0


class HttpCameraDataSystem:
    """Client of one service. Holds only its address, so it may be shared by threads and forked."""

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        self.url = url.rstrip("/")
        self._timeouts = timeouts or Timeouts()

    def frames(self, day_obs: int | None = None) -> list[OfferedFrame]:
        query = "" if day_obs is None else f"?day_obs={day_obs}"
        with self._get(f"/frames{query}", {}, "listing its frames") as response:
            self._expect(response, {200}, "a listing")
            text = b"".join(self._body(response, _MAX_LISTING_BYTES, "its listing"))
        try:
            payload = json.loads(text)
        except ValueError as error:
            raise BadOffer(f"{self.url} answered with something that is not JSON: {text[:60]!r}") from error
        return read_listing(payload, self.url)

    def fetch(self, frame: OfferedFrame, into: BinaryIO, offset: int = 0) -> None:
        if offset >= frame.size:
            return
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        done = offset
        with self._get(f"/frames/{quote(frame.name, safe='')}", headers, f"sending {frame.name}") as response:
            self._expect(response, {206} if offset else {200}, frame.name)
            if offset and not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
                raise BadOffer(f"{self.url} does not resume {frame.name} at byte {offset}: fetch it from the start")
            try:
                for chunk in self._body(response, frame.size - offset, frame.name):
                    into.write(chunk)
                    done += len(chunk)
            except CameraDataSystemAway as error:
                raise CameraDataSystemAway(f"{error} ({done} of {frame.size} bytes are here)") from error
        if done < frame.size:
            raise CameraDataSystemAway(f"{self.url} ended {frame.name} after {done} of {frame.size} bytes")

    @contextmanager
    def _get(self, path: str, headers: dict[str, str], doing: str) -> Iterator[requests.Response]:
        """One request. Compression and redirects are refused: the bytes of a frame are the frame, from this host."""
        limits = (self._timeouts.connect_s, self._timeouts.read_s)
        asking = {"Accept-Encoding": "identity"} | headers
        try:
            with requests.get(
                self.url + path, headers=asking, timeout=limits, stream=True, allow_redirects=False
            ) as response:
                yield response
        except requests.Timeout as error:
            raise CameraDataSystemAway(f"{self.url} hung while {doing}: nothing came within {limits[1]:g} s") from error
        except requests.RequestException as error:
            raise CameraDataSystemAway(f"{self.url} cannot be reached or broke off while {doing}: {error}") from error

    def _expect(self, response: requests.Response, statuses: set[int], what: str) -> None:
        status = response.status_code
        if status in statuses:
            return
        if status >= 500:
            raise CameraDataSystemAway(f"{self.url} is in trouble: HTTP {status} instead of {what}")
        if 300 <= status < 400:
            raise BadOffer(f"{self.url} redirects instead of sending {what}: redirects are not followed")
        raise BadOffer(f"{self.url} answered HTTP {status} instead of {what}")

    def _body(self, response: requests.Response, limit: int, what: str) -> Iterator[bytes]:
        """Packets of the answer as they come, at most `limit` bytes, all before the total deadline."""
        deadline = time.monotonic() + self._timeouts.total_s
        seen = 0
        try:
            while packet := response.raw.read1(_PACKET):
                seen += len(packet)
                if seen > limit:
                    raise BadOffer(f"{self.url} sends more of {what} than the {limit} bytes expected")
                yield packet
                if time.monotonic() > deadline:
                    raise CameraDataSystemAway(f"{self.url} is too slow: {what} took over {self._timeouts.total_s:g} s")
        except urllib3.exceptions.ReadTimeoutError as error:
            waited = self._timeouts.read_s
            raise CameraDataSystemAway(f"{self.url} hung in the middle of {what}: nothing for {waited:g} s") from error
        except urllib3.exceptions.HTTPError as error:
            raise CameraDataSystemAway(f"{self.url} broke the connection in the middle of {what}") from error
