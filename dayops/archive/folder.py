"""Archived content in a local folder, published so that neither a crash nor a second writer can leave half a file.

fsspec's local file system does not call fsync, so this place speaks to the operating system itself.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from dayops.archive.incoming import digest_of

_READ_ONLY = 0o444


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a place: its key, its size in bytes and when it was last published (UTC)."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on this machine, or on a file system it mounts."""

    root: Path

    def publish(self, source: Path, key: str) -> bool:
        """Move `source`, already synced and on the same file system, to `key`. True when it was there before.

        A file of other bytes under the key is a damaged copy: it is kept in ``damaged/`` and replaced.
        """
        target = self.root / key
        _make_folder(target.parent)
        if existed := _same_bytes(source, target):
            os.utime(target)  # young again, so that a collection under way does not take it for waste
            source.unlink()
        else:
            if target.exists():
                self._keep_damaged(target)
            source.chmod(_READ_ONLY)
            # Between the look and the rename another writer may publish the same key: by its address, the same bytes.
            source.rename(target)
        _sync_folder(target.parent)
        return existed

    def open(self, key: str) -> BinaryIO:
        return (self.root / key).open("rb")

    def size(self, key: str) -> int | None:
        """Bytes under `key`, or None when there is nothing."""
        with suppress(FileNotFoundError):
            return (self.root / key).stat().st_size
        return None

    def walk(self, prefix: str) -> Iterator[Entry]:
        for folder, folders, names in os.walk(self.root / prefix):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # moved while we walked
                    status = path.stat()
                    yield Entry(
                        key=path.relative_to(self.root).as_posix(),
                        size=status.st_size,
                        modified=datetime.fromtimestamp(status.st_mtime, UTC),
                    )

    def remove(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    def _keep_damaged(self, target: Path) -> None:
        """A second name for the damaged copy, so that the whole one can replace it without a gap."""
        aside = self.root / "damaged" / f"{target.name}.{target.stat().st_mtime_ns}"
        _make_folder(aside.parent)
        with suppress(FileExistsError):
            os.link(target, aside)


def _same_bytes(source: Path, target: Path) -> bool:
    """Read both: a copy that rotted has the size it had."""
    try:
        with source.open("rb") as ours, target.open("rb") as theirs:
            return digest_of(ours) == digest_of(theirs)
    except FileNotFoundError:
        return False


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    _make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir()
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
