"""The immutable store: every file under the SHA-256 of its bytes, in a local folder or an object store.

::

    sha256/ab/cd/abcd…   archived content, read-only, never overwritten
    quarantine/abcd…     bytes that are not a frame we can describe, kept for a person
    damaged/             copies that were found to be short, set aside
    incoming/            on their way in (local; beside the content where the store is a folder)
"""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import fsspec
from django.conf import settings
from fsspec.implementations.local import LocalFileSystem

from dayops.archive import incoming as staging
from dayops.archive.bucket import Bucket
from dayops.archive.errors import ArchiveAway, Damaged, NotInArchive
from dayops.archive.folder import Entry, Folder
from dayops.archive.incoming import Incoming, Partial

LIMIT_BYTES = 2 * 1024**3
CACHE_BYTES = 10 * 1024**3
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """Content in the store. `existed` says that it was there before."""

    sha256: str
    size: int
    existed: bool


class Place(Protocol):
    """Where content lies: `Folder` or `Bucket`."""

    def publish(self, source: Path, key: str) -> bool: ...
    def open(self, key: str) -> BinaryIO: ...
    def size(self, key: str) -> int | None: ...
    def walk(self, prefix: str) -> Iterator[Entry]: ...
    def remove(self, key: str) -> None: ...


class Store:
    """An immutable content-addressed store.

    Parameters
    ----------
    url
        A local folder, or anything fsspec knows, such as ``s3://bucket/prefix``.
    scratch
        A local folder for files on their way in and for copies of remote ones. Needed where `url` is remote.
    """

    def __init__(self, url: str, *, scratch: Path | None = None) -> None:
        files, root = fsspec.url_to_fs(url)
        if isinstance(files, LocalFileSystem):
            self.place: Place = Folder(Path(root))
            self.incoming = Path(root) / "incoming"
        elif scratch is not None:
            self.place = Bucket(files, root)
            self.incoming = scratch / "incoming"
        else:
            raise ValueError(
                f"The archive {url} is remote: it needs a local folder (scratch) for files on their way in."
            )
        self.url = url
        self.incoming.mkdir(parents=True, exist_ok=True)

    def put(
        self, source: BinaryIO | Path, expected_sha256: str | None = None, limit_bytes: int = LIMIT_BYTES
    ) -> Stored:
        """Archive `source`. See `receive` for what is refused; content that is here already is a no-op."""
        return self.publish(self.receive(source, expected_sha256, limit_bytes))

    def receive(
        self, source: BinaryIO | Path, expected_sha256: str | None = None, limit_bytes: int = LIMIT_BYTES
    ) -> Incoming:
        """Copy `source` beside the archive, hashed and synced, to be inspected before `publish` or `quarantine`.

        Raises
        ------
        ChecksumMismatch, TooLarge, ArchiveFull
            In words; nothing is left behind.
        """
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self.receive(file, expected_sha256, limit_bytes)
        return staging.receive(self.incoming, source, expected_sha256=expected_sha256, limit_bytes=limit_bytes)

    def partial(self, name: str) -> AbstractContextManager[Partial]:
        """The resumable transfer called `name` (a label, never a path). Raises TransferBusy when it is held."""
        return staging.partial(self.incoming, name)

    def publish(self, incoming: Incoming) -> Stored:
        """Move a received file to its address. From here on it is immutable.

        A copy that is there already and has other bytes is damaged: it is replaced, and `existed` is false.
        """
        return self._settle(incoming, address(incoming.sha256))

    def quarantine(self, incoming: Incoming) -> Stored:
        """Keep bytes that could not be described, apart from the archived ones."""
        return self._settle(incoming, f"quarantine/{incoming.sha256}")

    def discard(self, incoming: Incoming) -> None:
        incoming.path.unlink(missing_ok=True)

    def exists(self, sha256: str) -> bool:
        return self.place.size(address(sha256)) is not None

    def open(self, sha256: str) -> BinaryIO:
        """Archived bytes, for reading. Raises NotInArchive."""
        try:
            return self.place.open(address(sha256))
        except FileNotFoundError as error:
            raise NotInArchive(f"The archive {self.url} does not hold {sha256}.") from error

    def verify(self, sha256: str) -> int:
        """Read the archived copy again and return its size in bytes. Raises NotInArchive or Damaged."""
        with self.open(sha256) as file:
            digest, size = staging.digest_of(file)
        if digest != sha256:
            raise Damaged(f"The archive's copy of {sha256} ({size} bytes) now hashes to {digest}: restore it.")
        return size

    @contextmanager
    def local_path(self, sha256: str) -> Iterator[Path]:
        """A real path of archived content; of a remote store, a verified copy kept in a bounded cache."""
        if isinstance(self.place, Folder):
            path = self.place.root / address(sha256)
            if not path.exists():
                raise NotInArchive(f"The archive {self.url} does not hold {sha256}.")
            yield path
        else:
            yield self._cached(sha256)

    def walk(self) -> Iterator[Entry]:
        """Every archived file, by address."""
        return self.place.walk("sha256")

    def remove(self, sha256: str) -> None:
        """Take content out again. Only `dayops.archive.scrub` may, and only what nothing refers to."""
        self.place.remove(address(sha256))

    def _settle(self, incoming: Incoming, key: str) -> Stored:
        with staging.space_or_sentence(incoming.path, incoming.size):
            existed = self.place.publish(incoming.path, key)
        return Stored(incoming.sha256, incoming.size, existed)

    def _cached(self, sha256: str) -> Path:
        cache = Folder(self.incoming.parent / "cache")
        path = cache.root / sha256
        if path.exists():
            os.utime(path)
            return path
        with self.open(sha256) as file:
            copy = staging.receive(self.incoming, file, expected_sha256=sha256, limit_bytes=LIMIT_BYTES)
        cache.publish(copy.path, sha256)
        _evict(cache, CACHE_BYTES)
        return path


def address(sha256: str) -> str:
    """Key of content. Raises ValueError for anything but 64 lower-case hexadecimal digits."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"{sha256[:80]!r} is not a SHA-256: expected 64 lower-case hexadecimal digits.")
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def is_address(key: str) -> bool:
    digest = key.rpartition("/")[2]
    return _SHA256.fullmatch(digest) is not None and key == address(digest)


def store() -> Store:
    """The archive of this site, as the settings name it. Raises ArchiveAway where it cannot be used."""
    try:
        return Store(settings.ARCHIVE_URL, scratch=Path(settings.STATE_DIR) / "archive-scratch")
    except (OSError, ValueError, ImportError) as error:
        raise ArchiveAway(
            f"The archive {settings.ARCHIVE_URL} cannot be used: {error}. "
            "Mend the place, or set DAYOPS_ARCHIVE to a folder that this user may write to."
        ) from error


def _evict(cache: Folder, limit_bytes: int) -> None:
    """Forget the copies not used for longest. A reader that has one open keeps it until it closes."""
    entries = sorted(cache.walk(""), key=lambda entry: entry.modified, reverse=True)
    total = 0
    for entry in entries:
        total += entry.size
        if total > limit_bytes:
            cache.remove(entry.key)
