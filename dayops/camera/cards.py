"""Reading header cards that nobody vouches for: text is cleaned, numbers are finite, what is wrong is collected."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

Header = Mapping[str, object]
LONGEST_TEXT = 200
_NOTHING = {"", "UNKNOWN", "_UNKNOWN_", "NONE", "UNSPECIFIED"}


def clean(value: object, limit: int = LONGEST_TEXT) -> str:
    """`value` as one line of at most `limit` printable characters; mark-up stays text, for pages to escape."""
    text = "" if value is None else str(value)[: 4 * limit]
    printable = "".join(" " if unicodedata.category(letter).startswith(("C", "Z")) else letter for letter in text)
    return " ".join(printable.split())[:limit]


@dataclass
class Findings:
    """What is wrong with a frame (`problems` refuse it) and what is merely odd (`remarks` are kept with it)."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cards:
    """The cards of a frame, looked up by several names in order of trust."""

    values: Header
    findings: Findings

    def text(self, *names: str, limit: int = LONGEST_TEXT) -> str:
        """The first of `names` that says something, or the empty string."""
        texts = (clean(self.values.get(name), limit) for name in names)
        return next((text for text in texts if text.upper() not in _NOTHING), "")

    def number(self, *names: str) -> float:
        """The first of `names` that is a finite number, or NaN."""
        numbers = (as_number(self.values.get(name)) for name in names)
        return next((number for number in numbers if math.isfinite(number)), math.nan)

    def which(self, *names: str) -> str:
        """The name that is present, for sentences; the first one when none is."""
        return next((name for name in names if self.values.get(name) is not None), names[0])


def as_number(value: object) -> float:
    """`value` as a float; NaN when it is not a number (truth values are not)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
