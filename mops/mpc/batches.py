"""Which observations make a report to the Minor Planet Center, and what keeps one from being sent twice.

Rules of the Center ("Reporting Observations"): no night with a single position of an object, which would have the
whole batch returned; no two positions of an object at one time. A new object is reported when it was linked over at
least three nights, as Rubin does (dp1.lsst.io, processing/moving).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mops.mpc.ades_write import declination, right_ascension
from mops.mpc.observation import Observation
from mops.mpc.times import iso_from_mjd


class Kind(StrEnum):
    """Of an object: one of ours, or one that the Center knows."""

    NEW = "new"
    REOBSERVED = "reobserved"


@dataclass(frozen=True, slots=True)
class Policy:
    """positions : least number of an object a night.  tracklets, nights : least numbers for a new object."""

    positions: int = 2
    tracklets: int = 2
    nights: int = 3


@dataclass(frozen=True, slots=True)
class Held:
    """An observation that stays here, and why."""

    observation: Observation
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one object's report consists of. `refused` : why there is none, or ''; then `observations` is empty."""

    kind: Kind
    observations: tuple[Observation, ...]
    held: tuple[Held, ...]
    refused: str

    @property
    def digest(self) -> str:
        """See `digest`."""
        return digest(self.observations)


def batch(
    observations: Sequence[Observation], kind: Kind, *, sent: frozenset[str] = frozenset(), policy: Policy | None = None
) -> Batch:
    """The report of one object.

    `sent` : keys (`observation_key`) of observations that were reported before; they stay here. A new object's
    nights and tracklets count all of them, because the Center has those already.

    Raises
    ------
    ValueError
        Where `observations` are of more than one object.
    """
    names = sorted({row.name.name for row in observations})
    if len(names) > 1:
        raise ValueError(f"a batch is of one object; these observations are of {len(names)}: {', '.join(names[:5])}")
    rules = policy or Policy()
    reasons = _reasons(observations, sent, rules)
    held = tuple(Held(row, why) for row, why in zip(observations, reasons, strict=True) if why)
    taken = tuple(row for row, why in zip(observations, reasons, strict=True) if not why)
    refused = _why_refused(observations, taken, kind, rules)
    return Batch(kind, () if refused else taken, held, refused)


def observation_key(row: Observation) -> str:
    """What makes an observation the same, whatever it is called: observatory, time to 1 ms, place to 0.04 mas."""
    return f"{row.station}|{iso_from_mjd(row.mjd_utc)}|{right_ascension(row.ra)}|{declination(row.dec)}"


def digest(observations: Iterable[Observation]) -> str:
    """SHA-256 of the set of observations, 64 hexadecimal digits: neither order, nor names, nor photometry matter."""
    keys = sorted({observation_key(row) for row in observations})
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def file_name(made: Batch, suffix: str) -> str:
    """Name of the report's file, e.g. ``X05_20260405_new_d00001A_3f2a90c1.psv``: its last night, kind and digest.

    Raises
    ------
    ValueError
        Where the batch is empty.
    """
    if not made.observations:
        raise ValueError(f"an empty batch has no file: {made.refused or 'every observation is held'}")
    last = max(made.observations, key=lambda row: row.mjd_utc)
    name = "".join(letter if letter.isalnum() else "-" for letter in last.name.name)
    return f"{last.station}_{last.night}_{made.kind}_{name}_{made.digest[:8]}.{suffix}"


def _reasons(observations: Sequence[Observation], sent: frozenset[str], rules: Policy) -> list[str]:
    """Why each observation stays here, or ''."""
    instants = Counter((row.station, iso_from_mjd(row.mjd_utc)) for row in observations)
    single = [instants[row.station, iso_from_mjd(row.mjd_utc)] == 1 for row in observations]
    nights = Counter((row.station, row.night) for row, alone in zip(observations, single, strict=True) if alone)
    reasons = []
    for row, alone in zip(observations, single, strict=True):
        if observation_key(row) in sent:
            reasons.append("it was reported before")
        elif not alone:
            reasons.append("the object has more than one position at this time")
        elif nights[row.station, row.night] < rules.positions:
            reasons.append(f"its night has fewer than {rules.positions} positions of the object")
        else:
            reasons.append("")
    return reasons


def _why_refused(observations: Sequence[Observation], taken: Sequence[Observation], kind: Kind, rules: Policy) -> str:
    if not taken:
        return "no observation is left to report"
    if kind is Kind.REOBSERVED:
        return ""
    sizes = Counter(row.night for row in observations)
    tracklets = sum(size >= 2 for size in sizes.values())
    if len(sizes) < rules.nights or tracklets < rules.tracklets:
        return (
            f"a new object needs {rules.tracklets} tracklets and {rules.nights} nights;"
            f" this one has {tracklets} tracklets and {len(sizes)} nights"
        )
    return ""
