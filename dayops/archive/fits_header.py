"""The cards of one FITS header that say where things are, read strictly (FITS standard 4.0, §4)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 2880
_CARD = 80
_BITPIX = {8, 16, 32, 64, -32, -64}
_MOST_AXES = 8
# The keywords that say where things are. Any of them twice is a contradiction.
_STRUCTURAL = re.compile(r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|ZIMAGE|ZBITPIX|ZNAXIS\d*|CHECKSUM|DATASUM")


class BadStructure(ValueError):
    """This is not a whole, plain FITS file. The message names the rule broken, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Header:
    """The structural cards of one header as text, its length in bytes and the sum of its words; `where` names it."""

    where: str
    values: dict[str, str]
    size: int
    sum: int

    def number(self, key: str, default: int | None = None, lowest: int = 0) -> int:
        """A whole number of at least `lowest`. Raises BadStructure naming the card."""
        text = self.values.get(key, "" if default is None else str(default))
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise BadStructure(f"{self.where}: {key} is {text or 'missing'}; expected a whole number.")
        if int(text) < lowest:
            raise BadStructure(f"{self.where}: {key}={text}; expected at least {lowest}.")
        return int(text)

    def axes(self, prefix: str) -> list[int]:
        """Lengths of the axes ``NAXISn`` or ``ZNAXISn``, the fastest first."""
        count = self.number(prefix)
        if count > _MOST_AXES:
            raise BadStructure(f"{self.where}: {prefix}={count}; expected at most {_MOST_AXES} axes.")
        return [self.number(f"{prefix}{axis}") for axis in range(1, count + 1)]

    def bitpix(self, key: str) -> int:
        """The FITS type of a pixel: bits, negative for floating point."""
        value = self.number(key, lowest=-64)
        if value not in _BITPIX:
            raise BadStructure(f"{self.where}: {key}={value} is not a FITS type; expected 8, 16, 32, 64, -32 or -64.")
        return value


def shown(block: bytes) -> str:
    """The first bytes, fit for a sentence: as text where they are text."""
    first = block[:30].split(b"\n")[0].rstrip(b"\r ")
    if re.fullmatch(rb"[\x20-\x7e]+", first):
        return repr(first.decode("ascii"))
    return f"the bytes {block[:8].hex(' ')}"


def read_cards(block: bytes, values: dict[str, str], where: str) -> bool:
    """Note the structural cards of one block. True when END was among them."""
    for card in _cards(block, where):
        key = card[:8].rstrip()
        if key == "END":
            return True
        if card[8:10] == "= " and _STRUCTURAL.fullmatch(key):
            if key in values:
                raise BadStructure(f"{where}: the card {key} appears twice; which one is right cannot be known.")
            values[key] = _value(card[10:])
    return False


def _cards(block: bytes, where: str) -> Iterator[str]:
    for start in range(0, BLOCK, _CARD):
        card = block[start : start + _CARD]
        if re.search(rb"[^\x20-\x7e]", card):
            raise BadStructure(f"{where}: the header card {shown(card)} holds bytes that are not printable ASCII.")
        yield card.decode("ascii")


def _value(text: str) -> str:
    quoted = re.match(r" *'((?:[^']|'')*)'", text)
    return quoted[1].rstrip() if quoted else text.partition("/")[0].strip()
