"""ADES in pipe-separated values, to and from `Document`.

``# version``, then blocks: ``# group`` and ``! keyword value`` lines, a line of column names, a line for each record.
A line of names may come again at any place. Source: "ADES Description", chapter on PSV (IAU-ADES/ADES-Master).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mops.mpc.ades_document import Block, Document, Groups, Record, kind_of
from mops.mpc.ades_types import ALL_FIELDS, FIELDS
from mops.mpc.observation import Refusal

_VERSION = re.compile(r"#\s*version\s*=\s*(\S+)\s*")
_KEYWORD = re.compile(r"!\s*(\S+)(?:\s+(.*?))?\s*")


def parse_psv(text: str) -> Document:
    """The document that `text` holds; lines without sense are in its `refused`."""
    parser = _Parser()
    for number, line in enumerate(text.split("\n"), start=1):
        parser.take(number, line.rstrip("\r"))
    return parser.document()


def format_psv(document: Document) -> str:
    """`document` as PSV text, columns aligned, in the schema's order, without those that are empty throughout."""
    lines = [f"# version={document.version}"]
    for block in document.blocks:
        lines += _context_lines(block.context)
        lines += _table(block.records)
    return "\n".join(lines) + "\n"


@dataclass
class _Parser:
    version: str = ""
    blocks: list[Block] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    line: int = 0
    context: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    group: str = ""
    names: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    in_header: bool = False

    def take(self, number: int, line: str) -> None:
        if not line.strip():
            return
        if line.startswith(("#", "!")):
            self._take_header(number, line)
        else:
            self._take_row(number, [cell.strip() for cell in line.split("|")])

    def document(self) -> Document:
        self._close_block()
        return Document(self.version, tuple(self.blocks), tuple(self.refused))

    def _take_header(self, number: int, line: str) -> None:
        if not self.in_header:
            self._close_block()
            self.line, self.context, self.names, self.in_header = number, {}, [], True
        if match := _VERSION.fullmatch(line):
            self.version = match[1]
        elif line.startswith("#"):
            self._begin_group(number, line[1:].strip())
        else:
            self._add_keyword(number, line)

    def _begin_group(self, number: int, text: str) -> None:
        name, _, value = text.partition(" ")
        if not name:
            self.refused.append(Refusal(number, "a line begins with # and names no group"))
            return
        self.group = name
        self.context.setdefault(name, [])
        if value.strip():
            self.context[name].append(("", value.strip()))

    def _add_keyword(self, number: int, line: str) -> None:
        match = _KEYWORD.fullmatch(line)
        if match is None or not match[2] or self.group not in self.context:
            self.refused.append(Refusal(number, f"{line.strip()!r} is not '! keyword value' under a '# group' line"))
            return
        self.context[self.group].append((match[1], match[2]))

    def _take_row(self, number: int, cells: list[str]) -> None:
        if set(cells) <= ALL_FIELDS and len(set(cells)) == len(cells) and "obsTime" in cells:
            self.names, self.in_header = cells, False
        elif self.in_header or not self.names:
            self._take_unknown_names(number, cells)
        elif len(cells) > len(self.names) and any(cells[len(self.names) :]):
            self.refused.append(Refusal(number, f"it has {len(cells)} columns, its column names are {len(self.names)}"))
        else:
            named = {name: cell for name, cell in zip(self.names, cells, strict=False) if cell}
            self.records.append(Record(number, kind_of(set(self.names)), named))

    def _take_unknown_names(self, number: int, cells: list[str]) -> None:
        self.in_header = False
        if "obsTime" not in cells:
            self.refused.append(Refusal(number, "expected a line of ADES column names such as permID|mode|stn|obsTime"))
            return
        for name in sorted(set(cells) - ALL_FIELDS) + sorted({name for name in cells if cells.count(name) > 1}):
            self.refused.append(Refusal(number, f"the column {name!r} is unknown to ADES or there twice"))
        self.names = cells

    def _close_block(self) -> None:
        if self.context or self.records:
            context: Groups = {group: tuple(pairs) for group, pairs in self.context.items()}
            self.blocks.append(Block(self.line, context, tuple(self.records)))
        self.context, self.records, self.group = {}, [], ""


def _context_lines(context: Groups) -> Iterable[str]:
    for group, pairs in context.items():
        plain = next((value for keyword, value in pairs if not keyword), "")
        yield f"# {group} {plain}".rstrip()
        yield from (f"! {keyword} {value}" for keyword, value in pairs if keyword)


def _table(records: tuple[Record, ...]) -> list[str]:
    used = {name for record in records for name in record.fields}
    names = [name for name in FIELDS if name in used] + sorted(used - set(FIELDS))
    rows = [names, *([record.fields.get(name, "") for name in names] for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
    return ["|".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
