"""Seals on FITS files, with astropy as the referee."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from dayops.images.fits_checksum import encode, ones_complement_sum, seal


def block(words: bytes = b"") -> tuple[bytearray, int]:
    header = fits.Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 1), ("NAXIS1", len(words))])
    header["CHECKSUM"], header["DATASUM"] = "0" * 16, "0" * 16
    text = header.tostring().encode()
    return bytearray(text + words + b"\0" * (-len(words) % 2880)), len(text)


@given(st.binary(max_size=400).map(lambda b: b[: len(b) // 4 * 4]))
def test_the_sum_is_that_of_adding_word_by_word(data):
    total = 0
    for word in np.frombuffer(data, dtype=">u4"):
        total += int(word)
        total = (total & 0xFFFFFFFF) + (total >> 32)
    assert ones_complement_sum(data) == total


@given(st.integers(0, 2**32 - 1))
def test_the_encoding_is_that_of_astropy_and_has_only_letters_and_digits(value):
    assert encode(value).isalnum()
    assert encode(value).decode() == fits.PrimaryHDU()._char_encode(value)


@given(st.binary(max_size=3000))
def test_a_sealed_block_sums_to_minus_zero(data):
    sealed, header_bytes = block(data)
    seal(sealed, header_bytes)
    assert ones_complement_sum(sealed) == 0xFFFFFFFF


def test_a_sealed_block_satisfies_astropy():
    sealed, header_bytes = block(b"light falls on silicon")
    seal(sealed, header_bytes)
    with fits.HDUList.fromstring(bytes(sealed)) as hdus:
        assert (hdus[0].verify_checksum(), hdus[0].verify_datasum()) == (1, 1)


def test_a_flipped_bit_breaks_the_seal():
    sealed, header_bytes = block(b"light falls on silicon")
    seal(sealed, header_bytes)
    sealed[header_bytes] ^= 1
    assert ones_complement_sum(sealed) != 0xFFFFFFFF


def test_a_header_without_the_cards_is_refused():
    with pytest.raises(ValueError, match="no DATASUM card"):
        seal(bytearray(2880), 2880)
