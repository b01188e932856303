"""Gzip under any name, inflated within a limit."""

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dayops.camera.headers import BadFrame

INFLATED_LIMIT_BYTES = 1 << 30
_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20


@contextmanager
def inflated(path: Path, limit_bytes: int = INFLATED_LIMIT_BYTES) -> Iterator[Path]:
    """`path` itself, or a temporary plain copy for as long as the context lasts where it is gzip, whatever its name.

    Raises
    ------
    BadFrame
        The gzip stream is broken, or holds more than `limit_bytes`.
    """
    with path.open("rb") as file:
        if file.read(2) != _MAGIC:
            yield path
            return
    with tempfile.NamedTemporaryFile(prefix="dayops-", suffix=".fits") as plain:
        _inflate(path, plain, limit_bytes)
        yield Path(plain.name)


def _inflate(path: Path, plain: IO[bytes], limit_bytes: int) -> None:
    size = 0
    try:
        with gzip.open(path, "rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                size += len(chunk)
                if size > limit_bytes:
                    raise BadFrame([f"The gzip file inflates to more than the limit of {limit_bytes:,} bytes."])
                plain.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFrame([f"The gzip file is broken after {size:,} bytes: {error}. Send it again."]) from error
    plain.flush()
