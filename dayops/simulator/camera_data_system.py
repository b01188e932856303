"""The simulated observatory's Camera Data System: a real HTTP server, on loopback only.

``GET /frames?day_obs=20261122`` lists, ``GET /frames/<name>`` serves with Range and ETag, ``GET /status`` tells how far
the day is. Answers are JSON except the frames themselves; errors are JSON with one sentence.
"""

import json
import logging
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from dayops.camera_data_system import OfferedFrame
from dayops.camera_data_system.offers import offer_as_json
from dayops.observing_day import ObservingDay
from dayops.simulator.byte_range import NotSatisfiable, parse_range
from dayops.simulator.observatory import Observatory

_CHUNK = 256 * 1024
_log = logging.getLogger(__name__)


class FrameHandler(BaseHTTPRequestHandler):
    """Answers one connection. `send_listing` and `send_frame` are what a misbehaving server changes."""

    protocol_version = "HTTP/1.1"
    server_version = "DayOps-simulator"
    sys_version = ""
    timeout = 30.0  # an idle connection is closed
    server: "CameraDataSystemServer"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        try:
            if parts.path == "/frames":
                self.send_listing(_asked_day(parts.query))
            elif parts.path.startswith("/frames/"):
                self._find_frame(unquote(parts.path.removeprefix("/frames/")))
            elif parts.path == "/status":
                self.send_json(HTTPStatus.OK, self.server.observatory.status())
            else:
                self.send_problem(HTTPStatus.NOT_FOUND, "Known are /frames, /frames/<name> and /status")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client went away, which is its right
        except FileNotFoundError:
            self.send_problem(HTTPStatus.GONE, "The frame is no longer in the folder of the Camera Data System")
        except ValueError as error:
            self.send_problem(HTTPStatus.BAD_REQUEST, str(error))

    def send_listing(self, day_obs: int | None) -> None:
        frames = self.server.observatory.frames(day_obs)
        self.send_json(HTTPStatus.OK, {"frames": [offer_as_json(frame) for frame in frames]})

    def send_frame(self, frame: OfferedFrame, wanted: range, file: BinaryIO) -> None:
        """The body: the `wanted` bytes of `file`."""
        file.seek(wanted.start)
        left = len(wanted)
        while left and (chunk := file.read(min(_CHUNK, left))):
            self.wfile.write(chunk)
            left -= len(chunk)

    def send_json(self, status: HTTPStatus, payload: dict[str, Any]) -> None:
        body = json.dumps(payload).encode()
        self._send_head(status, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body)

    def send_problem(self, status: HTTPStatus, sentence: str) -> None:
        self.send_json(status, {"error": sentence})

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)

    def _find_frame(self, name: str) -> None:
        frame = self.server.observatory.frame(name)
        if frame is None:
            self.send_problem(HTTPStatus.NOT_FOUND, "There is no such frame: /frames lists those there are")
            return
        etag = f'"{frame.sha256 or frame.size}"'
        same = self.headers.get("If-Range", etag) == etag
        try:
            part = parse_range(self.headers.get("Range") if same else None, frame.size)
        except NotSatisfiable:
            size = {"Content-Range": f"bytes */{frame.size}", "Content-Length": "0"}
            self._send_head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, size)
            return
        wanted = part if part is not None else range(frame.size)
        headers = {"Content-Type": "application/fits", "Accept-Ranges": "bytes", "ETag": etag}
        headers["Content-Length"] = str(len(wanted))
        if part is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{frame.size}"
        with (self.server.observatory.folder / frame.name).open("rb") as file:
            self._send_head(HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT, headers)
            self.send_frame(frame, wanted, file)

    def _send_head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class CameraDataSystemServer(ThreadingHTTPServer):
    """Serves one observatory at 127.0.0.1:`port` (0: any free port; see `url`). One thread a connection."""

    daemon_threads = True

    def __init__(self, observatory: Observatory, port: int = 0, handler: type[FrameHandler] = FrameHandler) -> None:
        self.observatory = observatory
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _asked_day(query: str) -> int | None:
    asked = parse_qs(query).get("day_obs")
    return ObservingDay.parse(asked[-1]).day_obs if asked else None
