"""Simulated raw files: repeatable to the byte, sealed, and with the headers that LSST's have."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import fitsio
import numpy as np
import pytest
from astropy.io import fits

from dayops.camera import load
from dayops.camera.sections import Section, parse
from dayops.simulator.frames import simulate
from tests.dayops.simulated import DAY, shot, tiny_camera

IN_ANOTHER_PROCESS = """
import hashlib
from dayops.simulator.frames import simulate
from tests.dayops.simulated import shot, tiny_camera
print(hashlib.sha256(simulate(shot(tiny_camera(), 7), 1, 5)).hexdigest())
"""


def opened(content: bytes) -> fits.HDUList:
    return fits.open(io.BytesIO(content))


def primary(seq_num: int, camera=None) -> fits.Header:
    with opened(simulate(shot(camera or tiny_camera(), seq_num), 0, 1)) as hdus:
        return hdus[0].header.copy()


def test_the_same_seed_gives_the_same_bytes_in_another_process_and_at_another_time():
    here = hashlib.sha256(simulate(shot(tiny_camera(), 7), 1, 5)).hexdigest()
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    there = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


@pytest.mark.parametrize(("seq_num", "detector", "seed"), [(8, 1, 5), (7, 0, 5), (7, 1, 6)])
def test_another_exposure_detector_or_seed_gives_other_pixels(seq_num, detector, seed):
    with (
        opened(simulate(shot(tiny_camera(), 7), 1, 5)) as first,
        opened(simulate(shot(tiny_camera(), seq_num), detector, seed)) as other,
    ):
        assert not np.array_equal(first[1].data, other[1].data)


def test_every_seal_satisfies_astropy_and_cfitsio(tmp_path):
    path = tmp_path / "frame.fits"
    path.write_bytes(simulate(shot(load("minicam"), 7), 4, 1))
    with fits.open(path, checksum=True, disable_image_compression=True) as hdus:
        assert [(hdu.verify_checksum(), hdu.verify_datasum()) for hdu in hdus] == [(1, 1)] * 17
    with fitsio.FITS(path) as file:
        for hdu in file:
            assert hdu.verify_checksum() is None  # raises where the sum is wrong


def test_the_file_is_whole_blocks_of_rice_compressed_segments():
    content = simulate(shot(tiny_camera(), 7), 0, 1)
    assert len(content) % 2880 == 0
    with fits.open(io.BytesIO(content), disable_image_compression=True) as hdus:
        assert [hdu.header["ZCMPTYPE"] for hdu in hdus[1:]] == ["RICE_1", "RICE_1"]
        assert [hdu.header["ZBITPIX"] for hdu in hdus[1:]] == [32, 32]


def test_the_extensions_are_the_amplifiers_in_reading_order():
    detector = load("minicam").by_id[4]
    with opened(simulate(shot(load("minicam"), 1), 4, 1)) as hdus:
        assert [hdu.name for hdu in hdus[1:]] == [amplifier.extension for amplifier in detector.amplifiers]
        assert {hdu.shape for hdu in hdus[1:]} == {(528, 164)}


def test_the_sections_say_what_the_geometry_says():
    camera = tiny_camera()
    with opened(simulate(shot(camera, 1), 0, 1)) as hdus:
        for hdu, amplifier in zip(hdus[1:], camera.by_id[0].amplifiers, strict=True):
            overscan = amplifier.serial_overscan
            assert overscan is not None
            assert parse(hdu.header["DATASEC"]) == Section(amplifier.image)
            assert parse(hdu.header["BIASSEC"]) == Section(overscan)
            assert parse(hdu.header["DETSEC"]) == Section(amplifier.place, amplifier.flip_x, amplifier.flip_y)


def test_the_statistics_in_the_header_are_those_of_the_pixels():
    with opened(simulate(shot(tiny_camera(), 7), 0, 1)) as hdus:
        image, bias = hdus[1].data[:32, 2:26], hdus[1].data[:32, 26:]
        measured = [image.mean(), image.std(), bias.mean(), bias.std()]
        written = [hdus[1].header[name] for name in ("AVERAGE", "STDEV", "AVGBIAS", "STDVBIAS")]
    assert written == pytest.approx(measured, abs=1e-4)


def test_the_primary_header_names_the_exposure_and_its_step():
    header = primary(7)
    assert header["OBSID"] == "MC_S_20261122_000007"
    assert (header["DAYOBS"], header["SEQNUM"]) == (str(DAY), 7)
    assert (header["IMGTYPE"], header["FILTER"], header["DAYSTEP"]) == ("FLAT", "g", "flat-g")
    assert (header["RAFTBAY"], header["CCDSLOT"], header["NEXPECT"]) == ("R22", "S00", 2)


def test_dates_are_tai():
    header = primary(1)
    assert header["TIMESYS"] == "TAI"
    assert header["DATE-BEG"] == "2026-11-22T16:20:37.000"  # UTC + 37 s
    assert header["MJD-BEG"] == pytest.approx(61366 + (16 * 3600 + 20 * 60 + 37) / 86400, abs=1e-8)


def test_a_bias_has_no_dark_time_and_no_filter():
    header = primary(1)
    assert (header["IMGTYPE"], header["EXPTIME"], header["DARKTIME"]) == ("BIAS", 0.0, 0.0)
    assert "FILTER" not in header


def test_dark_current_also_collects_during_half_of_the_readout():
    header = primary(5)
    assert (header["EXPTIME"], header["DARKTIME"]) == (60.0, 61.0)


def test_the_file_is_named_for_exposure_and_detector():
    camera = tiny_camera()
    assert shot(camera, 12).file_name(camera.by_id[1]) == "MC_S_20261122_000012_R22_S01.fits"
