"""The rules for an ADES block's context: who observed, with what.

Source: `submit.xsd` of IAU-ADES/ADES-Master, type ObsContextType and what it refers to.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mops.mpc.ades_document import Groups
from mops.mpc.ades_types import Check, known_station, positive, string


@dataclass(frozen=True, slots=True)
class Group:
    """`required`, `optional` : checks by keyword.  `repeated` : whether a keyword may come more than once."""

    required: dict[str, Check]
    optional: dict[str, Check]
    repeated: bool = False


_NAMES = Group({"name": string(100)}, {}, repeated=True)

GROUPS: dict[str, Group] = {
    "observatory": Group({"mpcCode": known_station}, {"name": string(100)}),
    "submitter": Group({"name": string(100)}, {"institution": string(100)}),
    "observers": _NAMES,
    "measurers": _NAMES,
    "telescope": Group(
        {"design": string(25), "aperture": positive(6), "detector": string(25)},
        {
            "name": string(100),
            "fRatio": positive(6),
            "filter": string(25),
            "arraySize": string(25),
            "pixelScale": positive(6),
        },
    ),
    "software": Group({}, dict.fromkeys(["astrometry", "photometry", "objectDetection"], string(100))),
    "coinvestigators": _NAMES,
    "collaborators": _NAMES,
    "fundingSource": Group({"": string(100)}, {}),
    "comment": Group({"line": string(100)}, {}, repeated=True),
}
GROUPS["software"].optional["fitOrder"] = string(25)

REQUIRED = ("observatory", "submitter", "measurers", "telescope")


def context_problems(context: Groups) -> Iterable[tuple[str, str]]:
    """(group, sentence) for everything that breaks a rule."""
    for name in REQUIRED:
        if name not in context:
            yield name, f"the context has no {name}, which every submission needs"
    for name, pairs in context.items():
        if name not in GROUPS:
            yield name, f"{name!r} is no group of a context; expected one of {', '.join(GROUPS)}"
        else:
            yield from ((name, sentence) for sentence in _group_problems(name, GROUPS[name], pairs))


def _group_problems(name: str, group: Group, pairs: tuple[tuple[str, str], ...]) -> Iterable[str]:
    keywords = [keyword for keyword, _ in pairs]
    for keyword in group.required:
        if keyword not in keywords:
            yield f"{name} has no {keyword or 'text'}"
    for keyword, value in pairs:
        check = group.required.get(keyword) or group.optional.get(keyword)
        if check is None:
            yield f"{name} has no keyword {keyword!r}"
        elif wrong := check(value):
            yield f"{name} {keyword} {value!r} {wrong}".replace("  ", " ")
    if not group.repeated:
        yield from (f"{name} {keyword} is given twice" for keyword in sorted(_repeated(keywords)))


def _repeated(words: list[str]) -> set[str]:
    return {word for word in words if words.count(word) > 1}
