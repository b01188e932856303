"""The gate lets whole frames of known cameras pass, and refuses everything else with the rule and the value."""

import gzip
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayops.archive import gate
from dayops.archive.errors import InspectionImpossible, InspectionStalled
from dayops.archive.gate import Inspection, inspect
from dayops.archive.regular import NotRegular, open_regular
from dayops.camera import load
from dayops.camera.headers import BadFrame
from dayops.simulator.frames import simulate
from tests import frames
from tests.dayops.simulated import shot
from tests.real_data import FOLDER, needs_real_data, real_file


@pytest.fixture
def put(tmp_path: Path):
    def write(content: bytes) -> Path:
        path = tmp_path / "incoming"
        path.write_bytes(content)
        return path

    return write


def refusal(path: Path, file_name: str = "frame.fits") -> str:
    with pytest.raises(BadFrame) as caught:
        inspect(path, file_name)
    assert caught.value.problems, "a refusal says why"
    return str(caught.value)


def test_a_frame_of_a_known_camera_passes_with_its_facts(put):
    seen = inspect(put(frames.minicam(detector=4, seq_num=7, image_type="DARK", exposure_s=30.0)), "frame.fits")
    description = seen.description
    assert (description.camera, description.exposure) == ("minicam", "MC_S_20261122_000007")
    assert (description.image_type, description.exposure_s, description.day_obs) == ("DARK", 30.0, 20261122)
    assert (description.detector.id, description.detector.name) == (4, "R22_S11")


def test_what_readout_said_of_each_amplifier_is_kept(put):
    seen = inspect(put(frames.minicam()), "frame.fits")
    assert len(seen.amplifier_headers) == 16
    assert seen.amplifier_headers[0] == {"EXTNAME": "Segment10", "AVERAGE": 1.5}


def test_a_frame_of_a_camera_nobody_described_passes_with_its_own_geometry(put):
    description = inspect(put(frames.small()), "night/bias_07.fits").description
    assert (description.camera, description.exposure) == ("generic", "bias_07")
    assert (description.detector.width, description.detector.height) == (32, 24)


def test_a_gzip_frame_passes_under_any_name(put):
    assert inspect(put(gzip.compress(frames.minicam())), "frame.fits").description.camera == "minicam"


def test_the_camera_can_be_told(put):
    assert inspect(put(frames.minicam(INSTRUME="Unheard")), "frame.fits", "minicam").description.camera == "minicam"


def test_markup_in_a_header_stays_text(put):
    seen = inspect(put(frames.small(OBJECT="<script>alert(1)</script>")), "frame.fits")
    assert seen.header["OBJECT"] == "<script>alert(1)</script>"


def test_a_checksum_that_does_not_agree_is_told_as_a_doubt(put):
    assert "DATASUM says 12" in inspect(put(frames.small(DATASUM="12")), "frame.fits").doubts[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty (0 bytes)"),
        (frames.HTML, "not a FITS file: it begins with '<!DOCTYPE html>"),
        (frames.small()[:4000], "its size is 4000 bytes, expected at least 5760"),
        (frames.small() + b"x" * 2880, "belong to nothing"),
        (frames.claiming(BITPIX=7), "BITPIX=7 is not a FITS type"),
        (frames.claiming(NAXIS1=1), "no image"),
        (frames.tile_bomb(), "claim 40000000000 pixels"),
        (frames.minicam()[: 2880 * 5], "truncated"),
        (frames.minicam(RAFTBAY="R99"), "no detector R99_S00"),
        (frames.minicam(OBSID="../../etc/passwd"), "OBSID is '../../etc/passwd'"),
        (frames.minicam(EXPTIME=None), "exposure time is missing"),
        (frames.minicam(EXPTIME=-5.0), "EXPTIME is -5 s"),
        (frames.minicam(EXPTIME="NaN"), "exposure time is missing or not a number"),
        (frames.minicam(image_type="FLAT"), "contradicts itself"),
    ],
)
def test_what_is_wrong_is_refused_in_words(put, content: bytes, sentence: str):
    assert sentence in refusal(put(content))


def test_everything_that_is_missing_is_told_at_once(put):
    missing: dict[str, Any] = dict.fromkeys(["IMGTYPE", "EXPTIME", "DATE-BEG", "RAFTBAY"])
    said = refusal(put(frames.minicam(**missing)))
    for word in ("image type", "exposure time", "start", "detector"):
        assert word in said


def test_a_gzip_bomb_is_refused_soon(put):
    began = time.monotonic()
    assert "inflates to more than" in refusal(put(_stacked_bomb()))
    assert time.monotonic() - began < 30


