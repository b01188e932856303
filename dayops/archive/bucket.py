"""Archived content in an object store, through fsspec (``s3://bucket/prefix`` and its like).

An object appears whole or not at all, so publishing is an upload followed by a look at what arrived.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from dayops.archive.errors import ArchiveAway
from dayops.archive.folder import Entry
from dayops.archive.incoming import CHUNK_BYTES, digest_of

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class _Reading(io.RawIOBase):
    """An object while it is read: the store may go away in the middle, too."""

    def __init__(self, file: Any, in_words: Callable[[], AbstractContextManager[None]]) -> None:
        self._file, self._in_words = file, in_words

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._in_words():
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix of an fsspec file system. `files` is that file system.

    Whatever goes wrong with it, but for an object that is not there, is raised as ArchiveAway.
    """

    files: Any
    root: str

    def publish(self, source: Path, key: str) -> bool:
        """Upload `source` to `key`, then remove it. True when the same bytes were there before."""
        size = source.stat().st_size
        existed = self.size(key) == size and self._holds(source, key)
        if not existed:
            self._upload(source, key)
            if (arrived := self.size(key)) != size:
                raise ArchiveAway(f"{key}: {size} bytes were uploaded, but the object store holds {arrived}.")
        source.unlink()
        return existed

    def open(self, key: str) -> BinaryIO:
        with self._away_in_words():
            file = self.files.open(self._path(key), "rb")
        return io.BufferedReader(_Reading(file, self._away_in_words), CHUNK_BYTES)

    def size(self, key: str) -> int | None:
        """Bytes under `key`, or None when there is nothing."""
        with self._away_in_words():
            self.files.invalidate_cache()
            try:
                return int(self.files.info(self._path(key))["size"])
            except FileNotFoundError:
                return None

    def walk(self, prefix: str) -> Iterator[Entry]:
        with self._away_in_words():
            self.files.invalidate_cache()
            found = self.files.find(self._path(prefix), detail=True)
        for path, info in sorted(found.items()):
            modified = info.get("LastModified") or info.get("created") or _LONG_AGO
            yield Entry(key=path.removeprefix(self.root).lstrip("/"), size=int(info["size"]), modified=modified)

    def remove(self, key: str) -> None:
        if self.size(key) is not None:
            with self._away_in_words():
                self.files.rm_file(self._path(key))

    def _upload(self, source: Path, key: str) -> None:
        # Folders are not made first: of a bucket that does not exist, that would make one by a slip of the pen.
        try:
            with self._away_in_words():
                self.files.put_file(str(source), self._path(key))
        except FileNotFoundError as error:
            raise self._away(error) from error

    def _holds(self, source: Path, key: str) -> bool:
        with source.open("rb") as ours, self.open(key) as theirs:
            return digest_of(ours) == digest_of(theirs)

    def _path(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{key}"

    @contextmanager
    def _away_in_words(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # every file system of fsspec has exceptions of its own
            raise self._away(error) from error

    def _away(self, error: Exception) -> ArchiveAway:
        return ArchiveAway(
            f"The object store of the archive ({self.root}) is in trouble: {error}. "
            "See that it runs, that its keys are valid and that the bucket exists."
        )
