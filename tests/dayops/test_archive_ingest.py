"""A frame is admitted once, whatever comes again or comes twice; what is odd is told and nothing is lost."""

import io
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from dayops.archive import hooks
from dayops.archive.content_store import Store
from dayops.archive.ingest import Admission, Origin, Outcome, admit, examine
from dayops.camera.headers import BadFrame
from dayops.models import Event, Exposure, FrameState, RawFrame, Severity
from tests import frames

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "archive"))


@pytest.fixture(autouse=True)
def no_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "_hooks", [])


def ingest(archive: Store, content: bytes, file_name: str = "frame.fits", **origin: Any) -> Admission:
    said = Origin(file_name, "the test", **{"verified": True, **origin})
    stored, inspection = examine(archive, archive.receive(io.BytesIO(content)), said)
    return admit(stored, inspection, said)


def events(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind))


def test_a_frame_is_archived_with_its_exposure(archive: Store):
    admission = ingest(archive, frames.minicam(detector=4, image_type="DARK", exposure_s=30.0), "dark.fits")
    frame = admission.frame
    assert admission.outcome == Outcome.ARCHIVED
    assert (frame.state, frame.detector, frame.detector_name) == ("ARCHIVED", 4, "R22_S11")
    assert (frame.file_name, frame.source, frame.verified) == ("dark.fits", "the test", True)
    assert (frame.exposure.image_type, frame.exposure.exposure_s, frame.exposure.day_obs) == ("DARK", 30.0, 20261122)
    assert archive.verify(frame.sha256) == frame.size


def test_the_archived_bytes_are_exactly_those_sent(archive: Store):
    content = frames.minicam()
    with archive.open(ingest(archive, content).frame.sha256) as file:
        assert file.read() == content


def test_the_same_bytes_again_are_a_no_op(archive: Store):
    first = ingest(archive, frames.minicam())
    again = ingest(archive, frames.minicam(), "another_name.fits")
    assert again.outcome == Outcome.ALREADY
    assert again.frame == first.frame
    assert "already archived at 20" in again.sentence
    assert RawFrame.objects.count() == 1


def test_other_bytes_for_the_same_detector_are_kept_but_quarantined_with_an_alarm(archive: Store):
    first = ingest(archive, frames.minicam(level=1000))
    other = ingest(archive, frames.minicam(level=1001), "other.fits")
    assert other.outcome == Outcome.QUARANTINED
    assert other.frame.state == FrameState.QUARANTINED
    first.frame.refresh_from_db()
    assert first.frame.state == FrameState.ARCHIVED
    assert archive.exists(first.frame.sha256)
    assert archive.exists(other.frame.sha256)
    (alarm,) = events("frame.quarantined")
    assert alarm.severity == Severity.ALARM
    assert "with other bytes" in alarm.text


def test_quarantined_bytes_again_are_a_no_op(archive: Store):
    ingest(archive, frames.minicam(level=1000))
    ingest(archive, frames.minicam(level=1001))
    again = ingest(archive, frames.minicam(level=1001))
    assert again.outcome == Outcome.ALREADY
    assert "already quarantined" in again.sentence
    assert len(events("frame.quarantined")) == 1


def test_a_complete_exposure_is_told_once(archive: Store):
    for detector in range(9):
        assert not events("exposure.archived")
        ingest(archive, frames.minicam(detector=detector))
    (event,) = events("exposure.archived")
    assert event.text == "All 9 frames of MC_S_20261122_000001 (BIAS, 0 s) are archived."
    assert event.subject == "exposure:minicam/MC_S_20261122_000001"
    assert Exposure.objects.count() == 1


def test_what_contradicts_the_exposure_is_kept_as_a_remark_and_told(archive: Store):
    ingest(archive, frames.minicam(detector=0, image_type="DARK", exposure_s=30.0))
    frame = ingest(archive, frames.minicam(detector=1, image_type="DARK", exposure_s=31.0)).frame
    assert frame.state == FrameState.ARCHIVED
    assert "Its header says exposure_s=31.0; the exposure's first frame said 30.0." in frame.remarks
    (event,) = events("frame.contradiction")
    assert event.severity == Severity.WARN


