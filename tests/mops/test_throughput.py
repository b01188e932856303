"""The arithmetic of the throughput debt: whatever nights there were, the gauge is their mean and says what it means."""

import json
import math
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.observing_day import ObservingDay
from mops.plots.steps import debt_figure
from mops.throughput import LIMIT_H, NIGHTS, Debt, Delay, debt
from mops.views.night import month_sentence
from tests.mops.nights import DAY, night

LAST = ObservingDay(DAY)
HOURS = st.floats(0, 24 * NIGHTS)
DELAYS = st.lists(st.tuples(HOURS, st.booleans()), max_size=NIGHTS)


def month(delays: list[tuple[float, bool]]) -> Debt:
    """The newest first, one for each day before `LAST`."""
    found, day = [], LAST
    for hours, is_published in delays:
        found.append(Delay(day, hours, is_published, "" if is_published else "its search has not begun"))
        day = day.previous
    return Debt(LAST, found)


@given(DELAYS)
def test_the_mean_is_the_sum_of_all_hours_over_all_nights(delays):
    found = month(delays)
    if not delays:
        assert found.mean_h is None
    else:
        assert found.mean_h == pytest.approx(math.fsum(hours for hours, _ in delays) / len(delays))


@given(DELAYS)
def test_every_night_is_published_or_waits_and_those_that_wait_keep_their_order(delays):
    found = month(delays)
    assert found.published + len(found.backlog) == len(delays)
    assert [delay.day.day_obs for delay in found.backlog] == sorted(
        (delay.day.day_obs for delay in found.backlog), reverse=True
    )
    assert all(delay.why and not delay.is_published for delay in found.backlog)


@given(DELAYS)
def test_the_word_is_late_exactly_above_the_limit_and_warns_of_a_backlog_below(delays):
    found = month(delays)
    mean = math.fsum(hours for hours, _ in delays) / len(delays) if delays else math.nan
    expected = "WARN" if any(not is_published for _, is_published in delays) else "OK"
    if not delays:
        expected = "NONE"
    elif mean > LIMIT_H:
        expected = "LATE"
    assert found.word == expected


@given(DELAYS.filter(len))
def test_the_sentence_says_the_numbers_and_on_which_side_of_the_limit_they_are(delays):
    found = month(delays)
    said = month_sentence(found)
    assert said.startswith(f"{found.published} of {len(delays)} nights")
    assert f"on average {found.mean_h:.1f} h" in said
    assert (" within the 24 h." in said) == (found.word != "LATE")


@given(DELAYS.filter(len))
def test_a_night_that_is_published_sooner_never_makes_the_month_worse(delays):
    (hours, is_published), *others = delays
    better = month([(hours / 2, is_published), *others])
    before = month(delays)
    assert better.mean_h is not None
    assert before.mean_h is not None
    assert better.mean_h <= before.mean_h * (1 + 1e-12)


@given(DELAYS)
def test_the_figure_has_one_bar_for_each_night_and_the_limit_and_the_mean_drawn(delays):
    figure = json.loads(debt_figure(month(delays)).to_json())
    bars = [day for trace in figure["data"] for day in trace["x"]]
    assert sorted(bars) == sorted(str(delay.day) for delay in month(delays).delays)
    notes = [each["text"] for each in figure["layout"]["annotations"]]
    assert "24 h on average" in notes
    assert len(notes) == (2 if delays else 1)
    assert figure["layout"]["yaxis"]["title"]["text"] == "hours to publication"


def test_exactly_the_limit_is_not_late():
    assert month([(LIMIT_H, True)]).word == "OK"
    assert not Delay(LAST, LIMIT_H, True).is_late
    assert Delay(LAST, math.nextafter(LIMIT_H, 25), True).is_late


def test_the_month_has_thirty_nights_with_its_last():
    found = month([])
    assert (str(found.first), str(found.last)) == ("2026-10-24", "2026-11-22")
    assert (found.last.date - found.first.date).days + 1 == NIGHTS


@pytest.mark.django_db
class TestOfNights:
    def at(self, hours: float) -> datetime:
        return LAST.sunrise + timedelta(hours=hours)

    def test_the_first_and_the_last_night_of_the_month_count_and_no_other(self):
        night(20261123, hours=1)
        night(DAY, hours=2)
        night(20261024, hours=4)
        night(20261023, hours=8)
        assert [delay.hours for delay in debt(LAST, self.at(900)).delays] == pytest.approx([2, 4], abs=1e-6)

    def test_what_was_published_before_the_night_ended_took_no_time(self):
        night(hours=-3)
        assert debt(LAST, self.at(5)).mean_h == 0

    def test_of_several_searches_the_first_that_was_published_counts_whatever_came_between(self):
        hours = [40.0, 12.0, 26.0]
        for each in hours:
            night(state="REPLACED", hours=each)
        night(state="REFUSED", hours=1)
        night(hours=70)
        (delay,) = debt(LAST, self.at(100)).delays
        assert delay.hours == pytest.approx(min(hours))
        assert delay.is_published

    @pytest.mark.parametrize(
        ("states", "why"),
        [
            (["MAKING"], "its search is under way"),
            (["REFUSED"], "its search was refused: see to it"),
            (["REFUSED", "MAKING"], "its search is under way"),
            (["MAKING", "REFUSED"], "its search was refused: see to it"),
        ],
    )
    def test_a_night_that_waits_says_what_its_newest_search_waits_for(self, states, why):
        for state in states:
            night(state=state)
        (delay,) = debt(LAST, self.at(9)).backlog
        assert delay.why == why
        assert delay.hours == pytest.approx(9)

    def test_a_refused_night_that_has_a_published_search_does_not_wait(self):
        night(hours=3)
        night(state="REFUSED", hours=9)
        (delay,) = debt(LAST, self.at(20)).delays
        assert (delay.is_published, delay.why) == (True, "")
        assert delay.hours == pytest.approx(3)

    def test_a_month_of_nights_has_their_mean_though_one_took_days(self):
        hours = [7.0 + k / 10 for k in range(NIGHTS)]
        hours[11] = 300.0
        day = LAST
        for each in hours:
            night(day.day_obs, hours=each)
            day = day.previous
        found = debt(LAST, datetime(2027, 1, 1, tzinfo=UTC))
        assert found.mean_h is not None
        assert found.mean_h == pytest.approx(sum(hours) / NIGHTS)
        assert found.word == "OK"
        assert sum(delay.is_late for delay in found.delays) == 1
        assert found.mean_h > median(hours)
