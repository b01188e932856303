"""Decoding RICE_1: bit by bit what CFITSIO gives, whatever the image, and safe whatever the bytes."""

import itertools
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dayops.images import rice
from dayops.images.tile_compression import read_rice
from tests.real_data import needs_real_data, real_file

KINDS = ["uint8", "int8", "int16", "uint16", "int32", "uint32"]
GAUSSIAN = np.random.default_rng(3).normal(size=(37, 101))


def compressed(path: Path, image: np.ndarray, tile: tuple[int, int] | None = None) -> Path:
    """A file whose first extension holds `image`, compressed by CFITSIO; a row a tile unless `tile` says otherwise."""
    with fitsio.FITS(str(path), "rw", clobber=True) as out:
        out.write(None)
        out.write(image, compress="rice", tile_dims=tile or (1, image.shape[1]))
    return path


def ours(path: Path, hdu: int = 1) -> np.ndarray:
    with fitsio.FITS(str(path)) as found:
        at = found[hdu].get_offsets()
    with path.open("rb") as file:
        return read_rice(file, at["header_start"], at["data_start"], at["data_end"])


def theirs(path: Path, hdu: int = 1) -> np.ndarray:
    with fitsio.FITS(str(path)) as found:
        pixels: np.ndarray = found[hdu].read()
        return pixels


def assert_same(path: Path, hdu: int = 1) -> None:
    mine, reference = ours(path, hdu), theirs(path, hdu)
    assert mine.dtype == reference.dtype
    assert np.array_equal(mine, reference)


def noise(kind: str, sigma: float) -> np.ndarray:
    limits = np.iinfo(kind)
    centre = (limits.min + limits.max + 1) / 2
    return np.clip(centre + sigma * GAUSSIAN, limits.min, limits.max).astype(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sigma", [0, 0.3, 3, 30, 300, 3e4, 3e8])
def test_noise_of_any_width_is_decoded_bit_by_bit(tmp_path, kind, sigma):
    assert_same(compressed(tmp_path / "a.fits", noise(kind, sigma)))


@pytest.mark.parametrize("kind", KINDS)
def test_extreme_values_side_by_side_are_decoded_bit_by_bit(tmp_path, kind):
    limits = np.iinfo(kind)
    row = np.array([limits.min, limits.max, 0, limits.max, limits.min, limits.min, 1], dtype=kind)
    assert_same(compressed(tmp_path / "a.fits", np.tile(row, (5, 9))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 1), (2, 31), (2, 32), (3, 33), (7, 577)])
def test_every_width_and_an_odd_number_of_rows_are_decoded(tmp_path, kind, shape):
    image = np.resize(noise(kind, 40), shape)
    assert_same(compressed(tmp_path / "a.fits", image))


@pytest.mark.parametrize("tile", [(1, 101), (2, 101), (5, 101), (37, 101), (10, 10), (16, 100), (40, 120)])
def test_tiles_of_any_shape_come_back_where_they_belong(tmp_path, tile):
    assert_same(compressed(tmp_path / "a.fits", noise("int32", 20), tile))


def test_a_lone_spike_in_a_quiet_row_is_longer_than_a_window_and_still_exact(tmp_path):
    image = np.zeros((4, 320), dtype=np.int32)
    image[1, 7], image[2, 200], image[3, 319] = 2**18, -(2**30), 2**31 - 1
    assert_same(compressed(tmp_path / "a.fits", image))


