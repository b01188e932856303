"""Decodes RICE_1, the compression of integer images in FITS (Standard 4.0, section 10.4.1; Rice, Yeh and Miller 1993).

Of a tile's pixels the first is kept as it is; of every other, its difference from the one before, folded to a natural
number. Differences come in blocks, each with the number of low bits that it keeps as they are; what is above them is
counted in zeros. Two tiles are decoded at once, because each alone waits for its own last pixel's end.

No byte of a stream is believed. Every block must end within its tile, and the padding behind the last tile is longer
than what one block can read past its end before that is seen.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba.extending import intrinsic

PADDING = 1024  # bytes; a block of 32 pixels cannot run 32 * (56 + 57 + 25) bits and a window past its tile's end
BLOCK_SIZES = (16, 32)
PIXELS = (np.uint8, np.uint16, np.uint32)
_WHOLE = -1  # sound to the end, among the numbers of broken tiles
_U = np.uint64
_SURE = _U(56)  # a window begins within a byte: of its 64 bits this many and one are there

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]


class Refused(ValueError):
    """What is left to CFITSIO, and why."""


def decode(
    data: Bytes, begins: Integers, ends: Integers, sizes: Integers, block_size: int, zero: int, out: Any
) -> None:
    """Decode every tile into `out`, one behind the other.

    Parameters
    ----------
    data
        The streams, and at least `PADDING` bytes of anything behind the last of them; contiguous.
    begins, ends, sizes
        For each tile the bytes of its stream in `data` and the number of its pixels; int64.
    zero
        Is added to every pixel (BZERO).
    out
        uint8, uint16 or uint32, flat and contiguous. Pixels are modulo its range: view it as signed if they are.

    Raises
    ------
    Refused
        A tile is not within `data`, ends before its pixels do, or is coded as no encoder does: `out` is worthless.
    ValueError
        The tiles do not fill `out`, or `out` or the size of a block is of another kind.
    """
    if block_size not in BLOCK_SIZES or out.dtype not in PIXELS or out.ndim != 1 or not out.flags.c_contiguous:
        raise ValueError(f"Blocks of {block_size}, {out.dtype} {out.shape}: expected 16 or 32, flat unsigned pixels.")
    if not begins.shape == ends.shape == sizes.shape or np.any(sizes < 1) or int(sizes.sum()) != out.size:
        raise ValueError(f"{sizes.size} tiles have {int(sizes.sum())} pixels: expected {out.size}, in tiles of any.")
    if data.dtype != np.uint8 or not data.flags.c_contiguous:
        raise ValueError("Streams are contiguous bytes.")
    if np.any(begins < 0) or np.any(ends < begins) or np.any(ends > data.size - PADDING):
        raise Refused("A tile does not lie within the data.")
    firsts = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    bits = begins.astype(_U) * _U(8), ends.astype(_U) * _U(8)
    broken = _decode(_U(data.ctypes.data), *bits, firsts, block_size, _U(zero), out)
    if broken != _WHOLE:
        raise Refused(f"Tile {broken} or the one behind it does not hold its {sizes[broken]} pixels.")


def warm_up() -> None:
    """Compile (or load from the cache) the decoder for each kind of pixel."""
    for dtype in PIXELS:
        at, sizes = np.zeros(1, np.int64), np.ones(1, np.int64)
        decode(np.zeros(8 + PADDING, np.uint8), at, at + 8, sizes, 32, 0, np.empty(1, dtype))


@numba.njit(cache=True, nogil=True)
def _decode(data: Any, begins: Any, ends: Any, firsts: Any, block_size: int, zero: Any, out: Any) -> int:
    """The first of a pair with a broken tile, or _WHOLE. `data` is an address, `begins` and `ends` are in bits."""
    tile = 0
    while tile < begins.size:
        a, b, size = tile, tile + 1, firsts[tile + 1] - firsts[tile]
        if b == begins.size or firsts[b + 1] - firsts[b] != size:
            b = a  # none of its length: it keeps itself company
        a_out, b_out = out[firsts[a] : firsts[a] + size], out[firsts[b] : firsts[b] + size]
        if not _pair(data, begins[a], ends[a], begins[b], ends[b], block_size, zero, a_out, b_out):
            return tile
        tile = b + 1
    return _WHOLE


@numba.njit(cache=True, nogil=True)
def _pair(
    data: Any, a: Any, a_end: Any, b: Any, b_end: Any, block_size: int, zero: Any, a_out: Any, b_out: Any
) -> bool:
    """Decode the tiles that begin at the bits `a` and `b` into `a_out` and `b_out`; False if one of them is broken."""
    code_bits, whole, pixel_bits = _widths(a_out.itemsize)
    a_last, a = (_window(data, a) >> (_U(64) - pixel_bits)) + zero, a + pixel_bits
    b_last, b = (_window(data, b) >> (_U(64) - pixel_bits)) + zero, b + pixel_bits
    for x in range(0, a_out.size, block_size):
        if a > a_end or b > b_end:
            return False
        stop = min(x + block_size, a_out.size)
        a_code, a = _window(data, a) >> (_U(64) - code_bits), a + code_bits
        b_code, b = _window(data, b) >> (_U(64) - code_bits), b + code_bits
        if a_code > whole or b_code > whole:
            return False
        if _U(0) < a_code < whole and _U(0) < b_code < whole:
            for i in range(x, stop):
                a_folded, a = _counted(data, a, a_end, a_code - _U(1))
                b_folded, b = _counted(data, b, b_end, b_code - _U(1))
                a_last += _unfolded(a_folded)
                b_last += _unfolded(b_folded)
                a_out[i] = a_last
                b_out[i] = b_last
        else:
            a, a_last = _block(data, a, a_end, a_code, whole, pixel_bits, a_last, a_out[x:stop])
            b, b_last = _block(data, b, b_end, b_code, whole, pixel_bits, b_last, b_out[x:stop])
    return bool(a <= a_end and b <= b_end)


@numba.njit(cache=True, nogil=True)
def _widths(pixel_bytes: int) -> Any:
    """Bits of a block's code, the code of a block whose differences are kept whole, and bits of a pixel."""
    if pixel_bytes == 1:
        return _U(3), _U(7), _U(8)
    if pixel_bytes == 2:
        return _U(4), _U(15), _U(16)
    return _U(5), _U(26), _U(32)


