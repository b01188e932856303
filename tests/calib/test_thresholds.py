"""Which limits are in force: the most particular row of the right time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from calib.models import Threshold
from calib.science.checks import CHECKS, CheckDefinition
from calib.science.judgement import Limits
from calib.science.metrics import METRICS, MetricDefinition
from calib.thresholds import in_force

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def threshold(metric: str = "test_metric", **fields: Any) -> Threshold:
    usual = {"warn_high": 1.0, "error_high": 2.0, "valid_from": NOW - timedelta(days=1), "author": "sofia"}
    return Threshold.objects.create(metric=metric, reason="a test", **{**usual, **fields})


def limits(camera: str = "minicam", image_type: str = "BIAS", at: datetime = NOW) -> Limits | None:
    found = in_force(camera, image_type, at).get("test_metric")
    return found.limits if found else None


def test_a_metric_without_a_row_has_no_limits() -> None:
    assert limits() is None


def test_a_row_for_any_camera_and_type_counts_for_all() -> None:
    threshold()
    assert limits() == limits("lsstcam", "FLAT") == Limits(None, None, 1.0, 2.0)


@pytest.mark.parametrize(
    ("camera", "image_type", "expected"),
    [("minicam", "BIAS", 13.0), ("minicam", "FLAT", 12.0), ("latiss", "BIAS", 11.0), ("latiss", "FLAT", 10.0)],
)
def test_the_most_particular_row_counts(camera: str, image_type: str, expected: float) -> None:
    threshold(warn_high=10.0, error_high=20.0)
    threshold(warn_high=11.0, error_high=20.0, image_type="BIAS")
    threshold(warn_high=12.0, error_high=20.0, camera="minicam")
    threshold(warn_high=13.0, error_high=20.0, camera="minicam", image_type="BIAS")
    found = limits(camera, image_type)
    assert found is not None
    assert found.warn_high == expected


def test_a_row_counts_from_its_first_to_its_last_moment_only() -> None:
    threshold(valid_from=NOW - timedelta(hours=2), valid_until=NOW)
    assert limits(at=NOW - timedelta(hours=3)) is None
    assert limits(at=NOW - timedelta(hours=2)) is not None
    assert limits(at=NOW) is None


def test_a_replaced_row_leaves_the_past_as_it_was() -> None:
    threshold(valid_from=NOW - timedelta(days=9), valid_until=NOW - timedelta(hours=1), warn_high=1.5)
    threshold(valid_from=NOW - timedelta(hours=1), warn_high=1.0)
    before, after = limits(at=NOW - timedelta(days=2)), limits()
    assert before is not None
    assert after is not None
    assert (before.warn_high, after.warn_high) == (1.5, 1.0)


def test_two_rows_cannot_be_in_force_for_the_same_thing() -> None:
    threshold()
    with pytest.raises(IntegrityError, match="threshold_one_in_force"), transaction.atomic():
        threshold()


@pytest.mark.parametrize("wrong", [{"warn_high": 3.0, "error_high": 2.0}, {"warn_low": 1.0, "error_low": 2.0}])
def test_an_error_limit_inside_the_warning_limit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="threshold_in_order"), transaction.atomic():
        threshold(**wrong)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_and_its_starting_limits_are_written_down(metric: MetricDefinition) -> None:
    page = (settings.BASE_DIR / "docs" / "quality.md").read_text()
    assert f"`{metric.name}`" in page
    for row in Threshold.objects.filter(metric=metric.name, author="DayOps"):
        for limit in (row.error_low, row.warn_low, row.warn_high, row.error_high):
            assert limit is None or f"{limit:,.10g}".replace("-", "−") in page, (row, limit)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_and_its_starting_limits_are_written_down(check: CheckDefinition) -> None:
    page = (settings.BASE_DIR / "docs" / "quality.md").read_text()
    assert f"| `{check.name}` | {check.unit} | {check.description}" in page
    for row in Threshold.objects.filter(metric=check.name, author="DayOps"):
        for limit in (row.error_low, row.warn_low, row.warn_high, row.error_high):
            assert limit is None or f"{limit:,.10g}".replace("-", "−") in page, (row, limit)


def test_the_starting_rows_each_say_why() -> None:
    rows = Threshold.objects.filter(author="DayOps")
    assert rows.count() >= 9
    assert all(len(row.reason) > 10 for row in rows)
