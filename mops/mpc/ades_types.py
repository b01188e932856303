"""What each ADES field may hold: patterns, lengths, ranges and words.

The types and their names are those of the schema `submit.xsd` of IAU-ADES/ADES-Master (version 2022), the words the
Minor Planet Center's "Valid ADES Field Values".
"""

import re
from collections.abc import Callable
from decimal import Decimal

from mops.mpc import stations, times, vocabulary

Check = Callable[[str], str]  # '' or what is wrong, as the end of a sentence that begins with the value


def matching(pattern: str, expected: str) -> Check:
    """Values that match a whole pattern."""
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: "" if compiled.fullmatch(value) else f"is not {expected}"


def string(longest: int) -> Check:
    """Text without a pipe, of at most `longest` characters."""
    return lambda value: (
        "is blank" if not value.strip()
        else "holds a pipe character, which parts columns" if "|" in value
        else "holds a control character" if not value.isprintable()
        else f"has {len(value)} characters, at most {longest} are allowed" if len(value) > longest
        else ""
    )  # fmt: skip


def word(longest: int, characters: str = "A-Za-z0-9_") -> Check:
    """`longest` letters, digits and underscores at most."""
    return matching(f"[{characters}]{{1,{longest}}}", f"made of at most {longest} characters out of {characters}")


def decimal(width: int, low: str = "", high: str = "") -> Check:
    """A signed decimal of `width` characters at most without its sign, within `low` and `high`, both included."""
    form = matching(rf"[+-]?(?=[0-9.]{{1,{width}}}$)(0|[1-9]\d*)(\.\d*)?", f"a decimal number of {width} characters")
    return lambda value: form(value) or _outside(value, low, high)


def positive(width: int) -> Check:
    """A decimal number above 0 and below 100000, of `width` characters at most."""
    form = matching(rf"(?=[0-9.]{{1,{width}}}$)(0|[1-9]\d*)(\.\d*)?", f"a number without sign of {width} characters")
    return lambda value: form(value) or ("" if 0 < Decimal(value) < 100_000 else "is not above 0 and below 100000")


def one_of(words: frozenset[str]) -> Check:
    """One word of a list."""
    return lambda value: "" if value in words else f"is not one of {', '.join(sorted(words))}"


def coordinate(pattern: str, low: str, high: str, *, open_above: bool = False) -> Check:
    """Degrees with at most nine decimals."""
    form = matching(rf"(?=.*\d){pattern}", "a number of degrees with at most nine decimals")
    return lambda value: form(value) or _outside(value, low, high, open_above=open_above)


def correlation(value: str) -> str:
    """Between −1 and 1, neither included."""
    if not re.fullmatch(r"[+-]?[01](\.[0-9]{0,11})?", value):
        return "is not a number between -1 and 1 with at most eleven decimals"
    return "" if abs(Decimal(value)) < 1 else "is not between -1 and 1; both ends are excluded"


def time(value: str) -> str:
    """An instant in UTC."""
    try:
        times.mjd_from_iso(value)
    except ValueError as error:
        return f"is no time: {error}"
    return ""


def known_station(value: str) -> str:
    """A code of the Minor Planet Center."""
    try:
        stations.station(value)
    except ValueError as error:
        return f"is no station: {error}"
    return ""


def observing_notes(value: str) -> str:
    """At most six different one-letter notes."""
    if not 0 < len(value) <= 6 or len(set(value)) < len(value):
        return "is not one to six different letters"
    unknown = "".join(letter for letter in value if letter not in vocabulary.NOTES)
    return f"holds {unknown!r}, which is no observing note" if unknown else ""


def _outside(value: str, low: str, high: str, *, open_above: bool = False) -> str:
    number = Decimal(value)
    if low and number < Decimal(low):
        return f"is below {low}"
    if high and (number > Decimal(high) or (open_above and number == Decimal(high))):
        return f"is not below {high}" if open_above else f"is above {high}"
    return ""