def _stacked_bomb() -> bytes:
    """Extensions that each stay below the pixel limit and together inflate to 1.7 GiB, in a few megabytes."""
    table = {"XTENSION": "BINTABLE", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 8, "NAXIS2": 1, "GCOUNT": 1}
    heap = 2880 * 30_000
    one = gzip.compress(frames.header({**table, "PCOUNT": heap - 8}) + b"\0" * heap, compresslevel=1)
    return gzip.compress(frames.claiming()) + one * 20


def test_a_file_that_needs_too_much_memory_is_refused(put, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "_read", lambda path, scratch: len(bytearray(2 * 1024**3)))
    assert "needed more than 1024 MiB of memory. No raw frame does that" in refusal(put(frames.small()))


def test_a_reader_that_crashes_refuses_the_file_and_nothing_else(put, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "_read", lambda path, scratch: os.abort())
    assert "crashed: Aborted" in refusal(put(frames.small()))


def test_a_stalled_machine_does_not_condemn_the_frame(put, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "_WALL_S", 0.2)
    monkeypatch.setattr(gate, "_read", lambda path, scratch: time.sleep(5))
    with pytest.raises(InspectionStalled, match=r"no answer within 0\.2 s"):
        inspect(put(frames.small()), "frame.fits")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2 * 2880 - 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_a_damaged_frame_passes_or_is_refused_but_never_breaks_the_gate(put, changes: list[tuple[int, int]]):
    content = bytearray(frames.small())
    for place, value in changes:
        content[place] = value
    try:
        assert isinstance(inspect(put(bytes(content)), "frame.fits"), Inspection)
    except BadFrame as error:
        assert all(problem.endswith((".", "'")) for problem in error.problems)


def test_a_machine_that_is_out_of_memory_does_not_condemn_the_frame(put, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "_read", lambda path, scratch: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(InspectionImpossible, match="was killed from outside"):
        inspect(put(frames.small()), "frame.fits")


def test_a_full_scratch_disk_does_not_condemn_the_frame(put, monkeypatch: pytest.MonkeyPatch):
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dayops.images.read_headers", full)
    with pytest.raises(InspectionImpossible, match="No space left on device"):
        inspect(put(frames.small()), "frame.fits")


def test_a_simulated_frame_passes_without_a_doubt(put):
    content = simulate(shot(load("minicam"), seq_num=4), detector_id=4, seed=1)
    seen = inspect(put(content), "frame.fits")
    assert seen.doubts == ()
    assert seen.description.remarks == ()
    assert (seen.description.image_type, seen.description.detector.name) == ("DARK", "R22_S11")
    assert seen.description.detectors_expected == 9
    assert {"AVERAGE", "AVGBIAS", "STDVBIAS"} <= seen.amplifier_headers[0].keys()


# What is not a plain file is not even opened.


def not_regular(path: Path) -> str:
    with pytest.raises(NotRegular) as caught:
        open_regular(path)
    return str(caught.value)


def test_a_fifo_is_refused_without_waiting_for_its_writer(tmp_path: Path):
    os.mkfifo(tmp_path / "frame.fits")
    assert "a FIFO (named pipe), not a regular file" in not_regular(tmp_path / "frame.fits")
    assert "a FIFO" in refusal(tmp_path / "frame.fits")


def test_a_symbolic_link_is_refused(tmp_path: Path):
    (tmp_path / "frame.fits").symlink_to("/etc/passwd")
    assert "a symbolic link" in not_regular(tmp_path / "frame.fits")


def test_a_hard_link_is_refused(tmp_path: Path):
    (tmp_path / "secret").write_bytes(b"somebody else's")
    (tmp_path / "frame.fits").hardlink_to(tmp_path / "secret")
    assert "a hard link with 2 names" in not_regular(tmp_path / "frame.fits")


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("frame.fits")
        assert "a socket" in not_regular(tmp_path / "frame.fits")


def test_a_device_is_refused():
    assert "a character device" in not_regular(Path("/dev/zero"))


def test_a_folder_is_refused(tmp_path: Path):
    assert "a folder" in not_regular(tmp_path)


# Real files.


@needs_real_data
@pytest.mark.real_data
@pytest.mark.parametrize("folder", ["lsst_headers", "raw_frames"])
def test_every_real_raw_frame_passes(folder: str):
    for path in sorted((FOLDER / folder).iterdir()):
        if not path.name.startswith("bias-det000"):
            assert inspect(path, path.name).description.exposure


@needs_real_data
@pytest.mark.real_data
def test_a_real_master_bias_is_refused_as_no_raw_frame():
    path = real_file("lsst_headers", "bias-det000_2018-09-21.fits")
    assert "finished calibration product" in refusal(path, path.name)
