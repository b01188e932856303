"""Why a pixel is not to be trusted: the bits of a mask (DMS-REQ-0059: bit-encoded pathologies of 32 bits).

Bits 0 to 8 are those of LSST's own masks, so that its tools read ours; the bit of each plane is also in the header of
the file, as ``MP_<name>``. A mask is int32, rows first.
"""

from enum import IntFlag
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Mask: TypeAlias = npt.NDArray[np.int32]


class Plane(IntFlag):
    """`BAD` is set with each of HOT, COLD and COLUMN; `NO_DATA` goes with NaN in the image."""

    BAD = 1 << 0
    SAT = 1 << 1
    INTRP = 1 << 2
    CR = 1 << 3
    EDGE = 1 << 4
    NO_DATA = 1 << 8
    HOT = 1 << 9
    COLD = 1 << 10
    COLUMN = 1 << 11


UNUSABLE = Plane.BAD | Plane.SAT | Plane.CR | Plane.EDGE | Plane.NO_DATA  # what statistics leave out


def header_cards() -> dict[str, int]:
    """The header's cards that say which bit each plane is: ``{"MP_BAD": 0, ...}``."""
    return {f"MP_{plane.name}": plane.value.bit_length() - 1 for plane in Plane}


def flagged(mask: Mask, planes: Plane) -> npt.NDArray[np.bool_]:
    """Where any of `planes` is set; the shape of `mask`."""
    return np.asarray(mask & np.int32(planes), dtype=np.bool_)


def names(bits: int) -> list[str]:
    """The names of the planes set in one pixel's `bits`, lowest bit first; bits of no plane are passed over."""
    return [str(plane.name) for plane in Plane if plane & bits]