def encoded(row: np.ndarray, block_size: int, lows: list[int]) -> bytes:
    """`row` as the standard's text describes the code; each block keeps the low bits that its turn in `lows` says."""
    bits = 8 * row.itemsize
    code_bits, whole = {8: (3, 6), 16: (4, 14), 32: (5, 25)}[bits]
    values = [int(value) % 2**bits for value in row]
    stream = f"{values[0]:0{bits}b}"
    signed = [
        (b - a + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1) for a, b in itertools.pairwise([values[0], *values])
    ]
    folded = [2 * d if d >= 0 else -2 * d - 1 for d in signed]
    for turn, x in enumerate(range(0, len(folded), block_size)):
        block, low = folded[x : x + block_size], lows[turn % len(lows)]
        if not any(block):
            stream += "0" * code_bits
        elif low >= whole or max(block) >> low > 300:
            stream += f"{whole + 1:0{code_bits}b}" + "".join(f"{number:0{bits}b}" for number in block)
        else:
            stream += f"{low + 1:0{code_bits}b}"
            stream += "".join("0" * (n >> low) + f"{1 << low | n & (1 << low) - 1:b}" for n in block)
    return int(stream.ljust(-(-len(stream) // 8) * 8, "0"), 2).to_bytes(-(-len(stream) // 8))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_row_in_any_code_comes_back(data):
    kind = data.draw(st.sampled_from(["uint8", "uint16", "uint32"]))
    largest = data.draw(st.sampled_from([1, 20, 250, np.iinfo(kind).max]))
    row = data.draw(arrays.arrays(kind, st.integers(1, 99), elements=st.integers(0, min(largest, np.iinfo(kind).max))))
    lows = data.draw(st.lists(st.integers(0, 25), min_size=1, max_size=5))
    block_size = data.draw(st.sampled_from(rice.BLOCK_SIZES))
    assert np.array_equal(decoded(encoded(row, block_size, lows), row.size, kind, block_size), row)


def test_blocks_of_sixteen_are_decoded_as_cfitsio_decodes_them(tmp_path):
    image = noise("int32", 9)
    path, streams = tmp_path / "a.fits", np.empty(len(image), dtype=object)
    streams[:] = [np.frombuffer(encoded(row, 16, [3, 4, 5]), np.uint8) for row in image]
    table = fits.BinTableHDU.from_columns([fits.Column("COMPRESSED_DATA", "PB()", array=streams)])
    table.header.update({"ZIMAGE": True, "ZBITPIX": 32, "ZNAXIS": 2, "ZNAXIS1": 101, "ZNAXIS2": 37, "ZTILE1": 101})
    table.header.update({"ZTILE2": 1, "ZCMPTYPE": "RICE_1", "ZNAME1": "BLOCKSIZE", "ZVAL1": 16})
    table.header.update({"ZNAME2": "BYTEPIX", "ZVAL2": 4})
    table.writeto(path)
    assert np.array_equal(ours(path), image)
    assert_same(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_image_is_decoded_bit_by_bit(tmp_path, data):
    kind = data.draw(st.sampled_from(KINDS))
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 70)))
    tile = (data.draw(st.integers(1, shape[0])), shape[1])
    assert_same(compressed(tmp_path / "a.fits", data.draw(arrays.arrays(kind, shape)), tile))


def spoiled(path: Path, changes: list[tuple[float, int]], start: int) -> bytes:
    content = bytearray(path.read_bytes())
    for place, byte in changes:
        content[start + int(place * (len(content) - start))] = byte
    return bytes(content)


CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=30)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int32"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_changed_bytes_are_refused_or_decoded_as_cfitsio_decodes_them(tmp_path, kind, changes):
    path = compressed(tmp_path / "a.fits", noise(kind, 12))
    with fitsio.FITS(str(path)) as found:
        start = found[1].get_offsets()["data_start"]
    path.write_bytes(spoiled(path, changes, start))
    try:
        mine = ours(path)
    except rice.Refused:
        return
    assert np.array_equal(mine, theirs(path))


def decoded(stream: bytes, pixels: int, kind: Any = np.uint32, block_size: int = 32) -> np.ndarray:
    data = np.frombuffer(stream + bytes(rice.PADDING), dtype=np.uint8)
    out = np.empty(pixels, dtype=kind)
    begin = np.zeros(1, np.int64)
    rice.decode(data, begin, begin + len(stream), begin + pixels, block_size, 0, out)
    return out


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300), st.integers(1, 3000), st.sampled_from(rice.PIXELS), st.sampled_from(rice.BLOCK_SIZES))
def test_garbage_is_refused_or_decoded_and_never_read_past_its_end(stream, pixels, kind, block_size):
    try:
        once = decoded(stream, pixels, kind, block_size)
    except rice.Refused:
        return
    assert np.array_equal(once, decoded(stream, pixels, kind, block_size))


