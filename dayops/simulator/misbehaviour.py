"""Camera Data Systems as they must not be, for tests and drills."""

import time
from contextlib import suppress
from http import HTTPStatus
from typing import BinaryIO

from dayops.camera_data_system import OfferedFrame
from dayops.simulator.camera_data_system import FrameHandler


class Hanging(FrameHandler):
    """Takes the question and says nothing for a minute."""

    def do_GET(self) -> None:
        time.sleep(60.0)
        self.close_connection = True


class Dripping(FrameHandler):
    """Sends a frame at ten bytes a second: no single wait is long, yet it never ends."""

    def send_frame(self, frame: OfferedFrame, wanted: range, file: BinaryIO) -> None:
        for _ in wanted:
            self.wfile.write(file.read(1))
            time.sleep(0.1)


class Stammering(FrameHandler):
    """Drips the head of its answer: a read timeout never comes, and no body ever either."""

    def do_GET(self) -> None:
        with suppress(OSError):
            for _ in range(600):
                self.wfile.write(b"H")
                time.sleep(0.1)
        self.close_connection = True


class Dying(FrameHandler):
    """Dies after half of the bytes that were asked for."""

    def send_frame(self, frame: OfferedFrame, wanted: range, file: BinaryIO) -> None:
        super().send_frame(frame, wanted[: len(wanted) // 2], file)
        self.close_connection = True


class Lying(FrameHandler):
    """Sends other bytes than its checksum vouches for: the first byte asked for has a bit flipped."""

    def send_frame(self, frame: OfferedFrame, wanted: range, file: BinaryIO) -> None:
        file.seek(wanted.start)
        self.wfile.write(bytes([file.read(1)[0] ^ 1]))
        super().send_frame(frame, wanted[1:], file)


class Redirecting(FrameHandler):
    """Sends everyone elsewhere."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


class Garbling(FrameHandler):
    """Lists something that is not a listing."""

    def send_listing(self, day_obs: int | None) -> None:
        body = b"<html>Welcome to the camera!</html>"
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Failing(FrameHandler):
    """Answers everything with an internal error."""

    def do_GET(self) -> None:
        self.send_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The simulated camera is out of order")


MISBEHAVIOURS: dict[str, type[FrameHandler]] = {
    "hang": Hanging,
    "drip": Dripping,
    "stammer": Stammering,
    "die": Dying,
    "lie": Lying,
    "redirect": Redirecting,
    "garble": Garbling,
    "fail": Failing,
}
