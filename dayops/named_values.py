"""Named sets of values in a TOML file, of which people and programs may change the numbers that have a range."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class NamedValues:
    """The sets of one file. ranges : least and most of each value that may be changed.  whole : those of whole numbers.

    based_on : the set from which the others take what they do not say themselves, '' where each says all.
    """

    path: Path
    ranges: Mapping[str, tuple[float, float]]
    whole: Collection[str] = ()
    based_on: str = ""
    _sets: dict[str, dict[str, Any]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = tomllib.loads(self.path.read_text())
        base = found.get(self.based_on, {})
        object.__setattr__(self, "_sets", {name: {**base, **own} for name, own in found.items()})

    def names(self) -> list[str]:
        """In the order of the file."""
        return list(self._sets)

    def values(self, name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The set called `name` with `changes`. Raises ValueError, in a sentence, for what is not allowed."""
        if name not in self._sets:
            raise ValueError(f"There is no configuration {name!r}: expected {' or '.join(self.names())}.")
        return self._sets[name] | {key: self._allowed(key, value) for key, value in (changes or {}).items()}

    def _allowed(self, key: str, value: Any) -> Any:
        if key not in self.ranges:
            raise ValueError(f"{key!r} cannot be set: expected one of {', '.join(self.ranges)}.")
        low, high = self.ranges[key]
        is_whole, told = key in self.whole, repr(value)[:40]
        if isinstance(value, bool) or not isinstance(value, int | float) or (is_whole and value % 1 != 0):
            raise ValueError(f"{key} is {told}: expected {'a whole number' if is_whole else 'a number'}.")
        if not low <= value <= high:
            raise ValueError(f"{key} is {told}: expected {low:g} to {high:g}.")
        return int(value) if is_whole else float(value)
