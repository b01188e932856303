"""An ADES document as its two forms, PSV and XML, share it: blocks of a context and records, all values as text.

Nothing is judged here but the form; `mops.mpc.ades_validate` holds a document against the rules.
Source: IAU Commission X2, "ADES Description" and the schema `submit.xsd` of the repository IAU-ADES/ADES-Master.
"""

from dataclasses import dataclass, field

from mops.mpc.observation import Refusal

Groups = dict[str, tuple[tuple[str, str], ...]]  # e.g. {"observatory": (("mpcCode", "X05"),)}, in the order given

VERSION = "2022"


@dataclass(frozen=True, slots=True)
class Record:
    """One observation. `line` : in the file, from 1.  `kind` : optical, offset, occultation or radar."""

    line: int
    kind: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """Records under one context. `line` : where the context begins. `fundingSource` has the keyword ''."""

    line: int
    context: Groups
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file. `version` : '' where it does not say. `refused` : lines that have no sense."""

    version: str = VERSION
    blocks: tuple[Block, ...] = ()
    refused: tuple[Refusal, ...] = field(default=())

    @property
    def records(self) -> tuple[Record, ...]:
        """Those of every block, in order."""
        return tuple(record for block in self.blocks for record in block.records)


def kind_of(names: set[str]) -> str:
    """Which kind of record has fields with these names; PSV does not say it."""
    if names & {"delay", "doppler"}:
        return "radar"
    if names & {"raStar", "decStar"}:
        return "occultation"
    return "offset" if names & {"obsCenter", "deltaRA", "dist"} else "optical"
