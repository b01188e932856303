"""Reading FITS: headers within limits, segments of every kind, and the detector they make up."""

import gzip
import json
from pathlib import Path
from typing import Any

import fitsio
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayops import camera, images
from dayops.camera.headers import BadFrame, describe
from tests import frames
from tests.real_data import needs_real_data, real_file

DETECTOR = camera.load("minicam").by_name["R22_S11"]


def written(folder: Path, content: bytes, name: str = "frame.fits") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def numbered_segments(dtype: str = "i4") -> list[np.ndarray]:
    """Raw segments whose every light pixel says where on the detector it belongs; overscan is -1."""
    truth = np.arange(DETECTOR.width * DETECTOR.height, dtype=dtype).reshape(DETECTOR.height, DETECTOR.width)
    segments = []
    for amplifier in DETECTOR.amplifiers:
        segment = np.full((amplifier.raw_height, amplifier.raw_width), -1, dtype=dtype)
        light = truth[amplifier.place.slices]
        light = light[:, ::-1] if amplifier.flip_x else light
        segment[amplifier.image.slices] = light[::-1] if amplifier.flip_y else light
        segments.append(segment)
    return segments


def minicam_file(folder: Path, segments: list[np.ndarray], compress: str | None = None) -> Path:
    """A multi-extension file as a camera writes it: an empty primary HDU, then one HDU for each segment."""
    path = folder / "minicam.fits"
    with fitsio.FITS(str(path), "rw") as out:
        out.write(None)
        for amplifier, segment in zip(DETECTOR.amplifiers, segments, strict=True):
            out.write(segment, extname=amplifier.extension, compress=compress)
    return path


def generic_detector(path: Path) -> camera.Detector:
    return describe(*images.read_headers(path), path.name, "generic").detector


@pytest.mark.parametrize("compress", [None, "rice", "gzip"])
def test_segments_come_back_bit_by_bit_in_amplifier_order(tmp_path, compress):
    segments = numbered_segments()
    read = images.read_segments(minicam_file(tmp_path, segments, compress), DETECTOR)
    assert all(np.array_equal(a, b) and a.dtype == np.int32 for a, b in zip(read, segments, strict=True))


def test_segments_are_found_by_name_whatever_their_order_in_the_file(tmp_path):
    segments = numbered_segments()
    path = tmp_path / "shuffled.fits"
    with fitsio.FITS(str(path), "rw") as out:
        out.write(None)
        for amplifier, segment in reversed(list(zip(DETECTOR.amplifiers, segments, strict=True))):
            out.write(segment, extname=amplifier.extension)
    assert np.array_equal(images.read_segments(path, DETECTOR)[0], segments[0])


def test_unsigned_sixteen_bit_pixels_stay_unsigned(tmp_path):
    pixels = np.full((24, 32), 60_000, dtype=np.uint16)
    path = tmp_path / "frame.fits"
    fits.PrimaryHDU(pixels, fits.Header(frames.facts())).writeto(path)
    read = images.read_segments(path, generic_detector(path))[0]
    assert (str(read.dtype), read.max()) == ("uint16", 60_000)


def test_double_precision_pixels_become_single(tmp_path):
    path = tmp_path / "frame.fits"
    fits.PrimaryHDU(np.full((24, 32), 0.5), fits.Header(frames.facts())).writeto(path)
    assert images.read_segments(path, generic_detector(path))[0].dtype == np.float32


def test_a_path_that_cfitsio_would_take_for_a_command_is_only_a_path(tmp_path):
    folder = tmp_path / "a[1]+b"
    folder.mkdir()
    assert len(images.read_segments(written(folder, frames.minicam(4), "!frame[2].fits"), DETECTOR)) == 16


def test_gzip_is_known_by_its_bytes_not_by_its_name(tmp_path):
    path = written(tmp_path, gzip.compress(frames.minicam(4, level=1234)), "plain.fits")
    assert images.read_segments(path, DETECTOR)[15].max() == 1234


def test_an_inflated_copy_is_gone_afterwards(tmp_path):
    with images.inflated(written(tmp_path, gzip.compress(b"pixels"))) as plain:
        assert plain.read_bytes() == b"pixels"
    assert not plain.exists()


