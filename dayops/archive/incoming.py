"""Bytes on their way in: copied and hashed beside the archive, resumable when the transfer breaks."""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dayops.archive.errors import ArchiveFull, ChecksumMismatch, TooLarge, TransferBusy

CHUNK_BYTES = 1 << 17  # larger ones go back to the system after each use, and come back dearly
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """A complete, hashed and synced local copy that has not been published yet."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Partial:
    """A transfer that may have begun before. Whoever holds it is its only writer."""

    path: Path

    @property
    def size(self) -> int:
        """Bytes here already: the offset to resume at."""
        return self.path.stat().st_size

    @contextmanager
    def append(self, need_bytes: int | None = None) -> Iterator[BinaryIO]:
        """A file to write the missing bytes to. On a full disk they are given up, so that others may go on."""
        with space_or_sentence(self.path, need_bytes), self.path.open("ab") as file:
            yield file

    def complete(self, expected_sha256: str | None) -> Incoming:
        """Hash and sync what has arrived. Wrong bytes are thrown away (ChecksumMismatch): the next try begins anew."""
        with self.path.open("rb") as file:
            digest, size = digest_of(file)
            os.fsync(file.fileno())
        return _checked(Incoming(self.path, digest, size), expected_sha256)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


def digest_of(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 (hexadecimal) and size in bytes of what is left to read."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def receive(folder: Path, source: BinaryIO, *, expected_sha256: str | None, limit_bytes: int) -> Incoming:
    """Copy `source` into `folder`, hashing on the way, and sync it.

    Raises
    ------
    ChecksumMismatch, TooLarge, ArchiveFull
        In words; nothing is left behind.
    """
    path = folder / f"{uuid.uuid4().hex}.new"
    with space_or_sentence(path, None):
        try:
            incoming = _copy(source, path, limit_bytes)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return _checked(incoming, expected_sha256)


@contextmanager
def partial(folder: Path, name: str) -> Iterator[Partial]:
    """The partial file of the transfer `name`, held alone. Raises TransferBusy when another process has it."""
    path = folder / f"{_file_key(name)}.part"
    with space_or_sentence(path, None):
        file = _open_alone(path, name)
    try:
        yield Partial(path)
    finally:
        file.close()


@contextmanager
def space_or_sentence(path: Path, need_bytes: int | None) -> Iterator[None]:
    """Turn the operating system's "no space" into ArchiveFull, with the figures, and remove `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE:
            raise
        path.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free
        need = "" if need_bytes is None else f", {need_bytes / _MIB:.1f} MiB needed"
        raise ArchiveFull(
            f"No space left in {path.parent}: {free / _MIB:.1f} MiB free{need}. "
            "Make room or move the archive (DAYOPS_ARCHIVE). Frames of the Camera Data System are then fetched by "
            "themselves; give a command again."
        ) from error


def _copy(source: BinaryIO, path: Path, limit_bytes: int) -> Incoming:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        while chunk := source.read(CHUNK_BYTES):
            size += len(chunk)
            if size > limit_bytes:
                raise TooLarge(f"More than {limit_bytes / _MIB:.0f} MiB: no raw frame is that large. Nothing was kept.")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Incoming(path, digest.hexdigest(), size)


def _checked(incoming: Incoming, expected_sha256: str | None) -> Incoming:
    if expected_sha256 is not None and incoming.sha256 != expected_sha256:
        incoming.path.unlink()
        raise ChecksumMismatch(
            f"The sender vouched for SHA-256 {expected_sha256}, but the {incoming.size} bytes received "
            f"hash to {incoming.sha256}. Nothing was archived; ask the sender for the file again."
        )
    return incoming


def _open_alone(path: Path, name: str) -> BinaryIO:
    while True:
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise TransferBusy(f"{name} is being fetched by another process at this moment.") from error
        if _is_still(path, file):
            return file
        # Published between our open and our lock: this is the archived file itself and must not be written to.
        file.close()


def _is_still(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _file_key(name: str) -> str:
    """A file name that is only a label to us: never a path, never too long, never ambiguous."""
    readable = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:60].lstrip(".")
    return f"{readable}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}"
