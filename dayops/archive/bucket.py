"""Archived content in an object store, through fsspec (``s3://bucket/prefix`` and its like).

An object appears whole or not at all, so publishing is an upload followed by a look at what arrived.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from dayops.archive.errors import ArchiveAway
from dayops.archive.folder import Entry

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A prefix of an fsspec file system. `files` is that file system.

    Whatever goes wrong with it, but for an object that is not there, is raised as ArchiveAway.
    """

    files: Any
    root: str

    def publish(self, source: Path, key: str) -> bool:
        """Upload `source` to `key`, then remove it. True when an object of that size was there before."""
        size = source.stat().st_size
        existed = self.size(key) == size
        if not existed:
            self._upload(source, key)
            if (arrived := self.size(key)) != size:
                raise ArchiveAway(f"{key}: {size} bytes were uploaded, but the object store holds {arrived}.")
        source.unlink()
        return existed

    def open(self, key: str) -> BinaryIO:
        with self._away_in_words():
            return cast("BinaryIO", self.files.open(self._path(key), "rb"))

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
        with self._away_in_words():
            self.files.makedirs(self._path(key).rpartition("/")[0], exist_ok=True)
            self.files.put_file(str(source), self._path(key))

    def _path(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{key}"

    @contextmanager
    def _away_in_words(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # every file system of fsspec has exceptions of its own
            raise ArchiveAway(f"The object store of the archive ({self.root}) is in trouble: {error}") from error
