"""Permanent designations: minor-planet numbers, numbered comets and interstellar objects, planets' satellites.

Unpacked they are ADES's `permID` (``433``, ``73P-B``, ``1I``, ``Jupiter 13``), packed the first five columns of an
80-column record. Source: Minor Planet Center, "Packed Provisional and Permanent Designations".
"""

import re

from mops.mpc import base62

_TILDE_FROM = 620_000  # above, a tilde and four digits of base 62
_LARGEST = _TILDE_FROM + 62**4 - 1
_PLANETS = {"Mars": "M", "Jupiter": "J", "Saturn": "S", "Uranus": "U", "Neptune": "N"}
_LETTERS = {letter: name for name, letter in _PLANETS.items()}

NUMBER = re.compile(r"[1-9]\d*", re.ASCII)
COMET = re.compile(r"([1-9]\d{0,3})([PDI])(?:-([A-Z]{1,2}))?", re.ASCII)
SATELLITE = re.compile(r"(Mars|Jupiter|Saturn|Uranus|Neptune) ([1-9]\d{0,2})", re.ASCII)
_PACKED_NUMBER = re.compile(r"[0-9A-Za-z]\d{4}|~[0-9A-Za-z]{4}", re.ASCII)
_PACKED_COMET = re.compile(r"(\d{4})([PDI])", re.ASCII)
_PACKED_SATELLITE = re.compile(r"([MJSUN])(\d{3})S", re.ASCII)


def is_permanent(text: str) -> bool:
    """Whether `text` is an unpacked permanent designation that can be packed."""
    try:
        pack_permanent(text)
    except ValueError:
        return False
    return True


def pack_permanent(text: str) -> tuple[str, str]:
    """The five packed columns of a permanent designation, and the fragment letters ('' mostly), lower case.

    Raises
    ------
    ValueError
        In a sentence, where `text` is no permanent designation or cannot be packed.
    """
    if NUMBER.fullmatch(text):
        return _pack_number(int(text)), ""
    if match := COMET.fullmatch(text):
        return f"{int(match[1]):04d}{match[2]}", (match[3] or "").lower()
    if match := SATELLITE.fullmatch(text):
        return f"{_PLANETS[match[1]]}{int(match[2]):03d}S", ""
    raise ValueError(f"{text!r} is no permanent designation; expected one like 433, 73P-B, 1I or Jupiter 13")


def unpack_permanent(packed: str, fragment: str = "") -> str:
    """A permanent designation from its five columns and fragment letters; ValueError in a sentence."""
    if _PACKED_NUMBER.fullmatch(packed):
        return str(_unpack_number(packed))
    if match := _PACKED_COMET.fullmatch(packed):
        if int(match[1]) == 0:
            raise ValueError(f"{packed!r} has the number 0; comets are numbered from 1")
        return f"{int(match[1])}{match[2]}" + (f"-{fragment.upper()}" if fragment else "")
    if match := _PACKED_SATELLITE.fullmatch(packed):
        if int(match[2]) == 0:
            raise ValueError(f"{packed!r} has the number 0; satellites are numbered from 1")
        return f"{_LETTERS[match[1]]} {int(match[2])}"
    raise ValueError(f"{packed!r} is no packed permanent designation; expected one like 00433, ~0001, 0073P or J013S")


def _pack_number(number: int) -> str:
    if number > _LARGEST:
        raise ValueError(f"the number {number} cannot be packed into five columns; the largest is {_LARGEST}")
    if number >= _TILDE_FROM:
        return "~" + base62.encoded(number - _TILDE_FROM, 4)
    return base62.encoded(number // 10_000, 1) + f"{number % 10_000:04d}"


def _unpack_number(packed: str) -> int:
    if packed.startswith("~"):
        return _TILDE_FROM + base62.decoded(packed[1:])
    number = base62.decoded(packed[0]) * 10_000 + int(packed[1:])
    if number == 0:
        raise ValueError(f"{packed!r} has the number 0; minor planets are numbered from 1")
    return number
