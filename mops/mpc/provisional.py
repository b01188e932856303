"""Provisional designations: minor planets, surveys, comets and interstellar objects, satellites.

Unpacked they are ADES's `provID` (``1995 XA``, ``2040 P-L``, ``A904 OA``, ``C/1995 O1``, ``D/1993 F2-B``,
``S/2003 J 2``), packed seven columns, with a letter before them for comets and satellites. More than 15,500 objects
of a half-month take the extended form (``_QC0000``). Source: Minor Planet Center, "Provisional Designations" and
"Packed Provisional and Permanent Designations".
"""

import re

from mops.mpc import base62

_ORDER = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # the second letter: 25, without I
_CYCLES = 620  # as many the original packing holds; the rest is extended
_EXTENDED_YEARS = range(2010, 2036)  # one capital letter after 20

_YEAR = r"(1[89]\d{2}|2[01]\d{2}|A8\d{2}|A9[01]\d|A92[0-4])"  # before 1925 the first digit may be an A
_MINOR_PLANET = re.compile(_YEAR + r" ([A-HJ-Y])([A-HJ-Z])([1-9]\d*)?", re.ASCII)
_SURVEY = re.compile(r"([1-9]\d{3}) (P-L|T-[123])", re.ASCII)
_COMET = re.compile(r"(1\d{3}|2[01]\d{2}) ([A-HJ-Y])([1-9]\d{0,2})(?:-([A-Z]))?", re.ASCII)
_SATELLITE = re.compile(r"S/(1\d{3}|2[01]\d{2}) ([MJSUN]) ([1-9]\d{0,2})", re.ASCII)
_PACKED = re.compile(r"([I-L])(\d{2})([A-HJ-Y])([0-9A-Za-z])(\d)([A-HJ-Z])", re.ASCII)
_PACKED_EXTENDED = re.compile(r"_([A-Z])([A-HJ-Y])([0-9A-Za-z]{4})")
_PACKED_SURVEY = re.compile(r"(PL|T[123])S([1-9]\d{3})", re.ASCII)
_PACKED_COMET = re.compile(r"([A-L])(\d{2})([A-HJ-Y])([0-9A-Za-z])(\d)([0a-z])", re.ASCII)
_PACKED_SATELLITE = re.compile(r"S([A-L])(\d{2})([MJSUN])([0-9A-Za-z])(\d)0", re.ASCII)
_ORBIT = re.compile(r"([ACDIPX])/(.+)")


def is_provisional(text: str) -> bool:
    """Whether `text` is an unpacked provisional designation that can be packed."""
    try:
        pack_provisional(text)
    except ValueError:
        return False
    return True


def pack_provisional(text: str) -> str:
    """Seven packed characters, or eight where an orbit type or S stands first.

    Raises
    ------
    ValueError
        In a sentence, where `text` is no provisional designation or cannot be packed.
    """
    if match := _SATELLITE.fullmatch(text):
        return f"S{_pack_year(match[1])}{match[2]}{_pack_cycle(int(match[3]), text)}0"
    if match := _ORBIT.fullmatch(text):
        return match[1] + _pack_body(match[2], comet=True)
    return _pack_body(text, comet=False)


def unpack_provisional(packed: str) -> str:
    """The designation from its seven or eight packed characters; ValueError in a sentence."""
    if match := _PACKED_SATELLITE.fullmatch(packed):
        number = _unpack_cycle(match[4], match[5])
        return _existing(packed, number, f"S/{_unpack_year(match[1], match[2])} {match[3]} {number}")
    if len(packed) == 8 and packed[0] in "ACDIPX":
        return f"{packed[0]}/{_unpack_body(packed[1:], comet=True)}"
    return _unpack_body(packed, comet=False)


def _pack_body(text: str, *, comet: bool) -> str:
    if match := _MINOR_PLANET.fullmatch(text):
        return _pack_minor_planet(match[1], match[2], match[3], int(match[4] or 0))
    if not comet and (match := _SURVEY.fullmatch(text)):
        return f"{match[2].replace('-', '')}S{match[1]}"
    if comet and (match := _COMET.fullmatch(text)):
        return f"{_pack_year(match[1])}{match[2]}{_pack_cycle(int(match[3]), text)}{(match[4] or '0').lower()}"
    raise ValueError(f"{text!r} is no provisional designation; expected one like 2025 AB12, 2040 P-L or C/2025 N1")


def _unpack_body(packed: str, *, comet: bool) -> str:
    if match := _PACKED.fullmatch(packed):
        return _minor_planet(_unpack_year(match[1], match[2]), match[3], match[6], _unpack_cycle(match[4], match[5]))
    if match := _PACKED_EXTENDED.fullmatch(packed):
        return _unpack_extended(match)
    if not comet and (match := _PACKED_SURVEY.fullmatch(packed)):
        return f"{match[2]} {match[1][0]}-{match[1][1]}"
    if comet and (match := _PACKED_COMET.fullmatch(packed)):
        number, fragment = _unpack_cycle(match[4], match[5]), match[6]
        tail = "" if fragment == "0" else f"-{fragment.upper()}"
        return _existing(packed, number, f"{_unpack_year(match[1], match[2])} {match[3]}{number}{tail}")
    raise ValueError(f"{packed!r} is no packed provisional designation; expected one like K25A12B, PLS2040 or _QC0000")


def _pack_minor_planet(year: str, half_month: str, letter: str, cycle: int) -> str:
    if cycle < _CYCLES:
        return f"{_pack_year(year)}{half_month}{_pack_cycle(cycle, '')}{letter}"
    if not year.isdigit() or int(year) not in _EXTENDED_YEARS:
        raise ValueError(
            f"{year} {half_month}{letter}{cycle} cannot be packed: more than 15,500 objects of a half-month can be"
            f" for {_EXTENDED_YEARS[0]} to {_EXTENDED_YEARS[-1]} only"
        )
    beyond = (cycle - _CYCLES) * len(_ORDER) + _ORDER.index(letter)
    return f"_{base62.encoded(int(year) - 2000, 1)}{half_month}{base62.encoded(beyond, 4)}"


def _unpack_extended(match: re.Match[str]) -> str:
    cycle, letter = divmod(base62.decoded(match[3]), len(_ORDER))
    return _minor_planet(str(2000 + base62.decoded(match[1])), match[2], _ORDER[letter], cycle + _CYCLES)


def _minor_planet(year: str, half_month: str, letter: str, cycle: int) -> str:
    # a discovery before 1925 has its first digit replaced by A (MPC, "Provisional Designations")
    written = f"A{year[1:]}" if int(year) < 1925 else year
    return f"{written} {half_month}{letter}{cycle or ''}"


def _pack_year(year: str) -> str:
    digits = f"1{year[1:]}" if year.startswith("A") else year
    return base62.encoded(int(digits) // 100, 1) + digits[2:]


def _unpack_year(century: str, year: str) -> str:
    return f"{base62.decoded(century)}{year}"


def _pack_cycle(cycle: int, text: str) -> str:
    if cycle >= _CYCLES:
        raise ValueError(f"{text!r} cannot be packed: its order {cycle} is beyond {_CYCLES - 1}")
    return base62.encoded(cycle // 10, 1) + str(cycle % 10)


def _unpack_cycle(tens: str, units: str) -> int:
    return base62.decoded(tens) * 10 + int(units)


def _existing(packed: str, number: int, text: str) -> str:
    if number == 0:
        raise ValueError(f"{packed!r} has the order 0; orders begin with 1")
    return text
