"""Observations out of ADES, in PSV or XML, and out of tables with ADES's names for columns (CSV).

Source: "ADES Description" (IAU-ADES/ADES-Master). A record that cannot be used is refused in a sentence; the others
are read. Reading asks for less than the rules of a submission, which `mops.mpc.ades_validate` knows.
"""

import csv
import math
from collections.abc import Iterable
from math import nan

from mops.mpc import times
from mops.mpc.ades_document import Document, Record
from mops.mpc.ades_psv import parse_psv
from mops.mpc.ades_types import FIELDS
from mops.mpc.ades_xml import parse_xml
from mops.mpc.designations import Designation, designation
from mops.mpc.observation import Observation, Reading, Refusal
from mops.mpc.permanent import is_permanent
from mops.mpc.stations import station
from mops.science.constants import AU_KM

_CHECKED = ("mag", "rmsCorr", "ra", "dec")
_KM = {"ICRF_KM": 1.0, "ICRF_AU": AU_KM}


def read_psv(text: str) -> Reading:
    """Observations of an ADES document in PSV."""
    return from_document(parse_psv(text))


def read_xml(data: bytes) -> Reading:
    """Observations of an ADES document in XML."""
    return from_document(parse_xml(data))


def read_csv(text: str) -> Reading:
    """Observations of a table whose first line that is not blank names its columns as ADES does.

    `provID` may be a number or a provisional designation, `actualProvID` the one under which it was observed.
    """
    lines = text.split("\n")
    head = next((number for number, line in enumerate(lines) if line.strip()), 0)
    columns = [name.strip() for name in lines[head].split(",")]
    if missing := sorted({"ra", "dec", "obsTime", "stn"} - set(columns)):
        return Reading(refused=(Refusal(head + 1, f"the table has no column {', '.join(missing)}"),))
    records: list[Record] = []
    refused: list[Refusal] = []
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        try:
            records += _csv_records(number, line, columns)
        except csv.Error as error:
            refused.append(Refusal(number, f"the line is no comma-separated row: {error}"))
    return from_records(records, tuple(refused))


def from_document(document: Document) -> Reading:
    """Observations of a document; its refused lines come along."""
    return from_records(document.records, document.refused)


def from_records(records: Iterable[Record], refused: tuple[Refusal, ...]) -> Reading:
    """Observations of records, in their order."""
    observations: list[Observation] = []
    refusals = list(refused)
    for record in records:
        try:
            observations.append(_observation(record))
        except ValueError as error:
            refusals.append(Refusal(record.line, str(error)))
    return Reading(tuple(observations), tuple(sorted(refusals, key=lambda refusal: refusal.line)))


def _csv_records(number: int, line: str, columns: list[str]) -> list[Record]:
    """The line's record; none where it is blank."""
    cells = next(csv.reader([line], strict=True), [])
    named = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if cell.strip()}
    if len(cells) > len(columns):
        raise csv.Error(f"it has {len(cells)} cells, the table {len(columns)} columns")
    return [Record(number, "optical", named)] if named else []


def _observation(record: Record) -> Observation:
    if record.kind != "optical":
        raise ValueError(f"it is of the kind {record.kind}, which is not taken: only optical places are")
    fields = record.fields
    if missing := [name for name in ("obsTime", "ra", "dec", "stn") if name not in fields]:
        raise ValueError(f"{', '.join(missing)} missing; an observation needs obsTime, ra, dec and stn")
    for name in _CHECKED:
        if name in fields and (wrong := FIELDS[name](fields[name])):
            raise ValueError(f"{name} {fields[name]!r} {wrong}")
    return Observation(
        line=record.line,
        name=_name(fields),
        station=station(fields["stn"]).code,
        utc=fields["obsTime"],
        mjd_utc=times.mjd_from_iso(fields["obsTime"]),
        ra=float(fields["ra"]),
        dec=float(fields["dec"]),
        rms_ra=_positive(fields, "rmsRA"),
        rms_dec=_positive(fields, "rmsDec"),
        rms_corr=float(fields.get("rmsCorr", nan)),
        mag=float(fields.get("mag", nan)),
        rms_mag=_positive(fields, "rmsMag"),
        band=fields.get("band", ""),
        mode=fields.get("mode", ""),
        astrometric_catalogue=fields.get("astCat", ""),
        photometric_catalogue=fields.get("photCat", ""),
        discovery=fields.get("disc", ""),
        notes=fields.get("notes", ""),
        program=fields.get("prog", ""),
        remarks=fields.get("remarks", ""),
        place_km=_place(fields),
    )


def _name(fields: dict[str, str]) -> Designation:
    permanent, provisional, own = (fields.get(name, "") for name in ("permID", "provID", "trkSub"))
    if is_permanent(provisional):  # tables of the Center's database put numbers there
        permanent, provisional = provisional, fields.get("actualProvID", "")
    if permanent and FIELDS["permID"](permanent):
        raise ValueError(f"permID {permanent!r} is no permanent designation such as 433, 73P-B or Jupiter 13")
    if provisional and FIELDS["provID"](provisional):
        found = designation(provisional)
        permanent, provisional, own = permanent or found.permanent, found.provisional, own or found.temporary
    if own and (wrong := FIELDS["trkSub"](own)):
        raise ValueError(f"trkSub {own!r} {wrong}")
    if not (permanent or provisional or own):
        raise ValueError("nothing says which object it is: one of permID, provID, trkSub is needed")
    return Designation(permanent, provisional, own)


def _positive(fields: dict[str, str], name: str) -> float:
    number = _number(fields, name) if name in fields else nan
    if number <= 0:
        raise ValueError(f"{name} {fields[name]!r} is not above 0")
    return number


def _number(fields: dict[str, str], name: str) -> float:
    try:
        number = float(fields[name])
    except ValueError:
        number = nan
    if not math.isfinite(number):
        raise ValueError(f"{name} {fields[name]!r} is not a finite number")
    return number


def _place(fields: dict[str, str]) -> tuple[float, float, float] | None:
    """Geocentric place, km; None where none is given or it is on the turning Earth."""
    scale = _KM.get(fields.get("sys", ""))
    if scale is None:
        return None
    if missing := [name for name in ("pos1", "pos2", "pos3") if name not in fields]:
        raise ValueError(f"{', '.join(missing)} missing beside sys {fields['sys']}")
    return scale * _number(fields, "pos1"), scale * _number(fields, "pos2"), scale * _number(fields, "pos3")
