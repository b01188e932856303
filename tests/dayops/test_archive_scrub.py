"""A scrub finds every damaged, missing and superfluous file, and harms none that is needed."""

import errno
import io
import os
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dayops.archive import hooks, store
from dayops.archive.by_hand import ingest_file
from dayops.archive.content_store import Store, address
from dayops.archive.folder import Entry
from dayops.archive.ingest import Outcome
from dayops.archive.scrub import Report, collect, scrub
from dayops.models import Event, RawFrame, Severity
from tests import frames

pytestmark = pytest.mark.django_db
LONG_AGO = time.time() - 3 * 24 * 3600


@pytest.fixture(autouse=True)
def archive_of_its_own(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    monkeypatch.setattr(hooks, "_hooks", [])
    monkeypatch.setattr(hooks, "_keepers", [])


@pytest.fixture
def three(tmp_path: Path) -> list[RawFrame]:
    archived = []
    for number in range(3):
        path = tmp_path / f"bias_{number}.fits"
        path.write_bytes(frames.small(level=number))
        archived.append(ingest_file(store(), path).frame)
    return archived


def place(digest: str) -> Path:
    return Path(store().url) / address(digest)


def rot(frame: RawFrame) -> None:
    path = place(frame.sha256)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def waste(content: bytes, *, age: float = LONG_AGO) -> str:
    digest = store().put(io.BytesIO(content)).sha256
    os.utime(place(digest), (age, age))
    return digest


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("scrub", *arguments, stdout=out)
    return out.getvalue()


def test_a_sound_archive_is_told_so(three: list[RawFrame]):
    report = scrub(store())
    assert report.sound
    assert (report.checked, report.checked_bytes) == (3, sum(frame.size for frame in three))
    assert Event.objects.get(kind="archive.scrubbed").severity == Severity.INFO
    assert "3 files (0.00 GB) were read again: 0 damaged, 0 missing" in command()


def test_one_flipped_bit_is_found_and_gives_an_alarm_that_names_the_frame(three: list[RawFrame]):
    rot(three[1])
    assert scrub(store()).rotten == [three[1].sha256]
    alarm = Event.objects.get(kind="archive.rot")
    assert alarm.severity == Severity.ALARM
    assert alarm.text.startswith("bias_1.fits (bias_1 CCD0) is damaged")
    with pytest.raises(CommandError, match=r"1 damaged, 0 missing.* python manage\.py ingest COPY"):
        command()


def test_a_missing_file_is_found_and_gives_an_alarm(three: list[RawFrame]):
    place(three[0].sha256).unlink()
    assert scrub(store()).missing == [three[0].sha256]
    assert "bias_0.fits (bias_0 CCD0) is missing" in Event.objects.get(kind="archive.missing").text
    with pytest.raises(CommandError, match="0 damaged, 1 missing"):
        command()


@pytest.mark.parametrize("harm", [rot, lambda frame: place(frame.sha256).unlink()], ids=["rotten", "missing"])
def test_archiving_a_copy_by_hand_restores_what_was_lost(three: list[RawFrame], tmp_path: Path, harm):
    harm(three[1])
    assert not scrub(store()).sound
    admission = ingest_file(store(), tmp_path / "bias_1.fits")
    assert (admission.outcome, admission.frame) == (Outcome.RESTORED, three[1])
    assert scrub(store()).sound
    assert Event.objects.get(kind="archive.restored").text.startswith("bias_1.fits is restored")


def test_a_disk_that_cannot_read_a_file_back_has_lost_it(three: list[RawFrame], monkeypatch: pytest.MonkeyPatch):
    def broken(archive: Store, sha256: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Store, "verify", broken)
    assert len(scrub(store()).rotten) == 3


def test_strange_files_are_named_and_never_touched(three: list[RawFrame]):
    astray = place(three[0].sha256).with_name("frame.fits.bak")
    moved = Path(store().url) / "sha256" / three[1].sha256
    astray.write_bytes(b"")
    os.utime(astray, (LONG_AGO, LONG_AGO))
    place(three[1].sha256).rename(moved)
    report = scrub(store())
    assert [Path(key).name for key in report.strange] == [moved.name, astray.name]
    assert report.missing == [three[1].sha256]
    collect(store(), report)
    assert astray.exists()


def test_a_frame_archived_during_a_scrub_does_not_seem_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "late.fits"
    path.write_bytes(frames.small())
    walk = Store.walk

    def archived_meanwhile(archive: Store) -> Iterator[Entry]:
        seen = list(walk(archive))
        ingest_file(archive, path)
        return iter(seen)

    monkeypatch.setattr(Store, "walk", archived_meanwhile)
    assert scrub(store()).missing == []


def test_an_archive_that_cannot_be_used_is_told_with_the_setting(tmp_path: Path, settings: Any):
    (tmp_path / "file").write_bytes(b"")
    settings.ARCHIVE_URL = str(tmp_path / "file" / "archive")
    with pytest.raises(CommandError, match=r"cannot be used: .* set DAYOPS_ARCHIVE"):
        command()


def test_a_sample_reads_only_so_many(three: list[RawFrame]):
    assert scrub(store(), sample=2).checked == 2
    assert "1 files" in command("--sample", "1")


@pytest.mark.parametrize("number", ["0", "-1", "many", "²"])
def test_a_sample_of_no_number_is_refused(number: str):
    with pytest.raises(CommandError, match="is not a number of files: expected 1 or more"):
        command("--sample", number)


def test_progress_is_told(three: list[RawFrame]):
    seen: list[tuple[int, int]] = []
    scrub(store(), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_old_content_that_nothing_refers_to_is_waste_and_can_be_collected(three: list[RawFrame]):
    digest = waste(b"left by a crash between publishing and commit")
    assert scrub(store()).waste == [digest]
    assert "1 files that nothing refers to were removed" in command("--collect")
    assert not store().exists(digest)
    assert all(store().exists(frame.sha256) for frame in three)


def test_young_content_may_still_be_on_its_way_to_a_commit():
    waste(b"published a moment ago", age=time.time())
    assert scrub(store()).waste == []


def test_content_that_is_published_again_is_young_again():
    digest = waste(b"archived again while a scrub runs")
    store().put(io.BytesIO(b"archived again while a scrub runs"))
    assert scrub(store()).waste == []
    assert store().exists(digest)


def test_content_that_another_app_keeps_is_not_waste():
    digest = waste(b"a master bias")
    hooks.keeps_content(lambda: {digest})
    report = scrub(store())
    assert (report.waste, report.checked) == ([], 1)


def test_what_came_into_use_since_the_scrub_is_not_collected(three: list[RawFrame]):
    assert collect(store(), Report(waste=[three[0].sha256])) == 0
    assert store().exists(three[0].sha256)


def test_abandoned_transfers_are_collected_and_live_ones_are_not():
    archive = store()
    for name, age in (("old.part", LONG_AGO), ("new.part", time.time())):
        (archive.incoming / name).write_bytes(b"half a frame")
        os.utime(archive.incoming / name, (age, age))
    report = scrub(archive)
    assert report.abandoned == ["old.part"]
    collect(archive, report)
    assert [path.name for path in archive.incoming.iterdir()] == ["new.part"]
