"""What a Camera Data System offers, and the strict reading of an offer that came from elsewhere."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol

MAX_NAME = 255
MAX_FRAME_BYTES = 2 * 1024**3  # an uncompressed LSSTCam detector is 76 MB; nothing real comes near


class CameraDataSystemError(Exception):
    """Something is wrong with the Camera Data System; the message says what and what to do."""


class CameraDataSystemAway(CameraDataSystemError):
    """It does not answer, hangs, or died half-way. Try again later: a fetch may resume where it stopped."""


class BadOffer(CameraDataSystemError):
    """It answers, but what it says cannot be trusted. Trying again will not help until it is mended."""


@dataclass(frozen=True, slots=True)
class OfferedFrame:
    """One raw frame that may be fetched.

    `name`, `exposure` and `detector` (as ``R22_S11``) are the sender's labels, never paths; `detector` is empty where
    the sender does not say. `size` is in bytes. `sha256` is 64 hexadecimal digits, or None where the sender gives no
    checksum: such a frame can be archived but not verified. `offered_at` is UTC.
    """

    name: str
    exposure: str
    day_obs: int
    seq_num: int
    detector: str
    size: int
    sha256: str | None
    offered_at: datetime


@dataclass(frozen=True, slots=True)
class BadEntry:
    """Something offered that cannot be fetched: its name, or its place where it has none, and what is wrong with it."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What is offered, oldest first, and what cannot be fetched: one ill-named file must not hold back the others."""

    frames: list[OfferedFrame]
    bad: list[BadEntry] = field(default_factory=list)

    def of(self, day_obs: int | None) -> "Listing":
        """The frames of one dayObs (all when None). Of a bad entry the day is not known, so it stays."""
        return Listing([frame for frame in self.frames if day_obs in (None, frame.day_obs)], self.bad)


class CameraDataSystem(Protocol):
    """A place that offers raw frames. Both methods raise `CameraDataSystemAway` or `BadOffer`."""

    @property
    def url(self) -> str: ...

    def listing(self, day_obs: int | None = None) -> Listing:
        """What is offered; of one dayObs if given."""
        ...

    def fetch(self, frame: OfferedFrame, into: BinaryIO, offset: int = 0) -> None:
        """Write the bytes of `frame` from `offset` (bytes already held) to `into`, and no more than `frame.size`.

        The bytes are not compared with `frame.sha256`: the receiver, who may hold the first part already, does that.
        """
        ...


def oldest_first(frames: list[OfferedFrame]) -> list[OfferedFrame]:
    return sorted(frames, key=lambda frame: (frame.day_obs, frame.seq_num, frame.exposure, frame.name))


def check_label(field: str, text: object) -> str:
    """`text` if it can be a label: 1–255 printable characters without path parts. Raises ValueError in words."""
    if not isinstance(text, str) or not text:
        raise ValueError(f"{field} is {text!r}: expected a name")
    if len(text.encode("utf-8", "replace")) > MAX_NAME:
        raise ValueError(f"{field} is {len(text)} characters long: expected at most {MAX_NAME} bytes")
    if not text.isprintable():
        raise ValueError(f"{field} {text!r} holds control or invisible characters")
    if "/" in text or "\\" in text or text.startswith("."):
        raise ValueError(f"{field} {text!r} looks like a path: expected a plain file name")
    return text


def _check_detector(field: str, text: object) -> str:
    return "" if text == "" else check_label(field, text)


def _whole_number(low: int, high: int) -> Callable[[str, object], int]:
    def check(field: str, value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{field} is {value!r}: expected a whole number from {low} to {high}")
        return value

    return check


def _check_sha256(field: str, value: object) -> str | None:
    if value is None or (isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value)):
        return value
    raise ValueError(f"{field} is {value!r}: expected 64 lower-case hexadecimal digits, or null where unknown")


def _check_instant(field: str, value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{field} is {value!r}: expected an instant such as 2026-11-22T16:30:00+00:00") from None
    if instant.tzinfo is None:
        raise ValueError(f"{field} is {value!r}: expected a time zone, such as +00:00")
    return instant.astimezone(UTC)


_FIELDS: dict[str, Callable[[str, object], Any]] = {
    "name": check_label,
    "exposure": check_label,
    "day_obs": _whole_number(19900101, 21001231),
    "seq_num": _whole_number(0, 10**9),
    "detector": _check_detector,
    "size": _whole_number(1, MAX_FRAME_BYTES),
    "sha256": _check_sha256,
    "offered_at": _check_instant,
}


def read_offer(entry: object) -> OfferedFrame:
    """An `OfferedFrame` from a JSON object. Raises ValueError naming every field that is missing or wrong."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"expected an object with the fields {', '.join(_FIELDS)}, not {str(entry)[:60]!r}")
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, check in _FIELDS.items():
        try:
            values[name] = check(name, entry[name])
        except KeyError:
            problems.append(f"{name} is missing")
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    return OfferedFrame(**values)


def offer_as_json(frame: OfferedFrame) -> dict[str, Any]:
    """The JSON object that `read_offer` reads."""
    values = {field: getattr(frame, field) for field in _FIELDS}
    return values | {"offered_at": frame.offered_at.isoformat()}


def read_listing(payload: object, source: str) -> Listing:
    """A listing ``{"frames": [...]}``. Raises `BadOffer` where it is none; entries that are wrong stand beside it."""
    entries = payload.get("frames") if isinstance(payload, Mapping) else None
    if not isinstance(entries, list):
        raise BadOffer(f'{source} did not answer with a listing: expected a JSON object {{"frames": [...]}}')
    frames: list[OfferedFrame] = []
    bad: list[BadEntry] = []
    for number, entry in enumerate(entries):
        try:
            frames.append(read_offer(entry))
        except ValueError as error:
            bad.append(BadEntry(_name_of(entry, number), str(error)))
    return Listing(oldest_first(frames), bad)


def _name_of(entry: object, number: int) -> str:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    return repr(name[:MAX_NAME]) if isinstance(name, str) and name else f"entry {number}"