def test_a_frame_without_a_sum_of_its_sender_is_marked_unverified(archive: Store):
    assert not ingest(archive, frames.minicam(), verified=False).frame.verified


def test_the_geometry_of_a_camera_nobody_described_is_kept_with_the_frame(archive: Store):
    frame = ingest(archive, frames.small(), "bias_07.fits").frame
    assert frame.exposure.camera == "generic"
    assert frame.geometry["width"] == 32
    assert ingest(archive, frames.minicam()).frame.geometry == {}


def test_the_same_bytes_under_two_names_of_a_generic_camera_are_remarked(archive: Store):
    ingest(archive, frames.small(), "bias_07.fits")
    frame = ingest(archive, frames.small(), "bias_08.fits").frame
    assert "The same bytes are archived as bias_07 too." in frame.remarks


# What is no frame.


def refused(archive: Store, content: bytes, **origin: Any) -> str:
    with pytest.raises(BadFrame) as caught:
        ingest(archive, content, **origin)
    return str(caught.value)


def test_bytes_that_are_no_frame_are_kept_in_quarantine_with_an_alarm(archive: Store):
    assert "not a FITS file" in refused(archive, frames.HTML)
    (entry,) = archive.place.walk("quarantine")
    assert entry.size == len(frames.HTML)
    assert list(archive.walk()) == []
    (alarm,) = events("frame.refused")
    assert alarm.severity == Severity.ALARM
    assert "58 bytes are kept in quarantine" in alarm.text
    assert RawFrame.objects.count() == 0


def test_the_same_bad_bytes_are_told_once(archive: Store):
    refused(archive, frames.HTML)
    refused(archive, frames.HTML)
    assert len(events("frame.refused")) == 1


def test_disagreeing_fits_checksums_refuse_bytes_that_nothing_else_vouches_for(archive: Store):
    assert "No SHA-256 came with it" in refused(archive, frames.small(DATASUM="12"), verified=False)


def test_disagreeing_fits_checksums_of_verified_bytes_are_the_senders_and_remarked(archive: Store):
    frame = ingest(archive, frames.small(DATASUM="12")).frame
    assert any("DATASUM says 12" in remark for remark in frame.remarks)
    assert len(events("frame.contradiction")) == 1


@given(st.text(max_size=300))
def test_a_name_is_kept_as_a_label_that_can_be_shown(name: str):
    label = Origin(name, "the test", verified=False).label
    assert "/" not in label
    assert "\\" not in label
    assert len(label) <= 255
    assert label.isprintable()
    label.encode()


def test_a_name_that_is_not_utf8_can_be_kept(archive: Store):
    name = b"bias_\xff\xfe.fits".decode("utf-8", "surrogateescape")
    assert ingest(archive, frames.small(), name).frame.file_name == "bias_\ufffd\ufffd.fits"


# Hooks.


def test_hooks_see_archived_frames_only(archive: Store):
    seen: list[RawFrame] = []
    hooks.on_archived(seen.append)
    first = ingest(archive, frames.minicam(level=1000))
    ingest(archive, frames.minicam(level=1000))
    ingest(archive, frames.minicam(level=1001))
    assert seen == [first.frame]


def test_a_hook_that_fails_leaves_no_row_behind(archive: Store):
    def broken(frame: RawFrame) -> None:
        raise RuntimeError("a bug in another app")

    hooks.on_archived(broken)
    with pytest.raises(RuntimeError):
        ingest(archive, frames.minicam())
    assert RawFrame.objects.count() == 0
    assert Exposure.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_racing_frames_of_one_exposure_all_arrive_and_completeness_is_told_once(archive: Store):
    outcomes: list[str] = []

    def one(detector: int) -> None:
        try:
            outcomes.append(ingest(archive, frames.minicam(detector=detector % 9)).outcome)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(detector,)) for detector in range(18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted([Outcome.ARCHIVED] * 9 + [Outcome.ALREADY] * 9)
    assert RawFrame.objects.count() == 9
    assert len(events("exposure.archived")) == 1
