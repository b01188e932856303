"""Raw segments by rows: what reading them whole gives, whatever the file, and broken files by their names."""

import gzip
from pathlib import Path

import fitsio
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayops import images
from dayops.camera.headers import BadFrame
from dayops.images.strips import RawStrips
from tests.dayops.simulated import tiny_camera

DETECTOR = tiny_camera().detectors[0]
HEIGHT, WIDTH = 36, 34
KINDS = ["int16", "uint16", "int32", "uint32"]


def segments(kind: str = "int32") -> list[np.ndarray]:
    rng = np.random.default_rng(8)
    return [np.clip(rng.normal(20_000, 9, (HEIGHT, WIDTH)), 0, 32_000).astype(kind) for _ in DETECTOR.amplifiers]


def written(folder: Path, pixels: list[np.ndarray], name: str = "raw.fits", **how) -> Path:
    """A raw file with one extension for each amplifier; `how` is what fitsio is told of the compression."""
    path = folder / name
    with fitsio.FITS(str(path), "rw", clobber=True) as out:
        out.write(None)
        for amplifier, segment in zip(DETECTOR.amplifiers, pixels, strict=True):
            out.write(segment, extname=amplifier.extension, **how)
    return path


def by_rows(strips: RawStrips, amplifier: int, step: int = 7) -> np.ndarray:
    parts = [strips.rows(amplifier, y, min(y + step, HEIGHT)) for y in range(0, HEIGHT, step)]
    return np.concatenate(parts)


def assert_as_read_whole(path: Path) -> None:
    with images.open_strips(path, DETECTOR) as strips:
        for amplifier, whole in enumerate(images.read_segments(path, DETECTOR)):
            found = by_rows(strips, amplifier)
            assert found.dtype == whole.dtype
            np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "how",
    [
        {"compress": "rice", "tile_dims": (1, WIDTH)},
        {"compress": "rice", "tile_dims": (5, WIDTH)},
        {"compress": "rice", "tile_dims": (10, 10)},
        {"compress": "gzip", "tile_dims": (1, WIDTH)},
        {},
    ],
    ids=["row tiles", "tall tiles", "small tiles", "gzip tiles", "plain"],
)
def test_rows_are_those_of_the_segment_read_whole(tmp_path, kind, how):
    if kind == "uint32" and how.get("compress") == "gzip":
        how = {}  # CFITSIO has no such image
    assert_as_read_whole(written(tmp_path, segments(kind), **how))


def test_real_numbers_come_as_float32(tmp_path):
    pixels = [segment / 7 for segment in segments()]
    with images.open_strips(written(tmp_path, pixels), DETECTOR) as strips:
        found = by_rows(strips, 1)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels[1].astype(np.float32))


def test_a_gzip_file_is_read_whatever_its_name(tmp_path):
    path = written(tmp_path, segments(), compress="rice", tile_dims=(1, WIDTH))
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert_as_read_whole(path)


def test_segments_are_found_by_name_whatever_their_order_in_the_file(tmp_path):
    path, pixels = tmp_path / "raw.fits", segments()
    with fitsio.FITS(str(path), "rw") as out:
        out.write(None)
        for amplifier, segment in reversed(list(zip(DETECTOR.amplifiers, pixels, strict=True))):
            out.write(segment, extname=amplifier.extension, compress="rice", tile_dims=(1, WIDTH))
    with images.open_strips(path, DETECTOR) as strips:
        np.testing.assert_array_equal(strips.rows(0, 3, 9), pixels[0][3:9])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.tuples(st.integers(0, HEIGHT - 1), st.integers(1, HEIGHT)))
def test_any_rows_are_decoded_alone(tmp_path, rows):
    first, last = rows[0], min(rows[0] + rows[1], HEIGHT)
    path = tmp_path / "raw.fits"
    if not path.exists():
        written(tmp_path, segments(), compress="rice", tile_dims=(1, WIDTH))
    with images.open_strips(path, DETECTOR) as strips:
        np.testing.assert_array_equal(strips.rows(1, first, last), segments()[1][first:last])


def test_only_the_streams_asked_for_are_read(tmp_path):
    path = written(tmp_path, segments(), compress="rice", tile_dims=(1, WIDTH))
    start, streams = _streams(path)
    content = bytearray(path.read_bytes())
    begin = start + streams[20][1]
    content[begin : begin + streams[20][0]] = b"\xff" * streams[20][0]
    path.write_bytes(content)
    with images.open_strips(path, DETECTOR) as strips:
        np.testing.assert_array_equal(strips.rows(0, 0, 20), segments()[0][:20])
        np.testing.assert_array_equal(strips.rows(0, 21, HEIGHT), segments()[0][21:])


def _streams(path: Path) -> tuple[int, np.ndarray]:
    """Where the heap of the first segment begins, and length and offset of each of its streams."""
    with fits.open(path, disable_image_compression=True) as found:
        table = found[1]
        at = table.fileinfo()["datLoc"]
        width, rows = table.header["NAXIS1"], table.header["NAXIS2"]
    content = path.read_bytes()
    return at + width * rows, np.frombuffer(content, ">i4", 2 * rows, at).reshape(-1, 2)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=20))
def test_changed_bytes_are_refused_in_words_or_read_as_the_whole_segment_is(tmp_path, changes):
    path = written(tmp_path, segments(), compress="rice", tile_dims=(1, WIDTH))
    start, streams = _streams(path)
    start, size = start - 8 * HEIGHT, 8 * HEIGHT + int(streams[:, 0].sum())
    content = bytearray(path.read_bytes())
    for place, byte in changes:
        content[start + int(place * size)] = byte
    path.write_bytes(content)
    try:
        whole = images.read_segments(path, DETECTOR)[0]
    except BadFrame:
        return
    try:
        with images.open_strips(path, DETECTOR) as strips:
            found = by_rows(strips, 0)
    except BadFrame as error:
        assert str(error).startswith("raw.fits: ")
    else:
        np.testing.assert_array_equal(found, whole)


def test_each_sentence_about_a_file_begins_with_its_name(tmp_path):
    path = written(tmp_path, segments())
    content = path.read_bytes()
    for spoiled, sentence in [
        (b"", "raw.fits: The file is empty"),
        (content[:-2880], "raw.fits: The file is truncated"),
        (content.replace(b"Segment11", b"Segment77"), "raw.fits: Segment11 is missing"),
        (content.replace(b"NAXIS1  =                   34", b"NAXIS1  =                   33"), "has the shape"),
    ]:
        path.write_bytes(spoiled)
        with pytest.raises(BadFrame, match=sentence), images.open_strips(path, DETECTOR):
            pass


def test_a_stream_that_is_broken_when_it_is_read_names_the_file(tmp_path):
    path = written(tmp_path, segments(), compress="rice", tile_dims=(1, WIDTH))
    with images.open_strips(path, DETECTOR) as strips:
        with path.open("rb+") as file:
            file.truncate(path.stat().st_size // 2)
        with pytest.raises(BadFrame, match=r"raw\.fits: The pixels cannot be read"):
            by_rows(strips, 1)