@numba.njit(cache=True, nogil=True)
def _block(data: Any, at: Any, end: Any, code: Any, whole: Any, pixel_bits: Any, last: Any, out: Any) -> Any:
    """One block of any kind; the bit behind it and its last pixel."""
    for i in range(out.size):
        if code == whole:
            last += _unfolded(_window(data, at) >> (_U(64) - pixel_bits))
            at += pixel_bits
        elif code > _U(0):
            folded, at = _counted(data, at, end, code - _U(1))
            last += _unfolded(folded)
        out[i] = last
    return at, last


@numba.njit(cache=True, nogil=True)
def _counted(data: Any, at: Any, end: Any, low: Any) -> Any:
    """A number as its high bits counted in zeros up to a one, and `low` bits as they are; and the bit behind it."""
    window = _window(data, at)
    zeros = _leading_zeros(window)
    if zeros + low <= _SURE:
        return ((zeros - _U(1)) << low) + ((window << zeros) >> (_U(63) - low)), at + zeros + low + _U(1)
    return _long(data, at, end, low)


@numba.njit(cache=True, nogil=True)
def _long(data: Any, at: Any, end: Any, low: Any) -> Any:
    """`_counted` of a number longer than a window."""
    high = _U(0)
    zeros = _leading_zeros(_window(data, at))
    while zeros > _SURE:
        if at > end:
            return _U(0), end + _U(1)
        high, at = high + _SURE, at + _SURE
        zeros = _leading_zeros(_window(data, at))
    at += zeros + _U(1)
    bits = (_window(data, at) >> _U(1)) >> (_U(63) - low)
    return ((high + zeros) << low) + bits, at + low


@numba.njit(cache=True, nogil=True)
def _unfolded(number: Any) -> Any:
    """0, 1, 2, 3, 4, ... as 0, -1, 1, -2, 2, ... modulo 2^32, as every width of pixel is."""
    number &= _U(0xFFFFFFFF)
    return (number >> _U(1)) ^ (_U(0) - (number & _U(1)))


def _type_window(_context: Any, data: Any, at: Any) -> Any:
    """At least 57 bits from the bit `at` behind the address `data` on, first bit highest; a uint64.

    An array would be counted as referenced and released again at every call, which takes longer than the reading.
    """

    def code(_context: Any, builder: Any, _signature: Any, words: Any) -> Any:
        kind = words[1].type
        byte = builder.add(words[0], builder.lshr(words[1], kind(3)))
        word = builder.load(builder.inttoptr(byte, kind.as_pointer()), align=1)
        return builder.shl(builder.bswap(word), builder.and_(words[1], kind(7)))

    return numba.uint64(numba.uint64, numba.uint64), code


_window: Any = intrinsic(_type_window)


def _type_leading_zeros(_context: Any, word: Any) -> Any:
    """How many zeros a uint64 begins with; 64 if it is zero. One instruction, which NumPy has no word for."""

    def code(context: Any, builder: Any, _signature: Any, words: Any) -> Any:
        return builder.ctlz(words[0], context.get_constant(numba.types.boolean, False))

    return word(word), code


_leading_zeros: Any = intrinsic(_type_leading_zeros)
