"""What is offered and not archived is queued once, oldest first, and fetched whole, whatever the sender does."""

import os
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dayops import runs
from dayops.archive import catch_up as catch_up_module
from dayops.archive import gate, hooks, store
from dayops.archive.catch_up import CatchUp, backlog, catch_up
from dayops.archive.errors import ArchiveFull
from dayops.archive.incoming import Partial
from dayops.camera_data_system import HttpCameraDataSystem, Listing, Timeouts
from dayops.engine import claim, perform
from dayops.models import Event, Phase, RawFrame, Run, Severity, Task
from tests import frames
from tests.frames import frame_name
from tests.shelf import Shelf, offer, served

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = catch_up_module.QUEUE


@pytest.fixture(autouse=True)
def archive_of_its_own(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    settings.CAMERA_DATA_SYSTEM = ""
    monkeypatch.setattr(hooks, "_hooks", [])


def shelf_of(tmp_path: Path, *numbers: tuple[int, int]) -> Shelf:
    """A shelf with the frames (detector, sequence number)."""
    contents = {frame_name(*number): frames.minicam(*number) for number in numbers}
    return Shelf.of(tmp_path / "shelf", contents)


def work_off() -> int:
    """Perform every task that can be claimed now."""
    done = 0
    while (work := claim(QUEUE, "a test")) is not None:
        perform(work)
        done += 1
    return done


def later() -> None:
    """Let the pause before the next try pass."""
    Task.objects.update(not_before="2026-01-01T00:00:00Z")


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Timeouts(connect_s=1.0, read_s=0.3, total_s=1.0)
    for module in ("catch_up", "jobs"):
        monkeypatch.setattr(
            f"dayops.archive.{module}.open_camera_data_system", lambda url: HttpCameraDataSystem(url, patient)
        )


def test_what_is_offered_is_queued_fetched_and_archived(tmp_path: Path):
    shelf = shelf_of(tmp_path, (0, 1), (1, 1), (0, 2))
    with served(shelf) as url:
        assert catch_up(url) == CatchUp(offered=3, archived=0, queued=3, waiting=3)
        assert backlog() == backlog(frames.DAY) == 3
        assert work_off() == 3
        assert catch_up(url) == CatchUp(offered=3, archived=3)
    assert backlog() == 0
    assert set(RawFrame.objects.values_list("file_name", flat=True)) == set(shelf.offers)
    assert all(RawFrame.objects.values_list("verified", flat=True))
    assert set(Run.objects.values_list("title", "phase")) == {
        ("Archive MC_S_20261122_000001", Phase.COMPLETED),
        ("Archive MC_S_20261122_000002", Phase.COMPLETED),
    }


def test_asking_again_queues_nothing_twice(tmp_path: Path):
    with served(shelf_of(tmp_path, (0, 1), (1, 1))) as url:
        catch_up(url)
        assert catch_up(url) == CatchUp(offered=2, archived=0, queued=0, waiting=2)
    assert Task.objects.count() == 2


def test_frames_that_come_later_join_the_run_of_their_exposure(tmp_path: Path):
    shelf = shelf_of(tmp_path, (0, 1))
    with served(shelf) as url:
        catch_up(url)
        work_off()
        shelf.put(frame_name(1, 1), frames.minicam(1, 1))
        assert catch_up(url).queued == 1
        work_off()
    assert Run.objects.get().phase == Phase.COMPLETED
    assert RawFrame.objects.count() == 2


def test_the_oldest_exposure_is_fetched_first(tmp_path: Path):
    with served(shelf_of(tmp_path, (0, 3), (0, 1), (0, 2))) as url:
        claimed = [claim_name() for _ in range(catch_up(url).queued)]
    assert claimed == [frame_name(0, 1), frame_name(0, 2), frame_name(0, 3)]


def claim_name() -> str:
    work = claim(QUEUE, "a test")
    assert work is not None
    return str(work.arguments["frame"]["name"])


def test_a_long_backlog_is_queued_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catch_up_module, "_EXPOSURES_AT_ONCE", 1)
    with served(shelf_of(tmp_path, (0, 1), (1, 1), (0, 2))) as url:
        assert catch_up(url) == CatchUp(offered=3, queued=2, waiting=3)
        assert catch_up(url) == CatchUp(offered=3, queued=1, waiting=3)


