"""Every byte of a FITS file is accounted for, and claims are judged before any data are read."""

import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.archive.fits_header import BadStructure
from dayops.archive.fits_structure import Limits, walk
from tests import frames
from tests.frames import BLOCK
from tests.real_data import FOLDER, needs_real_data


def refusal(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(BadStructure) as caught:
        walk(io.BytesIO(content), limits)
    return str(caught.value)


def doubts(content: bytes) -> list[str]:
    return [doubt for unit in walk(io.BytesIO(content)) for doubt in unit.doubts]


def test_a_whole_file_passes():
    (unit,) = walk(io.BytesIO(frames.small(shape=(24, 32))))
    assert (unit.pixels, unit.header_bytes, unit.data_bytes) == (24 * 32, BLOCK, 24 * 32 * 2)


def test_a_gzip_file_passes_whatever_it_is_called():
    assert len(walk(io.BytesIO(gzip.compress(frames.minicam())))) == 17


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_truncated_file_is_refused_wherever_it_ends(data: st.DataObject):
    whole = frames.small()
    keep = data.draw(st.integers(1, len(whole) - 1))
    assert refusal(whole[:keep])


def test_a_truncated_file_is_refused_with_its_size_and_the_expected_one():
    assert "its size is 4000 bytes, expected at least 5760" in refusal(frames.small()[:4000])


def test_a_truncated_gzip_file_is_refused():
    assert "breaks off after" in refusal(gzip.compress(frames.small())[:-20])


def test_a_damaged_gzip_file_is_refused():
    content = bytearray(gzip.compress(frames.small()))
    content[12:20] = b"\xff" * 8
    assert "gzip stream is damaged" in refusal(bytes(content))


def test_an_empty_file_is_refused():
    assert "empty (0 bytes)" in refusal(b"")


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (frames.HTML, "'<!DOCTYPE html><html><title>50'"),
        (b"Dear archive,\nhere is", "'Dear archive,'"),
        (b"\x89PNG\r\n", "the bytes 89 50 4e 47 0d 0a"),
        (bytes(2880), "the bytes 00 00 00 00 00 00 00 00"),
        (b"SIMPLE  =                    F", "'SIMPLE  =                    F'"),
    ],
)
def test_what_is_not_fits_is_refused_with_its_first_words(content: bytes, shown: str):
    assert f"not a FITS file: it begins with {shown}, expected" in refusal(content)


@pytest.mark.parametrize("length", [30, 31, 80, 1000, 2879])
def test_the_beginning_of_a_header_is_called_truncated(length: int):
    assert f"ends within this header, after {length} bytes: truncated" in refusal(frames.small()[:length])


def test_bytes_after_the_last_hdu_are_refused():
    assert "100 bytes follow after its last HDU, which ends at byte 5760" in refusal(frames.small() + b"x" * 100)


def test_a_duplicated_block_is_refused():
    whole = frames.small()
    assert "belong to nothing" in refusal(whole + whole[BLOCK:])


@pytest.mark.parametrize(
    ("cards", "sentence"),
    [
        ({"BITPIX": 7}, "BITPIX=7 is not a FITS type"),
        ({"BITPIX": "sixteen"}, "BITPIX is sixteen; expected a whole number"),
        ({"NAXIS": 999}, "NAXIS=999; expected at most 8 axes"),
        ({"NAXIS": -1}, "NAXIS=-1; expected at least 0"),
        ({"NAXIS": 2, "NAXIS1": 5}, "NAXIS2 is missing"),
        ({"NAXIS": 1, "NAXIS1": -5}, "NAXIS1=-5; expected at least 0"),
        ({"NAXIS": 2, "NAXIS1": 200_000, "NAXIS2": 200_000}, "claim 40000000000 pixels; a raw frame has at most"),
    ],
)
def test_impossible_claims_are_refused_by_their_keyword(cards: dict[str, object], sentence: str):
    assert sentence in refusal(frames.claiming(**cards))


def test_a_card_that_says_two_things_is_refused():
    twice = frames.card("SIMPLE", True) + frames.card("BITPIX", 8) + frames.card("BITPIX", 16)
    assert "BITPIX appears twice" in refusal(frames.padded(twice + b"END".ljust(80), b" "))


def test_the_pixels_of_a_tile_compressed_image_are_counted_before_it_is_opened():
    assert "claim 40000000000 pixels" in refusal(frames.tile_bomb())


def test_a_gzip_bomb_is_refused_at_its_limit():
    bomb = frames.gzip_bomb(mebibytes=64)
    assert len(bomb) < 200_000
    assert "inflates to more than 8388608 bytes" in refusal(bomb, Limits(inflated_bytes=8 * 1024**2))


def test_a_bomb_that_is_no_fits_file_is_not_inflated():
    assert "not a FITS file" in refusal(gzip.compress(b"\0" * 50_000_000))


def test_a_header_without_an_end_is_refused():
    endless = frames.card("SIMPLE", True).ljust(BLOCK) + b" " * BLOCK * 30
    assert "have no END within" in refusal(endless, Limits(header_bytes=20 * BLOCK))


def test_too_many_hdus_are_refused():
    extension = frames.header({"XTENSION": "IMAGE", "BITPIX": 8, "NAXIS": 0})
    assert "more than 64 header-data units" in refusal(frames.claiming() + extension * 64)


def test_bytes_that_are_not_text_in_a_header_are_refused():
    damaged = bytearray(frames.small())
    damaged[160:163] = b"\x00\xff\x1b"
    assert "not printable ASCII" in refusal(bytes(damaged))


def test_markup_in_a_header_is_only_text():
    assert doubts(frames.small(OBJECT="<script>alert(1)</script>")) == []


def test_a_datasum_that_agrees_is_no_doubt():
    assert doubts(frames.small(DATASUM=str(frames.ones_complement(frames.small()[BLOCK:])))) == []


@settings(max_examples=40)
@given(st.integers(BLOCK, 2 * BLOCK - 1), st.integers(1, 254))
def test_one_changed_byte_of_data_is_noticed_by_datasum(place: int, change: int):
    content = bytearray(frames.small(DATASUM=str(frames.ones_complement(frames.small()[BLOCK:]))))
    content[place] ^= change
    (doubt,) = doubts(bytes(content))
    assert "DATASUM says" in doubt


def test_a_checksum_that_does_not_agree_is_a_doubt():
    assert doubts(frames.small(CHECKSUM="A" * 16)) == ["HDU 0: its header does not agree with its CHECKSUM."]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2 * BLOCK - 1), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_file_is_either_walked_or_refused_in_words(changes: list[tuple[int, int]]):
    content = bytearray(frames.small())
    for place, value in changes:
        content[place] = value
    try:
        walk(io.BytesIO(bytes(content)))
    except BadStructure as error:
        assert str(error)


@needs_real_data
@pytest.mark.real_data
def test_real_raw_frames_are_whole():
    for path in sorted((FOLDER / "raw_frames").glob("*.fits*")):
        with path.open("rb") as file:
            assert [doubt for unit in walk(file) for doubt in unit.doubts] == []


@needs_real_data
@pytest.mark.real_data
def test_real_frames_whose_pixels_were_zeroed_are_whole_but_doubted():
    path = FOLDER / "lsst_headers" / "30211212000310-R22-S22-det098.fits"
    with path.open("rb") as file:
        units = walk(file)
    assert sum(unit.pixels for unit in units) == 16 * 576 * 2048
    assert "DATASUM says 1523664231" in units[1].doubts[0]
