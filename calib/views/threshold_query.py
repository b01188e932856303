"""What a person asks of limits, as the editor's address or form says it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import urlencode

from calib.science.judgement import Limits
from calib.threshold_proposal import Per, Recipe, Sides
from calib.threshold_request import BadChange, Change, Row
from calib.threshold_scope import Scope

LIMITS = tuple(each.name for each in fields(Limits))
SCOPE = tuple(each.name for each in fields(Scope))
_RECIPE = Recipe()


@dataclass
class Reader:
    """Reads words as numbers, times and choices; `problems` has a sentence for each that is none."""

    words: Mapping[str, str]
    problems: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return str(self.words.get(name) or "").replace("\0", "").strip()

    def number(self, name: str) -> float | None:
        """The number called `name`, None where it is empty. A decimal comma and a typographic minus are understood."""
        if not (text := self.text(name)):
            return None
        try:
            value = float(text.replace("−", "-").replace(",", "."))
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self.problems[name] = f"“{text[:40]}” is not a number: write it like 12.5."
        return None

    def whole(self, name: str) -> int | None:
        value = self.number(name)
        if value is None or (value.is_integer() and abs(value) < 2**31):
            return None if value is None else int(value)
        self.problems[name] = f"“{self.text(name)[:40]}” is not a whole number."
        return None

    def instant(self, name: str) -> datetime | None:
        """An ISO 8601 instant, UTC unless it says otherwise."""
        if not (text := self.text(name)):
            return None
        try:
            value = datetime.fromisoformat(text)
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except (ValueError, OverflowError):
            self.problems[name] = f"“{text[:40]}” is not an instant: write it like 2026-11-22 15:30 (UTC)."
            return None

    def choice(self, name: str, choices: tuple[str, ...]) -> Any:
        text = self.text(name) or choices[0]
        if text in choices:
            return text
        known = ", ".join(f"“{choice}”" for choice in choices)
        self.problems[name] = f"“{text[:40]}” is not possible: choose one of {known}."
        return choices[0]


@dataclass(frozen=True)
class EditorQuery:
    """The editor's fields. `problems` has a sentence for each that could not be read."""

    scope: Scope
    limits: Limits
    valid_from: datetime | None
    reason: str
    cause: int | None
    recipe: Recipe
    problems: dict[str, str]

    @classmethod
    def read(cls, words: Mapping[str, str]) -> "EditorQuery":
        reader = Reader(words)
        recipe = Recipe(
            days=reader.whole("days") or _RECIPE.days,
            k_warn=_or(reader.number("k_warn"), _RECIPE.k_warn),
            k_error=_or(reader.number("k_error"), _RECIPE.k_error),
            sides=reader.choice("sides", get_args(Sides)),
            per=reader.choice("per", get_args(Per)),
        )
        return cls(
            scope=Scope(**{name: reader.text(name) for name in SCOPE}),
            limits=Limits(**{name: reader.number(name) for name in LIMITS}),
            valid_from=reader.instant("valid_from"),
            reason=reader.text("reason"),
            cause=reader.whole("cause"),
            recipe=recipe,
            problems=reader.problems,
        )

    def change(self, rows: tuple[Row, ...]) -> Change:
        return Change(rows, self.reason, self.valid_from, self.cause)


def packed(change: Change) -> str:
    """A change as JSON, to be sent back unread by the form that activates it."""
    rows = [[*row.scope.words.values(), *(getattr(row.limits, name) for name in LIMITS)] for row in change.rows]
    begins = change.valid_from.isoformat() if change.valid_from else None
    return json.dumps({"rows": rows, "reason": change.reason, "valid_from": begins, "cause": change.cause})


def unpacked(text: str) -> Change:
    """The change that `packed` wrote. Raises BadChange for anything else."""
    try:
        found = json.loads(text)
        rows = tuple(
            Row(Scope(*map(str, row[: len(SCOPE)])), Limits(*map(_number, row[len(SCOPE) :]))) for row in found["rows"]
        )
        begins = datetime.fromisoformat(found["valid_from"]) if found["valid_from"] else None
        cause = None if found["cause"] is None else int(found["cause"])
        return Change(rows, str(found["reason"]), begins, cause)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadChange({"rows": "The form holds no limits that were previewed. Preview them again."}) from error


def editor_words(scope: Scope, limits: Limits | None = None) -> str:
    """The editor's query string for a scope, with limits to begin from."""
    numbers = {name: f"{value:g}" for name in LIMITS if limits and (value := getattr(limits, name)) is not None}
    return urlencode({name: word for name, word in scope.words.items() if word} | numbers)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
