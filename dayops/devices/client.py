"""A client of the OCS's API, for the command line and the simulated OCS.

devices = Devices("https://dayops.example.org", token)
command = devices.command("CalibrationGenerator", "execute", {"pipeline": …})
ended = devices.wait(command, 600, stop)
"""

import time
from collections.abc import Iterator
from threading import Event
from typing import Any
from uuid import uuid4

import requests

TIMEOUT_S = 10
MOST_TRIES = 5
POLL_S = 1.0
OVER = ("COMPLETED", "ERROR", "ABORTED")
Answer = dict[str, Any]


class Refused(RuntimeError):
    """DayOps said no; the message is its sentence and `status` the number of HTTP, 0 where it did not answer."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class Devices:
    """The devices at one address, commanded with one token of scope `ocs`."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base = f"{base_url.rstrip('/')}/api/ocs/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def devices(self) -> list[Answer]:
        found: list[Answer] = self._ask("GET", "/devices")["devices"]
        return found

    def device(self, name: str) -> Answer:
        return self._ask("GET", f"/devices/{name}")

    def command(
        self, device: str, name: str, parameters: dict[str, Any] | None = None, *, key: str = "", reason: str = ""
    ) -> Answer:
        """Give a command and return it as it was accepted. Tried again, under the same key, while nobody answers."""
        body = {"name": name, "parameters": parameters or {}, "reason": reason}
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self._ask("POST", f"/devices/{device}/commands", json=body, headers=headers)

    def read(self, command: Answer) -> Answer:
        return self._ask("GET", f"/commands/{command['id']}")

    def abort(self, command: Answer, reason: str = "") -> Answer:
        return self._ask("DELETE", f"/commands/{command['id']}", headers={"X-Reason": reason})

    def wait(self, command: Answer, seconds: float, stop: Event | None = None) -> Answer:
        """Follow a command until it is over, `stop` is set or the time is up; returns it as it was then."""
        stop, until = stop or Event(), time.monotonic() + seconds
        while command["phase"] not in OVER and time.monotonic() < until and not stop.wait(POLL_S):
            command = self.read(command)
        return command

    def events(self, after: int = 0, device: str = "") -> Iterator[Answer]:
        """Every event after the number `after` that there is now, oldest first."""
        while found := self._ask("GET", "/events", params={"after": after, "device": device})["events"]:
            yield from found
            after = found[-1]["id"]

    def _ask(self, method: str, path: str, **words: Any) -> Answer:
        """Ask until it is answered, at most five times. Raises Refused."""
        for attempt in range(MOST_TRIES):
            if attempt:
                time.sleep(POLL_S)
            try:
                response = self._session.request(method, self._base + path, timeout=TIMEOUT_S, **words)
            except requests.RequestException as error:
                problem = Refused(f"{self._base} does not answer: {type(error).__name__}.")
                continue
            if response.ok:
                answer: Answer = response.json()
                return answer
            problem = Refused(_sentence(response), response.status_code)
            if response.status_code < 500:
                break
        raise problem


def _sentence(response: requests.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{response.url} answered {response.status_code} {response.reason}."