def test_a_stream_cut_anywhere_is_refused(tmp_path):
    path = compressed(tmp_path / "a.fits", noise("int32", 500)[:1])
    with fits.open(path, disable_image_compression=True) as found:
        stream = found[1].data["COMPRESSED_DATA"][0].tobytes()
    assert np.array_equal(decoded(stream, 101).view(np.int32), theirs(path)[0])
    for length in range(len(stream)):
        with pytest.raises(rice.Refused, match="does not hold its 101 pixels"):
            decoded(stream[:length], 101)


def test_zeros_without_end_are_refused():
    with pytest.raises(rice.Refused, match="does not hold its 64 pixels"):
        decoded(b"\0\0\0\1" + b"\x10" + bytes(50), 64)


def test_a_tile_outside_the_data_is_refused():
    one = np.ones(1, np.int64)
    for begin, end in [(-1, 9), (9, 8), (0, 17)]:
        with pytest.raises(rice.Refused, match="not lie within the data"):
            rice.decode(
                np.zeros(16 + rice.PADDING, np.uint8), begin * one, end * one, one, 32, 0, np.empty(1, np.uint8)
            )


@pytest.mark.parametrize(("pixels", "room", "kind", "block"), [(5, 6, "u4", 32), (0, 0, "u4", 32), (5, 5, "i4", 32)])
def test_tiles_that_do_not_fill_the_array_are_an_error_of_the_caller(pixels, room, kind, block):
    at = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="expected"):
        rice.decode(np.zeros(2000, np.uint8), at, at + 9, at + pixels, block, 0, np.empty(room, kind))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"'RICE_1  '", b"'GZIP_1  '"),
        (b"1PB(", b"1PJ("),
        (b"BLOCKSIZE'", b"BLOCKSIZX'"),
        (b"ZBITPIX =                   32", b"ZBITPIX =                   16"),
        (b"ZNAXIS1 =                  101", b"ZNAXIS1 =              9999999"),
        (b"ZTILE2  =                    1", b"ZTILE2  =                    0"),
        (b"ZNAXIS2 =                   37", b"ZNAXIS2 =                   36"),
        (b"PCOUNT  =                 ", b"PCOUNT  =                9"),
        (b"GCOUNT  =                    1", b"BSCALE  =                    2"),
        (b"GCOUNT  =                    1", b"BZERO   =                    7"),
        (b"GCOUNT  =                    1", b"ZBLANK  =                    7"),
        (b"GCOUNT  =                    1", b"ZNAXIS  =                    2"),
        (b"GCOUNT  =                    1", b"THEAP   =                    1"),
        (b"GCOUNT  =                    1", b"BZERo   =           2147483648"),
    ],
)
def test_a_header_that_says_anything_unusual_is_refused(tmp_path, old, new):
    path = compressed(tmp_path / "a.fits", noise("int32", 5))
    content = path.read_bytes()
    at = fitsio.FITS(str(path))[1].get_offsets()
    header = content[at["header_start"] : at["data_start"]]
    assert old in header
    path.write_bytes(content.replace(header, header.replace(old, new, 1)))
    with path.open("rb") as file, pytest.raises(rice.Refused):
        read_rice(file, at["header_start"], at["data_start"], at["data_end"])


def test_what_is_not_a_table_of_integers_is_refused(tmp_path):
    path = tmp_path / "a.fits"
    with fitsio.FITS(str(path), "rw") as out:
        out.write(GAUSSIAN.astype("f4"))
        out.write(GAUSSIAN.astype("f4"), compress="rice", qlevel=4)
        out.write(noise("int16", 5), compress="gzip")
    for hdu in range(3):
        with pytest.raises(rice.Refused, match="not a table of RICE_1 streams"):
            ours(path, hdu)


@needs_real_data
@pytest.mark.parametrize(
    "name",
    [
        "coj2m002-en12-20200321-0022-a00.fits.fz",
        "coj2m002-en12-20200321-0023-w00.fits.fz",
        "coj2m002-en12-20210126-0004-w00.fits.fz",
        "coj2m002-en12-20210126-0005-a00.fits.fz",
    ],
)
def test_real_frames_are_decoded_bit_by_bit(name):
    assert_same(real_file("raw_frames", name))
