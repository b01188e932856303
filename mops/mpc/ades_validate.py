"""Holds an ADES document against the published rules: every problem with its line, field and a sentence.

`Purpose.SUBMISSION` is the schema `submit.xsd` (version 2022) with the Minor Planet Center's further rules for what
is newly submitted; `Purpose.GENERAL` is `general.xsd`, for what others wrote. Sources: IAU-ADES/ADES-Master, the
Center's "Valid ADES Field Values", "Discoveries, Credit and Naming" and "Reporting Observations".
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from mops.mpc.ades_context import context_problems
from mops.mpc.ades_document import VERSION, Block, Document, Record
from mops.mpc.ades_types import FIELDS, NOT_SUBMITTED
from mops.mpc.designations import looks_official
from mops.mpc.stations import place_needed
from mops.mpc.vocabulary import HISTORICAL_BANDS, HISTORICAL_CATALOGUES, HISTORICAL_MODES

_PLACE = ("sys", "ctr", "pos1", "pos2", "pos3")
_OF_PHOTOMETRY = ("rmsMag", "band", "fltr", "photCat", "photAp")
_OUTDATED = {
    "mode": HISTORICAL_MODES,
    "band": HISTORICAL_BANDS,
    "astCat": HISTORICAL_CATALOGUES,
    "photCat": HISTORICAL_CATALOGUES,
}


class Purpose(StrEnum):
    """Which schema holds."""

    SUBMISSION = "submission"
    GENERAL = "general"


class Problem(NamedTuple):
    """What breaks a rule. `field` is an element or, for a context, a group; '' for a whole record or file."""

    line: int
    field: str
    sentence: str


def validate(document: Document, purpose: Purpose = Purpose.SUBMISSION) -> list[Problem]:
    """Every problem of `document`, by line; empty where it is valid."""
    problems = [Problem(refusal.line, "", refusal.reason) for refusal in document.refused]
    problems += _of_the_whole(document)
    for block in document.blocks:
        problems += [Problem(block.line, group, sentence) for group, sentence in context_problems(block.context)]
        problems += _of_block(block)
        for record in block.records:
            problems += [Problem(record.line, name, sentence) for name, sentence in _of_record(record, purpose)]
    if purpose is Purpose.SUBMISSION:
        problems += _discoveries(document) + _doubles(document)
    return sorted(problems)


def _of_the_whole(document: Document) -> list[Problem]:
    problems = []
    if document.version != VERSION:
        problems.append(Problem(1, "version", f"the version is {document.version!r}; expected {VERSION}"))
    if not document.blocks:
        problems.append(Problem(1, "", "the file holds no block of observations"))
    return problems


def _of_block(block: Block) -> list[Problem]:
    kinds = sorted({record.kind for record in block.records})
    if not kinds:
        return [Problem(block.line, "", "the block holds no observation")]
    if len(kinds) > 1:
        return [
            Problem(block.line, "", f"one block holds {' and '.join(kinds)} records; each needs a block of its own")
        ]
    return []


def _of_record(record: Record, purpose: Purpose) -> Iterable[tuple[str, str]]:
    if record.kind != "optical":
        yield "", f"it is of the kind {record.kind}, whose rules are not checked here: only optical records are"
        return
    yield from _field_problems(record.fields, purpose)
    yield from _identity_problems(record.fields)
    yield from _group_problems(record.fields)
    if purpose is Purpose.SUBMISSION:
        yield from _submission_problems(record.fields)


def _field_problems(fields: dict[str, str], purpose: Purpose) -> Iterable[tuple[str, str]]:
    for name, value in fields.items():
        if name in FIELDS:
            if wrong := FIELDS[name](value):
                yield name, f"{name} {value!r} {wrong}"
        elif name not in NOT_SUBMITTED:
            yield name, f"{name!r} is no field of an optical record"
        elif purpose is Purpose.SUBMISSION:
            yield name, f"{name} is the Minor Planet Center's own field and must not be submitted"
    for name in ("mode", "stn", "obsTime", "ra", "dec", "astCat"):
        if name not in fields:
            yield name, f"{name} is missing; every optical record needs it"


def _identity_problems(fields: dict[str, str]) -> Iterable[tuple[str, str]]:
    given = [name for name in ("permID", "provID", "artSat", "trkSub") if name in fields]
    if not given:
        yield "trkSub", "nothing says which object it is: one of permID, provID, trkSub is needed"
    if "artSat" in given and {"permID", "provID"} & set(given):
        yield "artSat", "artSat excludes permID and provID"


def _group_problems(fields: dict[str, str]) -> Iterable[tuple[str, str]]:
    if "mag" not in fields:
        for name in _OF_PHOTOMETRY:
            if name in fields:
                yield name, f"{name} is given without mag"
    elif "band" not in fields:
        yield "band", "mag is given without band"
    place = [name for name in fields if name in _PLACE or name.startswith(("vel", "posCov"))]
    if place:
        yield from ((name, f"{name} is missing beside {place[0]}") for name in _PLACE if name not in fields)
    elif why := _place_needed(fields.get("stn", "")):
        yield "pos1", why


def _place_needed(code: str) -> str:
    try:
        return place_needed(code)
    except ValueError:
        return ""  # the field's own rule says that the code is unknown


def _submission_problems(fields: dict[str, str]) -> Iterable[tuple[str, str]]:
    for name, outdated in _OUTDATED.items():
        if fields.get(name) in outdated:
            yield name, f"{name} {fields[name]!r} is kept for historical data and must not be on new observations"
    if "disc" in fields and {"permID", "provID"} & set(fields):
        yield (
            "disc",
            "a discovery is marked beside a designation of the Minor Planet Center; only trkSub may have it",
        )
    own = fields.get("trkSub", "")
    if own and not FIELDS["trkSub"](own) and looks_official(own):
        yield "trkSub", f"trkSub {own!r} has the form of a designation of the Minor Planet Center; choose another"


def _discoveries(document: Document) -> list[Problem]:
    """Not more than one discovery observation an object."""
    seen: Counter[str] = Counter()
    problems = []
    for record in document.records:
        if "disc" in record.fields:
            own = record.fields.get("trkSub", "")
            seen[own] += 1
            if seen[own] > 1:
                problems.append(Problem(record.line, "disc", f"{own} has more than one discovery observation"))
    return problems


def _doubles(document: Document) -> list[Problem]:
    """Not more than one place of an object for each observatory and time."""
    seen: dict[tuple[str, ...], int] = {}
    problems = []
    for record in document.records:
        key = tuple(record.fields.get(name, "") for name in ("permID", "provID", "trkSub", "stn", "obsTime"))
        first = seen.setdefault(key, record.line)
        if first != record.line:
            problems.append(Problem(record.line, "obsTime", f"the object has a place at this time on line {first}"))
    return problems
