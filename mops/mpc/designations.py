"""The designation columns of an 80-column record, to and from ADES's `permID`, `provID` and `trkSub`.

Columns 1–5 hold the permanent designation (or the orbit type of a comet in column 5), columns 6–12 the provisional or
the observer's own one. Sources: Minor Planet Center, "MPC1992 format" and "Packed Provisional and Permanent
Designations".
"""

import re
from dataclasses import dataclass

from mops.mpc.permanent import is_permanent, pack_permanent, unpack_permanent
from mops.mpc.provisional import is_provisional, pack_provisional, unpack_provisional

_TEMPORARY = re.compile(r"[-A-Za-z0-9_]{1,8}")  # ADES's trkSub (submit.xsd, BaseTrkSubType)
_TYPED_NUMBER = re.compile(r"\d{4}[PDI]|[MJSUN]\d{3}S", re.ASCII)  # not ~0BEP, a minor planet's last digit being P
_COMET_BODY = re.compile(r"[A-L]\d{2}[A-HJ-Y][0-9A-Za-z]\d[0a-z]", re.ASCII)
_OWN_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OWN_WIDTH = 6


@dataclass(frozen=True, slots=True)
class Designation:
    """Who was observed: at least one of the three is not ''. `permanent` and `provisional` are unpacked."""

    permanent: str = ""
    provisional: str = ""
    temporary: str = ""

    @property
    def name(self) -> str:
        """The one that names the object best."""
        return self.permanent or self.provisional or self.temporary


def designation(text: str) -> Designation:
    """The designation that `text` is: permanent or provisional, packed or not, otherwise the observer's own.

    Raises
    ------
    ValueError
        In a sentence, where it is none of them.
    """
    text = text.strip()
    if is_permanent(text):
        return Designation(permanent=text)
    if is_provisional(text):
        return Designation(provisional=text)
    for unpack, field in ((unpack_permanent, "permanent"), (unpack_provisional, "provisional")):
        try:
            return Designation(**{field: unpack(text)})
        except ValueError:
            continue
    if _TEMPORARY.fullmatch(text):
        return Designation(temporary=text)
    raise ValueError(
        f"{text!r} is no designation: neither a number, nor a provisional designation such as 2025 AB12,"
        " nor an observer's own of up to 8 letters and digits"
    )


def to_columns(name: Designation) -> str:
    """Columns 1–12 of an 80-column record.

    Raises
    ------
    ValueError
        In a sentence, where the format cannot hold it: an own designation of 8 characters or one that would be read
        as the Minor Planet Center's, a provisional designation beyond the packed forms.
    """
    first, fragment = pack_permanent(name.permanent) if name.permanent else ("", "")
    if fragment:
        return f"{first}{fragment:>7}"
    if name.provisional:
        packed = pack_provisional(name.provisional)
        return f"{first}{packed}" if len(packed) == 7 and first else _joined(first, packed)
    if name.permanent:
        return f"{first:<12}"
    return f"{'':5}{_own_columns(name.temporary):<7}"


def from_columns(columns: str) -> Designation:
    """The designation in columns 1–12; ValueError in a sentence."""
    first, second = columns[:5], columns[5:12]
    if not columns.strip():
        raise ValueError("columns 1–12 are blank; every observation needs a designation")
    if not first[:4].strip():
        return _unnumbered(first[4], second.strip())
    number = first.strip()
    if not second.strip():
        return Designation(permanent=unpack_permanent(number))
    if re.fullmatch(r"\s+[a-z]{1,2}", second):
        return Designation(permanent=unpack_permanent(number, second.strip()))
    orbit = first[4] if _TYPED_NUMBER.fullmatch(first) else "P" if _COMET_BODY.fullmatch(second.strip()) else ""
    return Designation(permanent=unpack_permanent(number), provisional=unpack_provisional(orbit + second.strip()))


def own_designation(number: int) -> str:
    """Our own designation (`trkSub`) of a candidate: d and six digits of base 36, never one of the Center's forms.

    Raises
    ------
    ValueError
        Where `number` is negative or beyond 36⁶.
    """
    if not 0 <= number < 36**_OWN_WIDTH:
        raise ValueError(
            f"candidate {number} has no designation of seven characters; expected 0 to {36**_OWN_WIDTH - 1}"
        )
    digits = []
    for _ in range(_OWN_WIDTH):
        number, digit = divmod(number, 36)
        digits.append(_OWN_DIGITS[digit])
    return "d" + "".join(reversed(digits))


def looks_official(temporary: str) -> bool:
    """Whether an observer's own designation would be read as one of the Minor Planet Center's."""
    return designation(temporary).temporary == ""


def _joined(first: str, packed: str) -> str:
    if len(packed) == 7:
        return f"{'':5}{packed}"
    dual = packed[0] == "P" and _COMET_BODY.fullmatch(packed[1:])  # a minor planet that is a comet too, as (7968)
    fits = first[4:] == packed[0] if _TYPED_NUMBER.fullmatch(first) else dual
    if first and not fits:
        raise ValueError(f"{first!r} is not the number of an object whose designation begins with {packed[0]!r}")
    return (first or f"{'':4}{packed[0]}") + packed[1:]


def _own_columns(temporary: str) -> str:
    if not _TEMPORARY.fullmatch(temporary) or len(temporary) > 7:
        raise ValueError(f"{temporary!r} does not fit columns 6–12: expected one to seven letters and digits")
    if looks_official(temporary):
        raise ValueError(f"{temporary!r} has the form of a designation of the Minor Planet Center; choose another")
    return temporary


def _unnumbered(orbit: str, second: str) -> Designation:
    if orbit.strip():
        return Designation(provisional=unpack_provisional(orbit + second))
    found = designation(second)
    if found.permanent and found.permanent != second:  # a packed number belongs in columns 1–5
        raise ValueError(f"columns 6–12 hold {second!r}, which is a packed number; it belongs in columns 1–5")
    return Designation(temporary=second) if found.permanent else found
