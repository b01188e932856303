"""The simulated observatory takes its plan, keeps what it took, and goes on after a restart."""

import hashlib
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from dayops.camera_data_system import FolderCameraDataSystem
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import fault_named
from dayops.simulator.observatory import Observatory, usual_beginning
from tests.dayops.simulated import BEGINS, DAY, observatory, programme


def test_every_frame_of_the_plan_is_taken_in_order(tmp_path):
    names = [frame.name for frame in observatory(tmp_path, exposures=2).frames()]
    assert names == [f"MC_S_20261122_00000{exposure}_R22_S0{slot}.fits" for exposure in (1, 2) for slot in (0, 1)]


def test_the_whole_plan_is_taken_when_no_number_is_given(tmp_path):
    status = observatory(tmp_path, exposures=None).status()
    assert (status["planned"], status["taken"], status["frames"]) == (25, 25, 50)


def test_what_is_offered_is_what_lies_in_the_folder(tmp_path):
    for frame in observatory(tmp_path).frames():
        content = (tmp_path / frame.name).read_bytes()
        assert (frame.size, frame.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_a_folder_client_finds_the_same_frames_verified(tmp_path):
    taken = observatory(tmp_path, exposures=2)
    found = FolderCameraDataSystem(str(tmp_path)).listing().frames
    assert [(f.name, f.exposure, f.detector, f.sha256) for f in found] == [
        (f.name, f.exposure, f.detector, f.sha256) for f in taken.frames()
    ]


def test_a_restart_goes_on_where_it_was_and_keeps_the_frames_taken(tmp_path):
    first = observatory(tmp_path, exposures=1).frames()
    written = (tmp_path / first[0].name).stat().st_mtime_ns
    again = observatory(tmp_path, exposures=2)
    assert again.status()["taken"] == 2
    assert (tmp_path / first[0].name).stat().st_mtime_ns == written


def test_a_lost_frame_is_taken_again_with_the_same_bytes(tmp_path):
    frame = observatory(tmp_path).frames()[0]
    (tmp_path / frame.name).unlink()
    retaken = observatory(tmp_path).frame(frame.name)
    assert retaken is not None
    assert retaken.sha256 == frame.sha256


def test_a_restart_keeps_the_day_s_first_beginning(tmp_path):
    observatory(tmp_path)
    later = replace(programme(), begins_at=BEGINS + timedelta(hours=1))
    assert Observatory(tmp_path, later).programme.begins_at == BEGINS


def test_another_seed_in_the_same_folder_is_refused_with_the_remedy(tmp_path):
    observatory(tmp_path)
    with pytest.raises(ValueError, match="with seed 1, not tiny with seed 2: give another --folder"):
        Observatory(tmp_path, programme(seed=2))


def faulty(folder: Path, name: str, exposures: int | None = None) -> Observatory:
    """One that has taken its day with the fault called `name`."""
    taken = Observatory(folder, replace(programme(exposures), fault=fault_named(name)))
    taken.take_all(threading.Event(), cadence_s=0.0)
    return taken


def sums(taken: Observatory) -> dict[str, str | None]:
    return {frame.name: frame.sha256 for frame in taken.frames()}


@pytest.mark.parametrize("name", ["noisy-amplifier", "duplicate-exposure", None])
def test_two_days_of_one_seed_and_fault_are_the_same_to_the_byte(tmp_path, name):
    first, again = (
        faulty(tmp_path / folder, name) if name else observatory(tmp_path / folder, None) for folder in ("a", "b")
    )
    assert sums(first) == sums(again)


def test_a_missing_detector_is_never_offered_and_the_day_ends_all_the_same(tmp_path):
    status = faulty(tmp_path, "missing-detector").status()
    assert (status["frames"], status["taken"], status["finished"], status["refusable"]) == (25, 25, True, 0)


def test_a_duplicate_is_offered_under_another_file_name_and_is_not_fit_for_the_archive(tmp_path):
    taken = faulty(tmp_path, "duplicate-exposure")
    (again,) = set(sums(taken)) - set(sums(observatory(tmp_path / "healthy", None)))
    assert again.endswith("_again1.fits")
    first = taken.frame(again.replace("_again1", ""))
    second = taken.frame(again)
    assert first and second
    assert (first.exposure, first.detector) == (second.exposure, second.detector)
    assert first.sha256 != second.sha256
    assert (taken.status()["frames"], taken.status()["refusable"]) == (51, 1)


def test_a_restart_knows_a_duplicate_again(tmp_path):
    before = sums(faulty(tmp_path, "duplicate-exposure"))
    assert sums(faulty(tmp_path, "duplicate-exposure")) == before


def test_a_folder_with_another_fault_is_refused(tmp_path):
    faulty(tmp_path, "banding", 1)
    with pytest.raises(ValueError, match="tiny with seed 1 and fault banding, not tiny with seed 1: give another"):
        observatory(tmp_path)


def test_a_healthy_folder_from_before_there_were_faults_goes_on(tmp_path):
    observatory(tmp_path)
    record = tmp_path / f"programme-{DAY}.json"
    record.write_text(json.dumps({k: v for k, v in json.loads(record.read_text()).items() if k != "fault"}))
    assert observatory(tmp_path, 2).status()["taken"] == 2


def test_half_an_exposure_does_not_count_as_taken(tmp_path):
    taken = observatory(tmp_path)
    (tmp_path / taken.frames()[1].name).unlink()
    status = Observatory(tmp_path, programme()).status()
    assert (status["taken"], status["frames"], status["finished"]) == (0, 1, False)


def test_stopping_ends_the_waiting_for_the_next_exposure(tmp_path):
    stop, begun = threading.Event(), monotonic()
    threading.Timer(0.3, stop.set).start()
    waiting = Observatory(tmp_path, programme(3))
    waiting.take_all(stop, cadence_s=60.0)
    assert monotonic() - begun < 10.0
    assert waiting.status()["taken"] == 1


def test_exposures_follow_at_the_cadence(tmp_path):
    begun = monotonic()
    Observatory(tmp_path, programme(3)).take_all(threading.Event(), cadence_s=0.25)
    assert monotonic() - begun >= 0.5


def test_a_finished_day_says_so(tmp_path):
    assert observatory(tmp_path).status()["finished"] is True


def test_a_past_day_began_at_its_usual_time():
    begins_at = usual_beginning(20261101, datetime(2026, 11, 22, tzinfo=UTC))
    assert begins_at == ObservingDay(20261101).begins + timedelta(seconds=15_600)


def test_no_frame_of_today_comes_from_the_future():
    now = ObservingDay(DAY).begins + timedelta(hours=1)
    today = replace(programme(None), begins_at=usual_beginning(DAY, now))
    assert max(shot.begins_at for shot in today.shots()) < now


def test_a_day_never_begins_before_its_roll_over():
    begins = ObservingDay(DAY).begins
    assert usual_beginning(DAY, begins + timedelta(seconds=60)) == begins
