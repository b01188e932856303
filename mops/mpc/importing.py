"""Any file of observations: its format is told by its content, never by its name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mops.mpc.ades_read import read_csv, read_psv, read_xml
from mops.mpc.obs80 import HEADER, read_obs80
from mops.mpc.observation import Observation, Reading, Refusal

LARGEST_BYTES = 512 * 1024 * 1024
_DATE_COLUMNS = re.compile(r".{13}[ -~].\d{4} \d{2} \d{2}[. ]", re.ASCII)


class Format(StrEnum):
    """What a file is."""

    PSV = "ADES (PSV)"
    XML = "ADES (XML)"
    CSV = "table with ADES's columns"
    OBS80 = "MPC1992 (80 columns)"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held."""

    format: Format
    reading: Reading

    @property
    def objects(self) -> dict[str, tuple[Observation, ...]]:
        """Observations by object, each by time."""
        return self.reading.objects

    def report(self, most_refusals: int = 20) -> str:
        """Counts, and the first refused lines with their reasons."""
        refused = self.reading.refused
        head = (
            f"{self.format}: {len(self.reading.observations)} observations of {len(self.objects)} objects,"
            f" {len(refused)} lines refused"
        )
        more = [f"and {len(refused) - most_refusals} more"] if len(refused) > most_refusals else []
        return "\n".join([head, *(f"  {refusal}" for refusal in refused[:most_refusals]), *more])


def import_file(path: Path) -> Imported:
    """What the file at `path` holds. Raises OSError where it cannot be read; all else is in the result."""
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        return _unread(f"the file has {size} bytes; at most {LARGEST_BYTES} are read, split it")
    return import_bytes(path.read_bytes())


def import_bytes(data: bytes) -> Imported:
    """What `data` holds; nothing is raised."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return Imported(Format.XML, read_xml(data.lstrip(b" \t\r\n")))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _unread(f"the file is not UTF-8 text: byte {error.start} on line {line} is {data[error.start]:#04x}")
    if not text.strip():
        return _unread("the file is empty")
    found = sniff(text)
    if found is Format.UNKNOWN:
        return _unread("the file is none of ADES (PSV or XML), a table with ADES's columns, and MPC 80-column records")
    return Imported(found, _READERS[found](text))


def sniff(text: str) -> Format:
    """The format of a text, by its first lines."""
    lines = [line for line in text.split("\n", 200)[:200] if line.strip()]
    first = lines[0] if lines else ""
    if first.startswith("#") or _names(first, "|"):
        return Format.PSV
    if _names(first, ","):
        return Format.CSV
    if any(_DATE_COLUMNS.match(line) for line in lines) or HEADER.match(first):
        return Format.OBS80
    return Format.UNKNOWN


def _names(line: str, separator: str) -> bool:
    return {"obsTime", "stn"} <= {cell.strip() for cell in line.split(separator)}


def _unread(reason: str) -> Imported:
    return Imported(Format.UNKNOWN, Reading(refused=(Refusal(0, reason),)))


_READERS: dict[Format, Callable[[str], Reading]] = {
    Format.PSV: read_psv,
    Format.CSV: read_csv,
    Format.OBS80: read_obs80,
}