_PERM_ID = r"\d+([IPD](-[A-Z]{1,2})?)?|((Mars|Jupiter|Saturn|Uranus|Neptune) \d{1,3}|\(\d+\) \d{1,3})"
_PROV_ID = (
    r"\d{4} [A-HJ-Y][A-HJ-Z]\d*|\d{4} (P-L|T-[123])|[ADCPX]/\d{4} [A-Z]{1,2}\d*(-[A-Z])?"
    r"|S/\d{4} ((M|J|S|U|N)|\((\d+|\d{4} [A-HJ-Y][A-HJ-Z]?\d+)\)) \d+|A[89]\d{2} [A-HJ-Y][A-HJ-Z]"
)
_RA = coordinate(r"([1-3]\d{2}|[1-9]?\d)?(\.\d{0,9})?", "0", "360", open_above=True)
_DEC = coordinate(r"[+-]?([1-9]?\d)?(\.\d{0,9})?", "-90", "90")
_REAL = matching(r"[+-]?[+\-Ee0-9.]{1,20}", "a number of at most 20 characters")

FIELDS: dict[str, Check] = {
    "permID": matching(f"(?=.{{1,25}}$)({_PERM_ID})", "a permanent designation such as 433, 73P-B or Jupiter 13"),
    "provID": matching(f"(?=.{{1,25}}$)({_PROV_ID})", "a provisional designation such as 2025 AB12 or C/2025 N1"),
    "artSat": string(25),
    "trkSub": word(8, "A-Za-z0-9_-"),
    "obsSubID": string(35),
    "mode": one_of(vocabulary.MODES | vocabulary.HISTORICAL_MODES),
    "stn": known_station,
    "sys": one_of(frozenset({"WGS84", "ITRF", "IAU", "ICRF_AU", "ICRF_KM"})),
    "ctr": one_of(frozenset({"399"})),
    **dict.fromkeys(["pos1", "pos2", "pos3", "vel1", "vel2", "vel3"], decimal(13)),
    **dict.fromkeys([f"posCov{pair}" for pair in (11, 12, 13, 22, 23, 33)], _REAL),
    "obsTime": time,
    "rmsTime": positive(8),
    "ra": _RA,
    "dec": _DEC,
    "rmsRA": positive(7),
    "rmsDec": positive(7),
    "rmsCorr": correlation,
    "astCat": one_of(vocabulary.CATALOGUES | vocabulary.HISTORICAL_CATALOGUES),
    "mag": decimal(7, "-5", "35"),
    "rmsMag": positive(6),
    "band": one_of(vocabulary.BANDS | vocabulary.HISTORICAL_BANDS),
    "fltr": word(3),
    "photCat": one_of(vocabulary.CATALOGUES | vocabulary.HISTORICAL_CATALOGUES),
    "photAp": positive(6),
    "logSNR": decimal(5),
    "seeing": positive(6),
    "exp": positive(6),
    "rmsFit": positive(6),
    "nStars": matching(r"\+?0*[1-9]\d{0,5}", "a whole number from 1 to 999999"),
    "disc": one_of(frozenset({"*", "+"})),
    "uncTime": positive(8),
    "notes": observing_notes,
    "remarks": string(300),
}
"""In the order that the schema prescribes within `optical`."""

NOT_SUBMITTED = frozenset(
    [
        *("obsID", "trkID", "trkMPC", "prog", "nucMag", "ref", "subFrm", "subFmt", "precTime", "precRA", "precDec"),
        *("orbProd", "orbID", "resRA", "resDec", "selAst", "sigRA", "sigDec", "sigCorr", "sigTime", "biasRA"),
        *("biasDec", "biasTime", "photProd", "resMag", "selPhot", "sigMag", "biasMag", "photMod", "deprecated"),
        "localUse",
    ]
)
"""Fields of published observations that a submission must not have."""

OTHER_KINDS = frozenset(
    [
        *("obsCenter", "deltaRA", "deltaDec", "dist", "pa", "rmsDist", "rmsPA", "raStar", "decStar", "shapeOcc"),
        *("trx", "rcv", "delay", "rmsDelay", "doppler", "rmsDoppler", "com", "frq"),
    ]
)
"""Fields of offset, occultation and radar records."""

ALL_FIELDS = frozenset(FIELDS) | NOT_SUBMITTED | OTHER_KINDS
