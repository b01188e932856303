"""A folder or object store as a Camera Data System, through fsspec.

Offered are the regular files ending in .fits, .fits.fz or .fits.gz, directly in the folder; what else is called so
(a link, a FIFO, an empty file) is told as a bad entry. A ``manifest.json`` in the form of an HTTP listing, where
present, is the offer. Otherwise a sidecar ``NAME.sha256`` (first word: the checksum, as `sha256sum` writes it) vouches
for a file, and a file without one is offered, unverified, once nothing has touched it for two seconds.
"""

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dayops.camera_data_system.offers import (
    BadEntry,
    BadOffer,
    CameraDataSystemAway,
    Listing,
    OfferedFrame,
    check_label,
    oldest_first,
    read_listing,
    read_offer,
)
from dayops.observing_day import ObservingDay, day_obs_at

_ENDINGS = (".fits", ".fits.fz", ".fits.gz")
_CHUNK = 128 * 1024
_MAX_MANIFEST_BYTES = 64 * 1024**2
_SETTLED = timedelta(seconds=2)
_CLOCKS_AGREE = timedelta(minutes=5)
# LSST's file names: telescope, controller, dayObs, sequence number, then raft and slot
_LSST_NAME = re.compile(r"(?P<exposure>[A-Z]{2}_[A-Z]_(?P<day>\d{8})_(?P<seq>\d{6}))(?:[_-](?P<detector>R\d\d_S\w\w))?")


class FolderCameraDataSystem:
    """Frames lying in `url`: a local path, ``file://…``, ``s3://bucket/folder`` or whatever fsspec knows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = fsspec.core.url_to_fs(url)

    def listing(self, day_obs: int | None = None) -> Listing:
        entries = self._list()
        if "manifest.json" in entries:
            return self._manifest(entries["manifest.json"]).of(day_obs)
        frames: list[OfferedFrame] = []
        bad: list[BadEntry] = []
        for name in filter(_is_called_a_frame, entries):
            try:
                _expect_regular(entries[name])
                if self._is_whole(name, entries):
                    frames.append(self._offer(name, entries))
            except (ValueError, CameraDataSystemAway) as error:
                bad.append(BadEntry(repr(name), str(error)))
        return Listing(oldest_first(frames), bad).of(day_obs)

    def fetch(self, frame: OfferedFrame, into: BinaryIO, offset: int = 0) -> None:
        done = offset
        for chunk in self._chunks(frame, offset):
            into.write(chunk)
            done += len(chunk)
        if done < frame.size:
            raise CameraDataSystemAway(f"{frame.name} in {self.url} ended after {done} of {frame.size} bytes")

    def _chunks(self, frame: OfferedFrame, offset: int) -> Iterator[bytes]:
        name, left = _plain(frame.name), frame.size - offset
        try:
            with self._open(name) as source:
                source.seek(offset)
                while left > 0 and (chunk := source.read(min(_CHUNK, left))):
                    yield chunk
                    left -= len(chunk)
        except Exception as error:
            raise CameraDataSystemAway(f"{frame.name} cannot be read from {self.url}: {error}") from error

    def _list(self) -> dict[str, Mapping[str, Any]]:
        try:
            self._files.invalidate_cache()
            entries = self._files.ls(self._root, detail=True)
        except Exception as error:  # each store's library has errors of its own
            raise CameraDataSystemAway(f"The folder {self.url} cannot be listed: {error}") from error
        return {str(entry["name"]).rpartition("/")[2]: entry for entry in entries}

    def _is_whole(self, name: str, listing: Mapping[str, Mapping[str, Any]]) -> bool:
        vouched = f"{name}.sha256" in listing and listing[name]["size"] > 0
        return vouched or _is_settled(listing[name])

    def _offer(self, name: str, listing: Mapping[str, Mapping[str, Any]]) -> OfferedFrame:
        modified = _modified(listing[name])
        facts = {"exposure": name.partition(".fits")[0], "day_obs": day_obs_at(modified), "seq_num": 0, "detector": ""}
        return read_offer(
            facts
            | _facts_in_name(name)
            | {"name": name, "size": listing[name]["size"], "offered_at": modified.isoformat()}
            | {"sha256": self._sidecar(f"{name}.sha256") if f"{name}.sha256" in listing else None}
        )

    def _manifest(self, entry: Mapping[str, Any]) -> Listing:
        if entry["size"] > _MAX_MANIFEST_BYTES:
            raise BadOffer(f"manifest.json in {self.url} is larger than {_MAX_MANIFEST_BYTES} bytes")
        try:
            payload = json.loads(self._content("manifest.json", _MAX_MANIFEST_BYTES))
        except (ValueError, RecursionError) as error:
            raise BadOffer(f"manifest.json in {self.url} is not JSON: {error}") from error
        return read_listing(payload, f"manifest.json in {self.url}")

    def _sidecar(self, name: str) -> str:
        words = self._content(name, 1024).decode("ascii", "replace").split()
        return words[0].lower() if words else ""

    def _content(self, name: str, limit: int) -> bytes:
        try:
            with self._open(name) as file:
                return file.read(limit)
        except Exception as error:
            raise CameraDataSystemAway(f"{name} in {self.url} cannot be read: {error}") from error

    def _open(self, name: str) -> BinaryIO:
        path = f"{self._root}/{name}"
        if isinstance(self._files, LocalFileSystem):
            return _open_regular(Path(path))
        return cast(BinaryIO, self._files.open(path, "rb"))


def _open_regular(path: Path) -> BinaryIO:
    """Never follows a link and never waits: a FIFO put in the file's place would otherwise hang the reader for ever."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path.name} is not a regular file")
    return os.fdopen(handle, "rb")


def _is_called_a_frame(name: str) -> bool:
    return name.endswith(_ENDINGS) and not name.startswith(".")  # a dot: somebody is still writing it


def _expect_regular(entry: Mapping[str, Any]) -> None:
    if entry.get("islink"):
        raise ValueError("it is a link: expected the frame itself")
    if entry["type"] != "file":
        raise ValueError("it is a folder, a FIFO or a device: expected a regular file")


def _is_settled(entry: Mapping[str, Any]) -> bool:
    """Whether nothing has touched it for a while. What was written in the future would be waited for in vain."""
    age = datetime.now(UTC) - _modified(entry)
    if age < -_CLOCKS_AGREE:
        raise ValueError(
            "its time of last change lies in the future: set the clock of whoever writes here, and touch it"
        )
    return age >= _SETTLED


def _plain(name: str) -> str:
    """Offers are checked where they are read, but a row of ours may be years old and this opens files."""
    try:
        return check_label("name", name)
    except ValueError as error:
        raise BadOffer(f"A frame of this name is not fetched: {error}") from error


def _modified(entry: Mapping[str, Any]) -> datetime:
    """Local folders say `mtime`, S3 says `LastModified`, the in-memory store `created`."""
    value = entry.get("mtime") or entry.get("LastModified") or entry.get("created")
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    try:
        return datetime.fromtimestamp(float(value or 0.0), UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("its time of last change is no date of any calendar: touch it") from None


def _facts_in_name(name: str) -> dict[str, Any]:
    match = _LSST_NAME.match(name)
    if match is None:
        return {}
    try:
        day = ObservingDay(int(match["day"])).day_obs
    except ValueError:
        return {}
    return {
        "exposure": match["exposure"],
        "day_obs": day,
        "seq_num": int(match["seq"]),
        "detector": match["detector"] or "",
    }
