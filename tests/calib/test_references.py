"""What an amplifier usually measures: its own past, without what was rejected, bad, or before an intervention."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calib.models import Review
from calib.references import FRAMES, REACH, usual
from dayops.camera import load
from dayops.models import Exposure, Note
from tests.calib.exposures import BEGIN, DAY, archived, assessed, exposure

pytestmark = pytest.mark.django_db

MINICAM = load("minicam")
DETECTOR = MINICAM.by_id[0]


def past(*levels: float, **fields: Any) -> list[Exposure]:
    """Exposures one after the other, each with this overscan level in every amplifier."""
    made = []
    for number, level in enumerate(levels, 1):
        one = exposure(number, **fields)
        assessed(archived(one), overscan_level=level)
        made.append(one)
    return made


def usual_level(of: Exposure | None = None, **frames: object) -> float:
    found = usual(of or exposure(900), [DETECTOR], "overscan_level", **frames)["overscan_level", DETECTOR.id]
    assert found.shape == (16,)
    return float(np.unique(found)[0]) if not np.isnan(found).all() else float("nan")


def test_it_is_the_median_of_what_came_before() -> None:
    past(25_000.0, 25_002.0, 25_900.0)
    assert usual_level() == 25_002.0


def test_without_a_past_there_is_none() -> None:
    assert np.isnan(usual_level())


def test_what_came_after_does_not_count() -> None:
    first, second, _ = past(25_000.0, 25_001.0, 25_002.0)
    assert usual_level(second) == 25_000.0
    assert np.isnan(usual_level(first))


def test_only_the_newest_frames_count() -> None:
    past(*[20_000.0] * FRAMES, *[25_000.0] * FRAMES)
    assert usual_level() == 25_000.0


def test_what_is_older_than_the_reach_does_not_count() -> None:
    past(25_000.0, began_at=BEGIN - REACH - timedelta(days=1))
    assert np.isnan(usual_level())


def test_a_rejected_frame_does_not_count() -> None:
    _, bad = past(25_000.0, 25_900.0)
    Review.objects.create(exposure=bad, frame=bad.frames.get(), decision="REJECT", reason="light", author="sofia")
    assert usual_level() == 25_000.0


def test_a_rejected_exposure_does_not_count_until_that_is_withdrawn() -> None:
    _, bad = past(25_000.0, 25_900.0)
    Review.objects.create(exposure=bad, decision="REJECT", reason="light", author="sofia")
    assert usual_level() == 25_000.0
    Review.objects.create(exposure=bad, decision="WITHDRAW", reason="it was none", author="sofia")
    assert usual_level(exposure(901)) == 25_450.0


def test_however_many_exposures_are_rejected_those_before_count() -> None:
    past(25_000.0)
    for number in range(2, 3 * FRAMES):
        bad = exposure(number)
        assessed(archived(bad), overscan_level=25_900.0)
        Review.objects.create(exposure=bad, decision="REJECT", reason="light", author="sofia")
    assert usual_level() == 25_000.0


def test_an_amplifier_in_error_does_not_count() -> None:
    past(25_000.0, 500_000.0)  # beyond the limits of any camera
    assert usual_level() == 25_000.0


def test_a_level_that_was_on_the_move_does_not_count() -> None:
    past(25_000.0)
    slope = np.zeros(16)
    slope[:4] = 30.0
    assessed(archived(exposure(2)), overscan_level=25_100.0, overscan_slope=slope)
    found = usual(exposure(900), [DETECTOR], "overscan_level")["overscan_level", DETECTOR.id]
    assert found.tolist() == [25_000.0] * 4 + [25_050.0] * 12


@pytest.mark.parametrize("subject", ["camera:minicam", f"detector:minicam/{DETECTOR.name}"])
def test_what_was_before_an_intervention_does_not_count(subject: str) -> None:
    past(25_000.0, 25_000.0, 25_100.0)
    note(subject, BEGIN + timedelta(seconds=80))  # between the second and the third
    assert usual_level() == 25_100.0


@pytest.mark.parametrize("subject", ["camera:lsstcam", "detector:minicam/R22_S22"])
def test_an_intervention_elsewhere_changes_nothing(subject: str) -> None:
    past(25_000.0, 25_000.0, 25_100.0)
    note(subject, BEGIN + timedelta(seconds=80))
    assert usual_level() == 25_000.0


def test_an_intervention_that_was_retracted_changes_nothing() -> None:
    past(25_000.0, 25_000.0, 25_100.0)
    note("camera:minicam", BEGIN + timedelta(seconds=80), retracted_at=BEGIN)
    assert usual_level() == 25_000.0


def test_another_camera_is_no_past() -> None:
    past(25_000.0, camera="comcam", detectors_expected=9)
    assert np.isnan(usual_level())


def test_frames_may_be_restricted_by_their_exposures() -> None:
    past(25_000.0, 25_010.0)
    flat = exposure(10, image_type="FLAT", filter="r", exposure_s=15.0)
    assessed(archived(flat), overscan_level=25_500.0, median=20_000.0)
    assert usual_level(image_type="FLAT", filter="r") == 25_500.0
    assert np.isnan(usual_level(exposure(901), image_type="FLAT", filter="g"))


def test_a_camera_of_many_detectors_takes_no_more_queries_than_one() -> None:
    past(25_000.0)
    now = exposure(900)
    with CaptureQueriesContext(
        connection,
    ) as one:
        usual(now, [DETECTOR], "overscan_level")
    with CaptureQueriesContext(connection) as many:
        usual(now, MINICAM.detectors, "overscan_level", "read_noise_adu")
    assert len(one) == len(many) == 4


def note(subject: str, at: datetime, **fields: object) -> None:
    Note.objects.create(
        subject=subject, kind="INTERVENTION", text="cable changed", author="m", day_obs=DAY, happened_at=at, **fields
    )
