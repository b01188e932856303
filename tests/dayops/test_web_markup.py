"""How values look: status, instants, numbers, spans of time."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from dayops.models import Attempt, FrameState, Phase
from dayops.web import markup

AT = datetime(2026, 11, 22, 23, 21, 7, tzinfo=UTC)
SPRITE = Path(settings.BASE_DIR) / "static" / "icons.svg"


def plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html).replace(markup.THIN, " ")


def test_a_status_is_colour_icon_and_word():
    html = markup.status("LATE", "due at 14:00")
    assert 'class="status status-late"' in html
    assert 'icons.svg#late"' in html
    assert plain(html) == "LATE"
    assert 'title="due at 14:00"' in html


def test_a_status_without_a_look_of_its_own_is_quiet_and_escaped():
    assert "status-none" in markup.status("<b>?")
    assert plain(markup.status("<b>?")) == "&lt;b&gt;?"


def test_no_run_is_spelled_out():
    assert plain(markup.status("NONE")) == "no run yet"


@pytest.mark.parametrize("word", [*Phase.values, *FrameState.values, *Attempt.Outcome.values])
def test_every_word_of_the_database_has_a_look(word):
    assert word in markup.LOOKS


@pytest.mark.parametrize("look", sorted({*markup.LOOKS.values(), "none"}))
def test_every_look_has_its_own_icon(look):
    assert SPRITE.read_text().count(f'id="{look}"') == 1


def test_an_instant_shows_utc_and_knows_chile_and_tai():
    html = markup.instant(AT)
    assert plain(html) == "2026-11-22 23:21:07"
    assert "20:21:07 -03 Chile" in html
    assert "23:21:44 TAI" in html
    assert 'datetime="2026-11-22T23:21:07+00:00"' in html


@pytest.mark.parametrize(("form", "text"), [("time", "23:21:07"), ("minute", "23:21")])
def test_an_instant_may_be_shorter(form, text):
    assert plain(markup.instant(AT, form)) == text


def test_chile_changes_its_clocks_and_we_follow():
    assert "-04 Chile" in markup.instant(datetime(2026, 7, 1, tzinfo=UTC))


def test_the_leap_second_of_2016_is_counted_from_its_date():
    assert markup.tai_seconds(date(2016, 12, 31)) == timedelta(seconds=36)
    assert markup.tai_seconds(date(2017, 1, 1)) == timedelta(seconds=37)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.1234567, "5.123"),
        (1234.5678, "1 235"),
        (1_234_567, "1 234 567"),
        (0, "0"),
        (0.0, "0"),
        (-0.25, "−0.2500"),
        (9.99999, "10.00"),
        (0.0001234, "0.0001234"),
        (1.5e-7, "1.500×10⁻⁷"),
        (-2.0e12, "−2.000×10¹²"),
        (3_024, "3 024"),
        (1.7976e308, "1.798×10³⁰⁸"),
    ],
)
def test_a_number_has_four_significant_digits(value, text):
    assert plain(markup.number(value)) == text


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash(value):
    assert markup.number(value, "e⁻") == "–"


def test_a_number_carries_its_unit_and_its_full_value():
    html = markup.number(5.1234567, "e⁻", 3)
    assert plain(html) == "5.12 e⁻"
    assert 'title="5.1234567"' in html


@given(st.floats(-1e300, 1e300))
def test_the_shown_digits_are_the_numbers_own(value):
    text = markup.format_number(value).replace(markup.THIN, "").replace(markup.MINUS, "-")
    mantissa, _, exponent = text.partition("×10")
    power = int(exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
    assert float(f"{mantissa}e{power}") == pytest.approx(value, rel=6e-4, abs=0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.351, "0.35 s"),
        (42, "42 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (timedelta(hours=2, minutes=5), "2 h 05 min"),
        (100_000, "1 d 3 h"),
        (-42, "−42 s"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_span_of_time_has_two_units(value, text):
    assert plain(markup.duration(value)) == text
