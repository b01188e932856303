"""MPC1992, the 80-column records: reading and writing of optical observations.

A record of two lines (satellite, roving observer, radar) is recognised; a satellite's place is read, roving
observers and radar are refused in a sentence. Every line that cannot be read is listed with the reason, the others
are read. Source: Minor Planet Center, "Format for Astrometric Observations of Comets, Minor Planets and Natural
Satellites", "Satellite Observations", "Roving Observer Extensions".
"""

import re
from collections.abc import Iterable
from math import isnan, nan

from mops.mpc import times
from mops.mpc.designations import from_columns, to_columns
from mops.mpc.obs80_places import place_km
from mops.mpc.observation import Observation, Reading, Refusal
from mops.mpc.sexagesimal import dec_columns, dec_degrees, ra_columns, ra_degrees
from mops.mpc.stations import place_needed
from mops.mpc.vocabulary import (
    BAND_LETTER_OF,
    BAND_LETTERS,
    CATALOGUE_OF,
    LETTER_OF_CATALOGUE,
    MODE_OF_NOTE,
    NOTE_OF_MODE,
    NOTES,
)

HEADER = re.compile(r"(COD|CON|OBS|MEA|TEL|NET|BND|COM|NUM|ACK|AC2|TYP)( |$)|-{3,} *end *-{3,}$")
_SECOND_LINE = {"S": "s", "V": "v", "W": "w", "R": "r", "Q": "q", "T": "t"}
_REFUSED = {  # by column 15
    **dict.fromkeys("RrQq", "it is a radar observation, which is not taken: only optical places are"),
    **dict.fromkeys("VW", "it is a roving observer's, whose place on the ground is not taken; give it a station code"),
    **dict.fromkeys("svwt", "it is the second line of an observation, and the line before does not belong to it"),
    **dict.fromkeys("Xx", "it was replaced by a better measurement (X in column 15) and is kept for the record only"),
    "O": "it is a satellite's offset from its planet, which is not taken: only places are",
}


def read_obs80(text: str) -> Reading:
    """Every observation in `text`, whose lines are counted from 1; malformed ones are refused, never raised."""
    observations: list[Observation] = []
    refused: list[Refusal] = []
    lines = [line.rstrip("\r") for line in text.split("\n")]
    number = 0
    while number < len(lines):
        used = 1
        if not _is_said(lines[number]):
            second = lines[number + 1] if number + 1 < len(lines) else ""
            used = 2 if _is_pair(lines[number], second) else 1
            try:
                observations.append(_read(number + 1, lines[number], second if used == 2 else ""))
            except ValueError as error:
                refused.append(Refusal(number + 1, str(error)))
        number += used
    return Reading(tuple(observations), tuple(refused))


def write_obs80(observations: Iterable[Observation]) -> str:
    """One 80-column line an observation (two where it has a place), each ended by a newline.

    The format keeps 10⁻⁶ d, 0.001 s of right ascension, 0.01″ of declination and 0.01 mag, and no uncertainties.

    Raises
    ------
    ValueError
        In a sentence, where a designation or value does not fit the columns.
    """
    return "".join(_written(observation) for observation in observations)


def _is_said(line: str) -> bool:
    return not line.strip() or HEADER.match(line) is not None


def _is_pair(first: str, second: str) -> bool:
    kind = _SECOND_LINE.get(first[14:15])
    return kind is not None and second[14:15] == kind and second[:12] == first[:12]


def _read(number: int, line: str, second: str) -> Observation:
    if "\t" in line:
        raise ValueError("it holds a tab, which the format forbids; columns are parted by spaces")
    if len(line.rstrip()) != 80:
        raise ValueError(f"it has {len(line.rstrip())} columns instead of 80")
    _refuse_other_kinds(line, second)
    ra, dec = ra_degrees(line[32:44]), dec_degrees(line[44:56])
    place = place_km(second) if second else None
    if place is None and (why := place_needed(line[77:80])):
        raise ValueError(why)
    note = line[13]
    return Observation(
        line=number,
        name=from_columns(line[:12]),
        station=line[77:80],
        utc=line[15:32].rstrip(),
        mjd_utc=times.mjd_from_decimal_day(line[15:32]),
        ra=ra,
        dec=dec,
        mag=_magnitude(line[65:70]),
        band=_band(line[70]),
        mode="CCD" if second else MODE_OF_NOTE[line[14]],
        astrometric_catalogue=CATALOGUE_OF.get(line[71], ""),
        discovery=_discovery(line[12]),
        notes=note if note in NOTES else "",
        program="" if note in NOTES or note == " " else note,
        place_km=place,
    )


def _refuse_other_kinds(line: str, second: str) -> None:
    kind = line[14]
    if kind == "S" and not second:
        raise ValueError("it is a satellite's observation, and the second line with the satellite's place is missing")
    if kind in _REFUSED:
        raise ValueError(_REFUSED[kind])
    if kind not in MODE_OF_NOTE:
        raise ValueError(f"{kind!r} in column 15 says no way of observing that the format knows")


def _magnitude(columns: str) -> float:
    text = columns.strip()
    if not text:
        return nan
    if not re.fullmatch(r"-?[0-9]{1,2}(\.[0-9]{0,2})?", text):
        raise ValueError(f"the magnitude {text!r} in columns 66–70 is no number with at most two decimals")
    return float(text)


def _band(column: str) -> str:
    if column != " " and column not in BAND_LETTERS | {"N", "T"}:  # nuclear and total magnitudes of comets
        raise ValueError(f"the band {column!r} in column 71 is not one of {''.join(sorted(BAND_LETTERS))}")
    return column.strip()


def _discovery(column: str) -> str:
    if column not in " *+":
        raise ValueError(f"column 13 holds {column!r}; only * and + mark a discovery")
    return column.strip()


def _written(row: Observation) -> str:
    head = f"{to_columns(row.name)}{row.discovery or ' '}{row.notes[:1] or row.program[:1] or ' '}"
    kind = NOTE_OF_MODE[row.mode] if row.place_km is None else "S"
    when = f"{times.decimal_day_from_mjd(row.mjd_utc):<17}"
    catalogue = LETTER_OF_CATALOGUE.get(row.astrometric_catalogue, " ")
    tail = f"{_magnitude_columns(row)}{catalogue}{'':5}{row.station:>3}"
    line = f"{head}{kind}{when}{ra_columns(row.ra)}{dec_columns(row.dec)}{'':9}{tail}\n"
    return line if row.place_km is None else line + _place_line(row, head, when)


def _magnitude_columns(row: Observation) -> str:
    band = BAND_LETTER_OF.get(row.band, row.band[:1])
    if isnan(row.mag):
        return f"{'':5} "
    if not -9.995 < row.mag < 99.995:
        raise ValueError(f"the magnitude {row.mag} does not fit columns 66–70")
    return f"{row.mag:5.2f}{band or ' '}"


def _place_line(row: Observation, head: str, when: str) -> str:
    assert row.place_km is not None
    x, y, z = (f"{'-' if axis < 0 else '+'}{abs(axis):10.4f}" for axis in row.place_km)
    if max(len(x), len(y), len(z)) > 11:
        raise ValueError(f"the observer's place {row.place_km} km does not fit the columns; the largest is 99999 km")
    return f"{head}s{when}1 {x} {y} {z}{'':8}{row.station:>3}\n"
