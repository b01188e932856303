"""Starting a search: its window, deadline, reference epoch and tasks, and refusals in words."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.models import Event, Run, Task
from dayops.observing_day import ObservingDay
from mops.models import KeptArrays, Night
from mops.pipeline.configuration import USUAL, configuration
from mops.pipeline.start import STAGES, deadline, reference_epoch, start, window
from tests.mops import nights

WANTED = configuration(USUAL)
DAY = 20261121
some_days = st.dates(date(1995, 1, 1), date(2095, 1, 1)).map(lambda day: ObservingDay.parse(f"{day:%Y%m%d}"))


@pytest.mark.parametrize(
    ("last", "first"),
    [(20260315, 20260301), (20260310, 20260224), (20240310, 20240225), (20270107, 20261224), (20000301, 20000216)],
)
def test_a_window_goes_over_the_ends_of_months_and_years(last, first):
    days = window(last, WANTED)
    assert (days[0], days[-1], len(days)) == (first, last, 15)


@given(some_days, st.integers(3, 30))
def test_a_window_is_of_as_many_nights_as_wanted_one_after_another(day, nights):
    days = [ObservingDay(each) for each in window(day.day_obs, configuration(USUAL, {"window_nights": nights}))]
    assert len(days) == nights
    assert days[-1] == day
    assert all(later.date - sooner.date == timedelta(days=1) for sooner, later in pairwise(days))


@given(some_days, st.integers(3, 30))
def test_the_reference_epoch_is_the_middle_of_the_window(day, nights):
    epoch = reference_epoch(day, configuration(USUAL, {"window_nights": nights}))
    last_midnight = (day.date - date(1858, 11, 17)).days + 1
    assert epoch == pytest.approx(last_midnight - (nights - 1) / 2, abs=1e-3)
    assert epoch > last_midnight - (nights - 1) / 2  # TDB is ahead of TAI


def test_a_result_is_due_a_day_after_the_end_of_the_night():
    assert deadline(ObservingDay(DAY)) - ObservingDay(DAY).sunrise == timedelta(hours=24)


def started(**options) -> Run:
    return start(DAY, requested_by="otto", **options)


@pytest.mark.django_db
class TestStarted:
    def test_a_search_has_all_stages_and_a_task_a_night_and_a_block(self):
        run = started()
        by_stage = {stage: list(Task.objects.filter(run=run, stage=stage)) for stage in STAGES}
        assert {stage: len(tasks) for stage, tasks in by_stage.items()} == {
            "attribute": 1, "tracklets": 15, "link": WANTED.blocks, "purify": 1, "publish": 1, "report": 1,
        }  # fmt: skip
        assert [task.arguments["day_obs"] for task in by_stage["tracklets"]] == window(DAY, WANTED)
        assert {task.arguments["block"] for task in by_stage["link"]} == set(range(WANTED.blocks))
        assert {task.function for task in Task.objects.filter(run=run)} == {f"mops.{stage}" for stage in STAGES}

    def test_a_search_belongs_to_the_daytime_after_its_night(self):
        run = started()
        assert run.day_obs == 20261122
        assert run.deadline == deadline(ObservingDay(DAY))
        assert run.subject == f"night:{run.night.pk}"

    def test_the_night_keeps_its_configuration_whole(self):
        night = started(changes={"window_nights": 20}).night
        assert night.parameters == configuration(USUAL, {"window_nights": 20}).parameters
        assert night.reference_mjd_tdb == reference_epoch(
            ObservingDay(DAY), configuration(USUAL, {"window_nights": 20})
        )
        assert night.state == Night.State.MAKING

    def test_who_started_it_is_told(self):
        event = Event.objects.get(kind="mops.night.started", subject=f"night:{started().night.pk}")
        assert event.actor == "otto"
        assert "2026-11-21" in event.text

    def test_a_trial_is_called_so(self):
        run = started(trial=True)
        assert run.title.startswith("Try the night 2026-11-21")
        assert run.night.trial

    def test_tracklets_that_are_kept_are_not_made_again_except_the_nights_own(self):
        older = nights.night(20261120)
        for day in (20261119, 20261120, DAY):
            KeptArrays.objects.create(
                night=older,
                kind="tracklets",
                day_obs=day,
                rows=1,
                sha256="a" * 64,
                size=1,
                made_with=WANTED.of_tracklets,
            )
        made = Task.objects.filter(run=started(), stage="tracklets").values_list("arguments__day_obs", flat=True)
        assert sorted(made) == [day for day in window(DAY, WANTED) if day not in (20261119, 20261120)]

    def test_tracklets_of_other_limits_are_made_anew(self):
        KeptArrays.objects.create(
            night=nights.night(20261120), kind="tracklets", day_obs=20261120, rows=1, sha256="a" * 64, size=1,
            made_with=WANTED.of_tracklets,
        )  # fmt: skip
        run = started(changes={"tracklet_max_hours": 1.0})
        assert Task.objects.filter(run=run, stage="tracklets").count() == 15

    def test_the_same_key_gives_the_same_run_and_no_second_night(self):
        assert started(key="button").pk == started(key="button").pk
        assert Night.objects.count() == 1

    def test_without_a_key_each_is_a_search_of_its_own_with_a_later_instant(self):
        one, other = started().night, started().night
        assert one.as_of_mjd_tai < other.as_of_mjd_tai

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"configuration_name": "best"}, "There is no configuration 'best': expected usual"),
            ({"changes": {"window_nights": 31}}, "window_nights is 31: expected 3 to 30"),
            ({"changes": {"speed": 9}}, "'speed' cannot be set: expected"),
            ({"changes": {"minimum_reliability": float("nan")}}, "minimum_reliability is "),
        ],
    )
    def test_what_is_not_allowed_is_refused_in_words_and_leaves_nothing(self, options, words):
        with pytest.raises(ValueError, match=words):
            started(**options)
        assert not Run.objects.exists()
        assert not Night.objects.exists()

    def test_what_is_no_night_is_refused_in_words(self):
        with pytest.raises(ValueError, match="20261131 is not a dayObs: expected a date as YYYYMMDD"):
            start(20261131, requested_by="otto")
        assert not Run.objects.exists()
