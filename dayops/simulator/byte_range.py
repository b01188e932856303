"""The Range header of one resumed download (RFC 9110, section 14)."""

import re

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


class NotSatisfiable(ValueError):
    """The range begins at or after the end of the file, or asks for its last zero bytes."""


def parse_range(header: str | None, size: int) -> range | None:
    """The bytes asked for of a file of `size` bytes; None for the whole file.

    No header, several ranges, another unit and nonsense all mean the whole file, as the RFC allows. Raises
    `NotSatisfiable` where no byte of the file is asked for.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        wanted = range(max(0, size - int(last)), size)
    elif last and int(last) < int(first):
        return None
    else:
        wanted = range(int(first), min(size, int(last) + 1) if last else size)
    if not wanted:
        raise NotSatisfiable(f"bytes {header} of a file of {size} bytes")
    return wanted
