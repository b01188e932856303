"""ADES in XML, to and from `Document`.

Parsed with Expat, which gives the line of every element; a document type declaration, and so every entity that a
file could declare, is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from mops.mpc.ades_document import Block, Document, Groups, Record
from mops.mpc.ades_types import FIELDS
from mops.mpc.observation import Refusal

_KINDS = frozenset({"optical", "offset", "occultation", "radar"})


def parse_xml(data: bytes) -> Document:
    """The document that `data` holds; what is not well-formed, and elements out of place, are in its `refused`.

    Records before the place where the form breaks are kept.
    """
    tree = _Tree()
    parser = expat.ParserCreate()
    tree.listen_to(parser)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        tree.refused.append(Refusal(error.lineno, f"the XML is not well-formed: {expat.ErrorString(error.code)}"))
    except (ValueError, LookupError) as error:  # our own sentences, and an encoding that Python does not know
        tree.refused.append(Refusal(parser.CurrentLineNumber, str(error)))
    return tree.document()


def format_xml(document: Document) -> str:
    """`document` as XML text, elements in the schema's order."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<ades version={quoteattr(document.version)}>"]
    for block in document.blocks:
        lines += ["  <obsBlock>", "    <obsContext>"]
        lines += [f"      {line}" for line in _context_lines(block.context)]
        lines += ["    </obsContext>", "    <obsData>"]
        for record in block.records:
            lines += [f"      {line}" for line in _record_lines(record)]
        lines += ["    </obsData>", "  </obsBlock>"]
    return "\n".join([*lines, "</ades>"]) + "\n"


@dataclass
class _Tree:
    """What has been seen so far. `path` : names of the open elements."""

    version: str = ""
    blocks: list[Block] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    line: int = 0
    context: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    record: Record | None = None

    def listen_to(self, parser: expat.XMLParserType) -> None:
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: self._open(parser.CurrentLineNumber, name, attributes)
        parser.EndElementHandler = lambda name: self._close(parser.CurrentLineNumber)
        parser.CharacterDataHandler = self.text.append
        parser.StartDoctypeDeclHandler = _refuse_doctype

    def document(self) -> Document:
        self._end_block()
        return Document(self.version, tuple(self.blocks), tuple(self.refused))

    def _open(self, line: int, name: str, attributes: dict[str, str]) -> None:
        self.path.append(name)
        self.text.clear()
        if self.path == ["ades"]:
            self.version = attributes.get("version", "")
        elif self.path[0] != "ades":
            raise ValueError(f"the outermost element is <{self.path[0]}>; ADES begins with <ades>")
        elif name == "obsBlock":
            self._end_block()
            self.line = line
        elif name in _KINDS and self.record is None:
            self.record = Record(line, name, {})
        elif "obsContext" in self.path and len(self.path) == 4:
            self.context.setdefault(name, [])

    def _close(self, line: int) -> None:
        text, name = "".join(self.text).strip(), self.path.pop()
        self.text.clear()
        if self.record is not None:
            self._close_in_record(line, name, text, self.record)
        elif self.path[2:3] == ["obsContext"] and text and len(self.path) in (3, 4):
            group, keyword = (self.path[3], name) if len(self.path) == 4 else (name, "")
            self.context.setdefault(group, []).append((keyword, text))

    def _close_in_record(self, line: int, name: str, text: str, record: Record) -> None:
        if name == record.kind and self.path[-1:] != [record.kind]:
            self.records.append(record)
            self.record = None
        elif self.path[-1] != record.kind:
            return  # within localUse anything may be
        elif name in record.fields:
            self.refused.append(Refusal(line, f"<{name}> is there twice in one <{record.kind}>; the first is taken"))
        elif text:
            record.fields[name] = text

    def _end_block(self) -> None:
        if self.context or self.records:
            context: Groups = {group: tuple(pairs) for group, pairs in self.context.items()}
            self.blocks.append(Block(self.line, context, tuple(self.records)))
        self.context, self.records = {}, []


def _refuse_doctype(*_: object) -> None:
    raise ValueError("the file declares a document type, which ADES has no use for; remove <!DOCTYPE …>")


def _context_lines(context: Groups) -> Iterable[str]:
    for group, pairs in context.items():
        if [keyword for keyword, _ in pairs] == [""]:
            yield f"<{group}>{escape(pairs[0][1])}</{group}>"
            continue
        yield f"<{group}>"
        yield from (f"  <{keyword}>{escape(value)}</{keyword}>" for keyword, value in pairs)
        yield f"</{group}>"


def _record_lines(record: Record) -> Iterable[str]:
    yield f"<{record.kind}>"
    order = [name for name in FIELDS if name in record.fields] + [name for name in record.fields if name not in FIELDS]
    yield from (f"  <{name}>{escape(record.fields[name])}</{name}>" for name in order)
    yield f"</{record.kind}>"
