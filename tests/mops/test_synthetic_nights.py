"""Nights of a synthetic sky appear all at once, with their truth, and once."""

import pytest

from dayops.level1 import loading
from dayops.level1.models import DiaSource, Visit
from dayops.level1.partitioning import nights_of
from mops.models import SyntheticTruth
from mops.pipeline import kept
from tests.mops.searched import LAST, NIGHTS, SKY, load
from tests.work import another_session

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = [20261118, 20261119, 20261120, 20261121]


def test_no_search_can_begin_between_two_nights_of_one_load(monkeypatch):
    seen = []
    load_columns = loading.load_columns

    def looked_at_meanwhile(*args, **words):
        loaded = load_columns(*args, **words)
        with another_session() as other:
            seen.append(other.execute('SELECT count(*) FROM "DiaSource"').fetchone())
        return loaded

    monkeypatch.setattr(loading, "load_columns", looked_at_meanwhile)
    rows = load()
    assert seen == [(0,)] * NIGHTS
    assert DiaSource.objects.count() == rows > 0
    assert nights_of("DiaSource") == DAYS


def test_every_night_has_its_visits_and_the_truth_of_each_detection():
    load()
    assert list(SyntheticTruth.objects.order_by("day_obs").values_list("day_obs", flat=True)) == DAYS
    for truth in SyntheticTruth.objects.all():
        arrays = kept.get(truth.sha256)
        ids = DiaSource.objects.filter(night=truth.day_obs).values_list("diaSourceId", flat=True)
        assert set(arrays["id"].tolist()) == set(ids)
        assert len(arrays["truth"]) == truth.rows
        assert arrays["truth"].min() >= -1
        assert arrays["truth"].max() < SKY.objects
        assert Visit.objects.filter(night=truth.day_obs).count() == 18


def test_the_same_nights_again_change_nothing():
    rows = load()
    sums = set(SyntheticTruth.objects.values_list("sha256", "population_sha256"))
    assert load() == 0
    assert DiaSource.objects.count() == rows
    assert set(SyntheticTruth.objects.values_list("sha256", "population_sha256")) == sums


def test_a_night_that_was_left_out_comes_later_and_alone():
    load(leave_out=(LAST,))
    before = set(DiaSource.objects.values_list("diaSourceId", flat=True))
    later = load()
    after = DiaSource.objects.exclude(diaSourceId__in=before)
    assert later == after.count() > 0
    assert set(after.values_list("night", flat=True)) == {LAST}
    assert len(set(SyntheticTruth.objects.values_list("population_sha256", flat=True))) == 1, "one sky"