def test_an_exposure_that_a_person_aborted_is_left_alone(tmp_path: Path):
    shelf = shelf_of(tmp_path, (0, 1))
    with served(shelf) as url:
        catch_up(url)
        runs.abort(Run.objects.get().pk, actor="operator", reason="the camera is being tested")
        shelf.put(frame_name(1, 1), frames.minicam(1, 1))
        assert catch_up(url).queued == 0


@pytest.mark.parametrize("number", [50, 5000])
def test_the_number_of_queries_does_not_grow_with_the_offer(monkeypatch: pytest.MonkeyPatch, number: int):
    offers = [offer(f"MC_S_20261122_{n // 9:06d}_R22_S{n % 9}.fits", b"%d" % n) for n in range(number)]
    monkeypatch.setattr(catch_up_module, "_EXPOSURES_AT_ONCE", 0)
    monkeypatch.setattr(HttpCameraDataSystem, "listing", lambda self, day_obs=None: Listing(offers))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert catch_up("http://camera").waiting == number
    assert len(queries) == 3


# When the Camera Data System misbehaves.


@pytest.mark.parametrize("misbehaviour", ["hang", "garble", "fail", "redirect"])
def test_trouble_is_told_when_it_begins_and_when_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, misbehaviour: str
):
    impatient(monkeypatch)
    shelf = shelf_of(tmp_path, (0, 1))
    with served(shelf, misbehaviour) as url:
        assert catch_up(url).trouble
        assert catch_up(url).trouble
    assert kinds() == ["camera_data_system.trouble"]
    with served(shelf) as url:
        catch_up(url)
        catch_up(url)
    assert kinds() == ["camera_data_system.trouble", "camera_data_system.well"]


def test_a_service_that_is_gone_is_told_and_its_tasks_wait(tmp_path: Path):
    with served(shelf_of(tmp_path, (0, 1))) as url:
        catch_up(url)
    assert url in catch_up(url).trouble
    work_off()
    task = Task.objects.get()
    assert (task.phase, task.error_class) == (Phase.QUEUED, "Retriable")


def test_a_service_that_moved_is_found_at_its_new_address(tmp_path: Path, settings: Any):
    shelf = shelf_of(tmp_path, (0, 1))
    with served(shelf) as url:
        catch_up(url)
    with served(shelf) as settings.CAMERA_DATA_SYSTEM:
        work_off()
    assert RawFrame.objects.count() == 1


def test_a_service_that_dies_half_way_is_resumed_until_the_frame_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    impatient(monkeypatch)
    with served(shelf_of(tmp_path, (0, 1)), "die") as url:
        catch_up(url)
        work_off()
        (part,) = store().incoming.iterdir()
        half = part.stat().st_size
        assert 0 < half < Task.objects.get().arguments["frame"]["size"]
        later()
        work_off()
        assert part.stat().st_size > half
    with served(shelf_of(tmp_path, (0, 1))) as url:
        Task.objects.update(arguments=Task.objects.get().arguments | {"url": url})
        later()
        work_off()
    frame = RawFrame.objects.get()
    assert store().verify(frame.sha256) == frame.size
    assert Task.objects.get().log_lines.filter(text__startswith="Going on with").count() == 2