def test_a_gzip_bomb_is_refused_at_the_limit(tmp_path):
    path = written(tmp_path, gzip.compress(bytes(5_000_000)))
    with pytest.raises(BadFrame, match="more than the limit of 1,000,000 bytes"), images.inflated(path, 1_000_000):
        pass


@pytest.mark.parametrize("spoil", [lambda zipped: zipped[:-20], lambda zipped: zipped[:30] + b"\xff" * 9 + zipped[39:]])
def test_a_broken_gzip_is_refused_with_what_to_do(tmp_path, spoil):
    path = written(tmp_path, spoil(gzip.compress(frames.small())))
    with pytest.raises(BadFrame, match="Send it again"):
        images.read_headers(path)


def test_a_missing_segment_is_refused_by_name(tmp_path):
    path = minicam_file(tmp_path, numbered_segments())
    path.write_bytes(path.read_bytes().replace(b"'Segment03'", b"'Segment99'"))
    with pytest.raises(BadFrame, match=r"^Segment03 is missing"):
        images.read_segments(path, DETECTOR)


def test_a_frame_of_another_shape_is_refused_with_both_shapes(tmp_path):
    with pytest.raises(BadFrame, match=r"^Segment10 has the shape \(528, 164\): expected \(2048, 576\)"):
        images.read_segments(written(tmp_path, frames.minicam()), camera.load("lsstcam").detectors[0])


def test_pixels_that_do_not_decompress_are_refused(tmp_path):
    path = minicam_file(tmp_path, numbered_segments(), "rice")
    content = bytearray(path.read_bytes())
    start = content.index(b"ZIMAGE") // 2880 * 2880 + 2880
    content[start : start + 60_000] = b"\xff" * 60_000
    path.write_bytes(bytes(content))
    with pytest.raises(BadFrame, match="The pixels cannot be read"):
        images.read_segments(path, DETECTOR)


def test_assembled_segments_lie_where_they_belong():
    mosaic = images.assemble(numbered_segments(), DETECTOR)
    assert mosaic.dtype == np.float32
    assert np.array_equal(mosaic.ravel(), np.arange(DETECTOR.width * DETECTOR.height, dtype=np.float32))


def test_overscan_is_subtracted_segment_by_segment():
    amplifier = DETECTOR.amplifiers[0]
    segment = np.full((amplifier.raw_height, amplifier.raw_width), 1_100, dtype=np.uint16)
    assert amplifier.serial_overscan is not None
    segment[amplifier.serial_overscan.slices] = 1_000
    level = images.trim(images.subtract_overscan(segment, amplifier), amplifier.image)
    assert (str(level.dtype), level.min(), level.max()) == ("float32", 100.0, 100.0)


def test_without_overscan_nothing_is_subtracted(tmp_path):
    amplifier = generic_detector(written(tmp_path, frames.small(level=7))).amplifiers[0]
    assert images.subtract_overscan(np.full((24, 32), 7, dtype=np.int16), amplifier).max() == 7.0


def test_headers_are_read_without_the_pixels_and_fit_into_json(tmp_path):
    headers, shapes = images.read_headers(written(tmp_path, frames.minicam()))
    assert shapes == [None] + [(528, 164)] * 16
    assert json.loads(json.dumps(headers, allow_nan=False)) == headers


def test_a_compressed_image_is_described_as_the_image_it_holds(tmp_path):
    headers, shapes = images.read_headers(minicam_file(tmp_path, numbered_segments(), "rice"))
    assert shapes == [None] + [(528, 164)] * 16
    assert (headers[1]["XTENSION"], headers[1]["BITPIX"], headers[1]["NAXIS1"]) == ("IMAGE", 32, 164)
    assert not {"ZIMAGE", "TFORM1", "TTYPE1"} & set(headers[1])


