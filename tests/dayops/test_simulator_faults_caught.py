"""What the catalogue says is caught today is caught; and a day with a fault can be asked for by its name."""

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from calib.science.amplifier import measure_detector
from calib.science.checks import BY_NAME as CHECKS
from calib.science.judgement import ERROR, judge
from calib.science.metrics import BY_NAME as METRICS
from calib.thresholds import in_force
from dayops.archive import hooks
from dayops.archive.content_store import Store
from dayops.archive.ingest import Admission, Origin, Outcome, admit, examine
from dayops.camera import load
from dayops.camera.headers import BadFrame
from dayops.demonstration import Demonstration, camera_status, start_observatory
from dayops.models import Event
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import FAULTS, fault_named
from dayops.simulator.frames import simulate
from tests.dayops.simulated import DAY, shot

MINICAM, SEED = load("minicam"), 2
OF_PIXELS = [metric for metric in METRICS.values() if metric.source == "pixels" and metric.per == "amplifier"]
BY_METRIC = [(f.name, name) for f in FAULTS for name in f.caught_by if name in METRICS and METRICS[name] in OF_PIXELS]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(hooks, "_hooks", [])
    return Store(str(tmp_path / "archive"))


def errors(name: str, metric: str) -> tuple[set[int], set[int]]:
    """Amplifiers whose `metric` is in ERROR, and those that the fault hits, in the last frame that it hits."""
    fault = fault_named(name)
    planned, detector = fault.where.exposures(DAY)[-1], fault.detectors(MINICAM, SEED, DAY)[0]
    with fits.open(io.BytesIO(simulate(shot(MINICAM, planned.seq_num), detector, SEED, fault))) as hdus:
        segments = [hdu.data for hdu in hdus[1:]]
    measured = measure_detector(segments, MINICAM.by_id[detector], planned.exposure_s, planned.image_type)
    levels = judge(measured.of(metric), in_force("minicam", planned.image_type, now(), planned.filter)[metric].limits)
    return set(np.flatnonzero(levels == ERROR)), set(fault.amplifiers(MINICAM.by_id[detector], SEED, DAY))


def ingest(archive: Store, content: bytes, file_name: str) -> Admission:
    origin = Origin(file_name, "the simulator", verified=True)
    stored, inspection = examine(archive, archive.receive(io.BytesIO(content)), origin)
    return admit(stored, inspection, origin)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "metric"), BY_METRIC)
def test_a_metric_that_should_see_a_fault_sees_it_at_every_amplifier_hit_and_no_other(name, metric):
    found, hit = errors(name, metric)
    assert found == hit


def test_whatever_should_catch_a_fault_exists():
    named = {name for fault in FAULTS for name in fault.caught_by}
    assert named - set(METRICS) - set(CHECKS) == {"frame.refused", "frame.quarantined"}


@pytest.mark.django_db
def test_a_truncated_file_is_refused_by_the_archive(archive: Store):
    fault = fault_named("truncated-file")
    assert fault.caught_by == ("frame.refused",)
    detector, seq_num = fault.detectors(MINICAM, SEED, DAY)[0], fault.where.exposures(DAY)[0].seq_num
    with pytest.raises(BadFrame):
        ingest(archive, simulate(shot(MINICAM, seq_num), detector, SEED, fault), "cut.fits")
    assert Event.objects.filter(kind="frame.refused").count() == 1


@pytest.mark.django_db
def test_the_second_of_two_offers_of_one_frame_is_quarantined(archive: Store):
    fault = fault_named("duplicate-exposure")
    assert fault.caught_by == ("frame.quarantined",)
    detector, seq_num = fault.detectors(MINICAM, SEED, DAY)[0], fault.where.exposures(DAY)[0].seq_num
    files = [simulate(shot(MINICAM, seq_num), detector, SEED, fault, repeat) for repeat in (0, 1)]
    outcomes = [ingest(archive, content, f"{number}.fits").outcome for number, content in enumerate(files)]
    assert outcomes == [Outcome.ARCHIVED, Outcome.QUARANTINED]
    assert Event.objects.filter(kind="frame.quarantined").count() == 1


def test_the_demonstration_refuses_an_unknown_fault_before_it_starts_anything():
    with pytest.raises(CommandError, match="no fault 'gremlins': expected one of light-in-a-bias"):
        call_command("demo", "--once", "--fault", "gremlins")


def test_the_demonstration_hands_the_fault_to_its_observatory(tmp_path):
    (tmp_path / "log").mkdir()
    demonstration = Demonstration(tmp_path, ObservingDay(DAY), 60.0, 0)
    try:
        url = start_observatory(demonstration, "minicam", SEED, 1, "missing-detector")
        assert camera_status(url)["fault"] == "missing-detector"
    finally:
        demonstration.stop()
