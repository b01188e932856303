"""CHECKSUM and DATASUM (FITS standard 4.0, appendix J), without the clock that libraries put in their comments."""

import numpy as np

_EXCLUDED = b":;<=>?@[\\]^_`"  # punctuation that the encoding steers round


def seal(block: bytearray, header_bytes: int) -> None:
    """Fill in the CHECKSUM and DATASUM cards of one HDU, in place.

    `block` is the whole HDU, its first `header_bytes` the header, which must hold both cards with sixteen zeros in
    quotes. Raises ValueError where a card is missing.
    """
    _fill(block, header_bytes, b"DATASUM = '", str(ones_complement_sum(block[header_bytes:])).ljust(16).encode())
    _fill(block, header_bytes, b"CHECKSUM= '", encode(~ones_complement_sum(block) & 0xFFFFFFFF))


def ones_complement_sum(data: bytes | bytearray) -> int:
    """The 32-bit ones' complement sum of big-endian words; `data` is a whole number of words long."""
    total = int(np.frombuffer(data, dtype=">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def encode(value: int) -> bytes:
    """Sixteen letters and digits whose own sum, at the place of the card's value, is `value` (J.3)."""
    letters = np.empty((4, 4), dtype=np.int64)
    for column, byte in enumerate(value.to_bytes(4, "big")):
        parts = np.full(4, byte // 4 + ord("0"))
        parts[0] += byte % 4
        letters[:, column] = _without_punctuation(parts)
    return bytes(np.roll(letters.ravel(), 1).astype(np.uint8))  # the value starts at byte 3 of a word


def _without_punctuation(
    parts: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Moves pairs apart, one up and one down, until none is punctuation: the sum stays."""
    for first in (0, 2):
        while parts[first] in _EXCLUDED or parts[first + 1] in _EXCLUDED:
            parts[first] += 1
            parts[first + 1] -= 1
    return parts


def _fill(block: bytearray, header_bytes: int, card: bytes, value: bytes) -> None:
    at = block.find(card, 0, header_bytes)
    if at < 0:
        raise ValueError(f"The header has no {card[:8].decode().strip()} card to fill in")
    block[at + len(card) : at + len(card) + 16] = value
