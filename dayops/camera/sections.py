"""FITS sections such as ``[4:512,1:2000]``: counted from one, both ends included, sometimes backwards."""

import re
from dataclasses import dataclass

from dayops.camera.geometry import Box

_SECTION = re.compile(r"\[\s*(\d{1,7})\s*:\s*(\d{1,7})\s*,\s*(\d{1,7})\s*:\s*(\d{1,7})\s*\]")
_UNKNOWN = {"", "UNKNOWN", "NONE", "N/A"}


@dataclass(frozen=True, slots=True)
class Section:
    """A box and the directions in which the card counted it."""

    box: Box
    flip_x: bool = False
    flip_y: bool = False


def parse(text: object) -> Section | None:
    """Read a section card; None where the card is absent or says that the section is unknown.

    Raises
    ------
    ValueError
        The text is not a section.

    Examples
    --------
    >>> parse("[509:1,1:2000]")
    Section(box=Box(x0=0, y0=0, x1=509, y1=2000), flip_x=True, flip_y=False)
    """
    if text is None or str(text).strip().upper() in _UNKNOWN:
        return None
    match = _SECTION.fullmatch(str(text).strip())
    if match is None or "0" in (ends := [end.lstrip("0") or "0" for end in match.groups()]):
        raise ValueError(f"{str(text)[:40]!r} is not a FITS section: expected [x1:x2,y1:y2] counted from 1.")
    x_first, x_last, y_first, y_last = map(int, ends)
    return Section(
        Box(min(x_first, x_last) - 1, min(y_first, y_last) - 1, max(x_first, x_last), max(y_first, y_last)),
        flip_x=x_first > x_last,
        flip_y=y_first > y_last,
    )


def format_section(box: Box, *, flip_x: bool = False, flip_y: bool = False) -> str:
    """The card for `box`: the inverse of `parse`."""
    x = (box.x1, box.x0 + 1) if flip_x else (box.x0 + 1, box.x1)
    y = (box.y1, box.y0 + 1) if flip_y else (box.y0 + 1, box.y1)
    return f"[{x[0]}:{x[1]},{y[0]}:{y[1]}]"