def test_a_service_that_lies_about_a_checksum_archives_nothing_and_gives_an_alarm(tmp_path: Path):
    with served(shelf_of(tmp_path, (0, 1)), "lie") as url:
        catch_up(url)
        for _ in range(runs.MAX_ATTEMPTS):
            assert work_off() == 1
            later()
    task = Task.objects.get()
    assert (task.phase, task.error_class) == (Phase.ERROR, "BadInput")
    assert "vouched for SHA-256" in task.error
    assert RawFrame.objects.count() == 0
    assert list(store().walk()) == []
    alarm = Event.objects.get(kind="frame.not_archived")
    assert alarm.severity == Severity.ALARM


def test_an_inspection_that_always_stalls_ends_with_an_alarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "_WALL_S", 0.05)
    monkeypatch.setattr(gate, "_read", lambda path, scratch: time.sleep(5))
    with served(shelf_of(tmp_path, (0, 1))) as url:
        catch_up(url)
        for _ in range(runs.MAX_ATTEMPTS):
            assert work_off() == 1
            later()
        assert work_off() == 0
        assert catch_up(url) == CatchUp(offered=1, failed=1)
    assert Task.objects.get().phase == Phase.ERROR
    alarm = Event.objects.get(kind="frame.not_archived")
    assert "did not end" in alarm.text
    assert "retry the run" in alarm.text


def test_what_only_this_machine_lacks_does_not_use_up_the_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with served(shelf_of(tmp_path, (0, 1))) as url:
        catch_up(url)
        with monkeypatch.context() as patch:
            patch.setattr(gate, "_read", lambda path, scratch: {"trouble": "No space left on device"})
            for _ in range(2 * runs.MAX_ATTEMPTS):
                assert work_off() == 1
                later()
        work_off()
    assert RawFrame.objects.count() == 1


def test_frames_tried_for_more_than_an_hour_give_one_alarm_until_they_are_archived(tmp_path: Path):
    with served(shelf_of(tmp_path, (0, 1), (1, 1))) as url:
        catch_up(url)
        Task.objects.update(attempt=30, max_attempts=60, error="the archive is full.")
        catch_up(url)
        catch_up(url)
        work_off()
        catch_up(url)
    assert [kind for kind in kinds() if "stuck" in kind] == ["archiver.stuck", "archiver.unstuck"]
    alarm = Event.objects.get(kind="archiver.stuck")
    assert alarm.severity == Severity.ALARM
    assert alarm.text.startswith("2 offered frames are still not archived after 30 tries")
    assert "the archive is full." in alarm.text


def test_after_an_outage_every_frame_has_another_try_before_an_alarm(tmp_path: Path):
    shelf = shelf_of(tmp_path, (0, 1))
    with served(shelf) as url:
        catch_up(url)
        Task.objects.update(attempt=30, max_attempts=60, error="it did not answer.")
    catch_up(url)
    with served(shelf) as url:
        catch_up(url)
    assert kinds() == ["camera_data_system.trouble", "camera_data_system.well"]


def test_bad_entries_are_told_once_and_hold_back_nothing_else(tmp_path: Path):
    folder = tmp_path / "drop"
    folder.mkdir()
    for name in (frame_name(0, 1), "a\x1b[2J.fits"):
        (folder / name).write_bytes(frames.minicam(0, 1))
        os.utime(folder / name, (1, 1))
    assert catch_up(str(folder)) == CatchUp(offered=1, queued=1, waiting=1, bad=1)
    assert catch_up(str(folder)) == CatchUp(offered=1, waiting=1, bad=1)
    (told,) = Event.objects.all()
    assert (told.kind, told.severity) == ("camera_data_system.bad_entries", Severity.WARN)
    assert told.text.startswith(f"1 of 2 entries at {folder} cannot be fetched: 'a\\x1b[2J.fits': ")
    (folder / "b\\.fits").write_bytes(b"another")
    os.utime(folder / "b\\.fits", (1, 1))
    catch_up(str(folder))
    for path in folder.iterdir():
        path.unlink()
    catch_up(str(folder))
    catch_up(str(folder))
    assert kinds() == [*["camera_data_system.bad_entries"] * 2, "camera_data_system.entries_well"]


