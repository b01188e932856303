"""A person archives files from the command line and reads, for each, what became of it."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dayops.archive import hooks, store
from dayops.archive.by_hand import NotArchived, frames_in, ingest_file
from dayops.models import Event, RawFrame
from tests import frames
from tests.real_data import FOLDER, needs_real_data

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def archive_of_its_own(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    monkeypatch.setattr(hooks, "_hooks", [])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "night"
    where.mkdir()
    return where


def ingest(*arguments: str | Path) -> str:
    """Output of `manage.py ingest`, which must succeed."""
    out = StringIO()
    call_command("ingest", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: str | Path) -> tuple[str, str]:
    """Output and closing sentence of `manage.py ingest`, which must fail."""
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("ingest", *map(str, arguments), stdout=out)
    return out.getvalue(), str(caught.value)


def test_each_file_gets_a_line_and_the_last_line_counts(folder: Path):
    (folder / "a.fits").write_bytes(frames.minicam(0))
    (folder / "b.fits").write_bytes(frames.minicam(1))
    first, second, last = ingest(folder).splitlines()
    assert first == f"{folder}/a.fits: archived as MC_S_20261122_000001 R22_S00."
    assert second == f"{folder}/b.fits: archived as MC_S_20261122_000001 R22_S01."
    assert last == "2 files: 2 archived."


def test_ingesting_again_is_a_no_op_and_no_failure(folder: Path):
    (folder / "a.fits").write_bytes(frames.minicam())
    ingest(folder)
    assert "already archived at" in ingest(folder)
    assert RawFrame.objects.count() == 1


def test_other_bytes_for_a_frame_are_no_success_however_often_they_come(folder: Path):
    (folder / "a.fits").write_bytes(frames.minicam(level=1))
    ingest(folder)
    (folder / "a.fits").write_bytes(frames.minicam(level=2))
    for said in ("a.fits: quarantined. MC_S_20261122_000001 R22_S00 was archived at", "a.fits: already quarantined at"):
        lines, last = refused(folder)
        assert said in lines
        assert last == "1 file: 1 quarantined."


def test_one_bad_file_is_refused_and_the_others_are_archived(folder: Path):
    (folder / "a.fits").write_bytes(frames.HTML)
    (folder / "b.fits").write_bytes(frames.minicam())
    lines, last = refused(folder)
    assert "a.fits: refused. It is not a FITS file" in lines
    assert "b.fits: archived" in lines
    assert last.startswith("2 files: 1 archived, 1 refused.")
    assert list(store().incoming.iterdir()) == []
    assert (folder / "a.fits").read_bytes() == frames.HTML


def test_the_command_is_an_event_with_its_counts(folder: Path):
    (folder / "a.fits").write_bytes(frames.minicam())
    ingest(folder)
    assert Event.objects.get(kind="archive.by_hand").text == "By hand, 1 file: 1 archived."


def test_folders_are_searched_for_fits_files_and_links_are_not_followed(folder: Path):
    (folder / "deep" / "er").mkdir(parents=True)
    for name in ("deep/er/B.FITS", "a.fits.fz", "c.fit.gz", "notes.txt"):
        (folder / name).write_bytes(b"")
    (folder / "elsewhere").symlink_to("/")
    assert [str(path.relative_to(folder)) for path in frames_in([folder])] == [
        "a.fits.fz",
        "c.fit.gz",
        "deep/er/B.FITS",
    ]


def test_a_folder_without_frames_says_so(folder: Path):
    assert refused(folder) == (
        "",
        "There are no FITS files (.fits, .fit, .fts, .fz, .gz) here. Name the files themselves.",
    )


def test_a_missing_file_says_so(folder: Path):
    assert "absent.fits: refused. There is no such file. Check its name." in refused(folder / "absent.fits")[0]


def test_a_place_that_may_not_be_read_is_refused_and_the_rest_is_archived(folder: Path):
    (folder / "closed").mkdir()
    (folder / "closed" / "a.fits").write_bytes(frames.minicam())
    (folder / "b.fits").write_bytes(frames.minicam())
    (folder / "c.fits").write_bytes(frames.minicam())
    (folder / "closed").chmod(0)
    (folder / "c.fits").chmod(0)
    try:
        with an_ordinary_user(folder):
            lines, last = refused(folder, folder / "closed" / "a.fits")
    finally:
        (folder / "closed").chmod(0o755)
    for name in ("closed", "c.fits", "closed/a.fits"):
        assert f"{folder}/{name}: refused. User 65534 may not read it. Have its owner allow that." in lines
    assert last.startswith("4 files: 1 archived, 3 refused.")


@contextmanager
def an_ordinary_user(folder: Path) -> Iterator[None]:
    """For as long as it lasts a process of root's is nobody's, who may read `folder` and write the archive."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; run as root to try this")
    for parent in folder.parents[:-2]:
        parent.chmod(0o755)
    (folder.parent / "archive").mkdir()
    os.chown(folder.parent / "archive", 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_the_camera_can_be_named(folder: Path):
    (folder / "a.fits").write_bytes(frames.minicam(INSTRUME="Unheard"))
    assert "R22_S00" in ingest(folder, "--camera", "minicam")


def test_an_unknown_camera_is_refused_with_the_known_ones(folder: Path):
    with pytest.raises(CommandError, match="minicam"):
        call_command("ingest", str(folder), "--camera", "kodak")


@pytest.mark.parametrize("kind", ["fifo", "link", "hard link", "socket"])
def test_what_is_no_plain_file_is_refused_without_waiting(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    (tmp_path / "real.fits").write_bytes(frames.minicam())
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "fifo":
            os.mkfifo("a.fits")
        elif kind == "link":
            Path("a.fits").symlink_to(tmp_path / "real.fits")
        elif kind == "hard link":
            Path("a.fits").hardlink_to(tmp_path / "real.fits")
        else:
            listener.bind("a.fits")
        assert f"a.fits: refused. It is a {'FIFO' if kind == 'fifo' else ''}" in refused(folder)[0]
    assert RawFrame.objects.count() == 0


def test_a_file_that_is_still_being_written_is_refused(folder: Path):
    path = folder / "a.fits"
    path.write_bytes(frames.minicam())
    stop = threading.Event()

    def keep_touching() -> None:
        while not stop.is_set():
            os.utime(path)
            time.sleep(0.0005)

    writer = threading.Thread(target=keep_touching)
    writer.start()
    try:
        with pytest.raises(NotArchived, match="changed while it was being read"):
            ingest_file(store(), path)
    finally:
        stop.set()
        writer.join()


def test_a_name_with_escapes_cannot_steer_the_terminal(folder: Path):
    (folder / "a\x1b[31m\xff.fits").write_bytes(frames.HTML)
    (folder / os.fsdecode(b"b\xff.fits")).write_bytes(frames.HTML)
    lines, _ = refused(folder)
    assert "\x1b" not in lines
    lines.encode()


def test_a_folder_whose_name_is_not_utf8_is_no_obstacle(folder: Path):
    odd = folder / os.fsdecode(b"night\xff")
    odd.mkdir()
    (odd / "a.fits").write_bytes(frames.minicam())
    assert "archived as MC_S_20261122_000001" in ingest(odd)
    assert RawFrame.objects.get().source.endswith("night\N{REPLACEMENT CHARACTER}")


@needs_real_data
@pytest.mark.real_data
def test_the_real_lsst_frames_are_archived_and_the_master_bias_is_refused_in_words():
    lines, last = refused(FOLDER / "lsst_headers")
    assert last.startswith("7 files: 6 archived, 1 refused.")
    (refusal,) = [line for line in lines.splitlines() if "refused" in line]
    assert "bias-det000_2018-09-21.fits: refused. This is a finished calibration product" in refusal
    cameras = set(RawFrame.objects.values_list("exposure__camera", flat=True))
    assert {"lsstcam", "latiss"} <= cameras


@needs_real_data
@pytest.mark.real_data
def test_the_real_frames_of_other_cameras_are_archived():
    assert ingest(FOLDER / "raw_frames").splitlines()[-1] == "12 files: 12 archived."
    assert set(RawFrame.objects.values_list("exposure__camera", flat=True)) == {"generic"}