@pytest.mark.parametrize(
    ("said", "meant"), [("NaN", None), ("Infinity", None), ("", None), ("1.0E999", None), ("T", True)]
)
def test_a_card_without_a_finite_value_is_none(tmp_path, said, meant):
    card = f"EXPTIME = {said:>20}".ljust(80).encode()
    content = frames.small().replace(frames.card("EXPTIME", 0.0), card)
    assert card in content
    headers, _ = images.read_headers(written(tmp_path, content))
    assert headers[0]["EXPTIME"] is meant


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(BadFrame, match="The file is empty"):
        images.read_headers(written(tmp_path, b""))


def test_a_web_page_is_refused_with_how_it_begins(tmp_path):
    with pytest.raises(BadFrame, match="not a FITS file: it begins with '<!DOCTYPE html>"):
        images.read_headers(written(tmp_path, frames.HTML))


def test_a_truncated_file_is_refused_with_its_size(tmp_path):
    whole = frames.minicam()
    with pytest.raises(BadFrame, match=f"size is {len(whole) - 2880:,} bytes, expected at least {len(whole):,}"):
        images.read_headers(written(tmp_path, whole[:-2880]))


def test_a_file_cut_within_a_header_is_refused(tmp_path):
    endless = frames.header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0}).replace(b"END", b"   ")
    with pytest.raises(BadFrame, match="no END card was found"):
        images.read_headers(written(tmp_path, endless))


def test_a_header_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path):
    start = frames.header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0}).replace(b"END", b"   ")
    with pytest.raises(BadFrame, match="longer than 10,000,000 bytes"):
        images.read_headers(written(tmp_path, start + b" " * 2880 * 4_000))


def test_a_file_of_too_many_hdus_is_refused(tmp_path):
    extension = frames.header({"XTENSION": "IMAGE", "BITPIX": 8, "NAXIS": 0, "PCOUNT": 0, "GCOUNT": 1})
    primary = frames.header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0})
    with pytest.raises(BadFrame, match="more than 64 HDUs"):
        images.read_headers(written(tmp_path, primary + extension * 64))


@pytest.mark.parametrize(
    "claim",
    [{"BITPIX": 7}, {"NAXIS": 10}, {"NAXIS": "two"}, {"NAXIS": 1, "NAXIS1": -5}, {"NAXIS": 1}, {"GCOUNT": -1}],
)
def test_sizes_that_cannot_be_are_refused(tmp_path, claim):
    with pytest.raises(BadFrame):
        images.read_headers(written(tmp_path, frames.claiming(**claim)))


def test_what_follows_the_last_hdu_is_left_alone(tmp_path):
    headers, _ = images.read_headers(written(tmp_path, frames.small() + bytes(2880)))
    assert len(headers) == 1


@st.composite
def spoiled(draw: Any) -> bytes:
    content = bytearray(frames.small(DATASEC="[1:30,1:24]", BIASSEC="[31:32,1:24]"))
    for _ in range(draw(st.integers(1, 12))):
        content[draw(st.integers(0, 2879))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))]) if draw(st.booleans()) else bytes(content)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spoiled())
def test_a_spoiled_header_is_read_or_refused_but_never_anything_else(tmp_path, content):
    path = written(tmp_path, content)
    try:
        headers, shapes = images.read_headers(path)
        json.dumps(headers, allow_nan=False)
        describe(headers, shapes, "spoiled.fits")
    except BadFrame as refusal:
        assert refusal.problems


@needs_real_data
@pytest.mark.parametrize("name", ["coj2m002-en12-20200321-0022-a00.fits.fz", "v_e_20180810_12_1_0_0.fits.gz"])
def test_real_pixels_agree_with_astropy(name):
    path = real_file("raw_frames", name)
    with fits.open(path) as hdus:
        expected = next(hdu.data for hdu in hdus if hdu.data is not None)
    assert np.array_equal(images.read_segments(path, generic_detector(path))[0], expected)


@needs_real_data
@pytest.mark.parametrize("name", ["3018092000065-det000.fits", "30211212000310-R22-S22-det098.fits"])
def test_real_lsst_frames_assemble_to_a_whole_detector(name):
    path = real_file("lsst_headers", name)
    detector = describe(*images.read_headers(path), name).detector
    mosaic = images.assemble(images.read_segments(path, detector), detector)
    assert mosaic.shape == (detector.height, detector.width)
    assert np.isfinite(mosaic).all()