def test_a_file_that_was_offered_half_written_is_fetched_again_when_it_is_whole(tmp_path: Path):
    folder = tmp_path / "drop"
    folder.mkdir()
    content = frames.minicam(0, 1)
    path = folder / frame_name(0, 1)
    path.with_name(f"{path.name}.sha256").write_text(sha256(content).hexdigest())
    path.write_bytes(content[:100_000])
    catch_up(str(folder))
    path.write_bytes(content)
    assert catch_up(str(folder)).queued == 1
    work_off()
    assert RawFrame.objects.get().verified


def test_a_frame_that_its_sender_mends_is_fetched_again(tmp_path: Path):
    shelf = Shelf.of(tmp_path / "shelf", {frame_name(0, 1): frames.HTML})
    with served(shelf) as url:
        catch_up(url)
        work_off()
        assert catch_up(url) == CatchUp(offered=1, failed=1)
        shelf.put(frame_name(0, 1), frames.minicam(0, 1))
        assert catch_up(url).queued == 1
        work_off()
    assert RawFrame.objects.count() == 1


def test_a_bad_frame_ends_its_task_at_once_with_the_sentence(tmp_path: Path):
    with served(Shelf.of(tmp_path / "shelf", {frame_name(0, 1): frames.HTML})) as url:
        catch_up(url)
        work_off()
    task = Task.objects.get()
    assert (task.phase, task.attempt) == (Phase.ERROR, 1)
    assert task.error.startswith(f"{frame_name(0, 1)}: It is not a FITS file")
    assert "frame.refused" in kinds()


def test_a_frame_of_another_day_obs_than_offered_is_archived_under_its_own_and_told(tmp_path: Path):
    other_day: dict[str, Any] = {"DATE-BEG": "2026-11-20T15:00:00"}
    content = frames.minicam(0, 1, **other_day)
    with served(Shelf.of(tmp_path / "shelf", {frame_name(0, 1): content})) as url:
        catch_up(url)
        work_off()
    frame = RawFrame.objects.get()
    assert (frame.exposure.day_obs, frame.state) == (20261120, "ARCHIVED")
    told = Event.objects.get(kind="frame.contradiction")
    assert "offered as a frame of dayObs 20261122; by its start it belongs to 20261120" in told.text


def test_a_full_disk_only_delays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(self: Partial, expected: str | None) -> None:
        raise ArchiveFull("No space left in the archive: 0.0 MiB free.")

    with served(shelf_of(tmp_path, (0, 1))) as url:
        catch_up(url)
        with monkeypatch.context() as patch:
            patch.setattr(Partial, "complete", full)
            work_off()
        assert Task.objects.get().phase == Phase.QUEUED
        assert "No space left" in Task.objects.get().error
        later()
        work_off()
    assert RawFrame.objects.count() == 1


def test_the_same_content_of_another_name_counts_as_archived(tmp_path: Path):
    content = frames.minicam(0, 1)
    shelf = Shelf.of(tmp_path / "shelf", {frame_name(0, 1): content})
    with served(shelf) as url:
        catch_up(url)
        work_off()
        shelf.put("copy_of_it.fits", content)
        assert catch_up(url) == CatchUp(offered=2, archived=2)


def test_a_folder_of_frames_is_a_camera_data_system_too(tmp_path: Path):
    folder = tmp_path / "drop"
    folder.mkdir()
    content = frames.minicam(3, 7)
    path = folder / frame_name(3, 7)
    path.write_bytes(content)
    os.utime(path, (1, 1))  # settled long ago
    assert catch_up(str(folder)).queued == 1
    work_off()
    frame = RawFrame.objects.get()
    assert (frame.detector, frame.exposure.name, frame.verified) == (3, "MC_S_20261122_000007", False)
    assert catch_up(str(folder)) == CatchUp(offered=1, archived=1)
