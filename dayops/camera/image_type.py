"""What kind of exposure a header speaks of, in the words DayOps uses."""

import re
from pathlib import PurePosixPath

from dayops.camera.cards import Cards

_SAME = {
    "OBJECT": "SCIENCE",
    "EXPOSE": "SCIENCE",
    "EXPOSURE": "SCIENCE",
    "EXP": "SCIENCE",
    "LIGHT": "SCIENCE",
    "LIGHT FRAME": "SCIENCE",
    "ZERO": "BIAS",
    "BIAS FRAME": "BIAS",
    "DARK FRAME": "DARK",
    "FLAT FIELD": "FLAT",
    "LAMPFLAT": "FLAT",
    "LAMP-FLAT": "FLAT",
    "DOMEFLAT": "FLAT",
    "COMP": "ARC",
    "LAMP": "ARC",
}
_WORD = re.compile(r"[A-Z][A-Z0-9_-]{0,19}", re.ASCII)
_CARDS = ("IMGTYPE", "OBSTYPE", "IMAGETYP")
_NEEDS_TIME = {"FLAT", "PTC", "SCIENCE", "DARK"}
_LONGEST_BIAS_S = 1.0
_LONGEST_S = 86_400.0


def image_type(cards: Cards) -> str:
    """The image type, upper case; empty with a problem said when there is none.

    The first LATISS frames carry no image type. Their FILENAME begins with the name of the script that took them and
    the kind of exposure (``ats_exp_27_…``); that word is believed, and a remark says so.
    """
    said = cards.text(*_CARDS)
    if not said and (word := _from_file_name(cards.text("FILENAME"))):
        cards.findings.remarks.append(f"No image type is said; FILENAME's word {word!r} was taken for it.")
        said = word
    if not said:
        cards.findings.problems.append(f"The image type is missing: expected {' or '.join(_CARDS)}, such as BIAS.")
        return ""
    kind = _SAME.get(said.upper(), said.upper())
    if _WORD.fullmatch(kind) is None:
        cards.findings.problems.append(f"The image type {said[:40]!r} is not one word of at most 20 letters.")
        return ""
    return kind


def exposure_s(cards: Cards, kind: str) -> float:
    """The exposure time in seconds; NaN with a problem said when it is missing, absurd or contradicts `kind`."""
    time_s = cards.number("EXPTIME", "EXPOSURE")
    if problem := _time_problem(time_s, kind, cards.which("EXPTIME", "EXPOSURE")):
        cards.findings.problems.append(problem)
        return float("nan")
    return time_s


def _time_problem(time_s: float, kind: str, card: str) -> str:
    if time_s != time_s:
        return f"The exposure time is missing or not a number: expected {card} in seconds."
    if not 0 <= time_s <= _LONGEST_S:
        return f"{card} is {time_s:g} s: expected 0 to {_LONGEST_S:g} s."
    if kind in _NEEDS_TIME and time_s == 0:
        return f"The header contradicts itself: a {kind} whose {card} is 0 s."
    if kind == "BIAS" and time_s > _LONGEST_BIAS_S:
        return f"The header contradicts itself: a BIAS whose {card} is {time_s:g} s."
    return ""


def _from_file_name(name: str) -> str:
    """The kind of exposure in ``ats_exp_27_AT_C_20180920_000065.fits``."""
    words = PurePosixPath(name).name.split("_")
    return words[1] if len(words) > 1 and words[1].lower() in {"exp", "bias", "dark", "flat"} else ""
