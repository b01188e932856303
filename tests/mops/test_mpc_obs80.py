"""80-column records: published forms are read, good ones come back, malformed ones are listed with a reason."""

import re
from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.mpc.designations import Designation
from mops.mpc.obs80 import read_obs80, write_obs80
from mops.science.constants import AU_KM
from tests.mops.mpc_observations import LINE, names, observations, observed, same

SATELLITE = (
    "00003         S2010 12 18.12130 11 38 46.86 -02 09 57.7                L~0QlLC51\n"
    "00003         s2010 12 18.12130 1 - 6861.8061 +  799.8571 -  145.9541   ~0QlLC51\n"
)
ROVING = (
    "00009         V2000 08 01.00791 21 06 23.89 -25 09 14.4          10.0 R b8524247\n"
    "00009         v2000 08 01.00791 1 008.4545   +47.0285     617           b8524247\n"
)
RADAR = (
    "00007         R1980 10 01.119444  94121382600                  2380 251 JPLRS251\n"
    "00007         r1980 10 01.119444S       140000                      251 JPLRS251\n"
)


def only(text):
    reading = read_obs80(text)
    assert not reading.refused
    (observation,) = reading.observations
    return observation


def reason(text):
    reading = read_obs80(text)
    assert not reading.observations
    (refusal,) = reading.refused
    return refusal.reason


def with_columns(first, text, line=LINE):
    """`line` with `text` from column `first` on, which counts from 1."""
    return line[: first - 1] + text + line[first - 1 + len(text) :]


def test_a_record_is_read_column_by_column():
    row = only(LINE)
    assert row.name == Designation(provisional="2026 GA1")
    assert (row.station, row.utc, row.mode) == ("X05", "2026 04 05.127843", "CCD")
    assert row.mjd_utc == pytest.approx(61135.127843, abs=1e-9)
    assert row.ra == pytest.approx(225.123458333, abs=1e-8)
    assert row.dec == pytest.approx(-5.876544444, abs=1e-8)
    assert (row.mag, row.band, row.astrometric_catalogue) == (22.35, "r", "Gaia3")
    assert isnan(row.rms_ra) and row.place_km is None


@pytest.mark.parametrize(
    ("line", "name", "ra"),
    [
        ("00001         A1801 01 01.82630 03 38 23.07 +16 17 25.5                 MC004535", "1", 54.596125),
        ("00005         A1948 11 06.8549  01 15.0     -00 00               10.2   CK004094", "5", 18.75),
        ("08359         E2005 03 16.93713609 41 09.813+27 06 13.38                v4600244", "8359", 145.290888),
        ("0073P     bc  C2006 05 06.00281 18 19 25.53 +32 03 49.6                c56788246", "73P-BC", 274.856375),
    ],
)
def test_published_records_of_every_precision_are_read(line, name, ra):
    row = only(line)
    assert row.name.name == name
    assert row.ra == pytest.approx(ra, abs=1e-5)


def test_a_record_that_was_replaced_is_refused():
    line = "00019J02U00G* X1902 10 25.98085 03 37.9     +18 49               10     AN160024"
    assert "replaced by a better measurement" in reason(line)


@given(names, observations())
@settings(max_examples=200)
def test_a_record_comes_back_to_the_formats_precision(name, row):
    row = observed(
        name=name, mjd_utc=row.mjd_utc, ra=row.ra, dec=row.dec, mag=row.mag, band=row.band, station=row.station
    )
    back = only(write_obs80([row]))
    assert back.name == name
    assert back.station == row.station
    assert abs(back.mjd_utc - row.mjd_utc) < 0.51e-6
    assert abs((back.ra - row.ra + 180) % 360 - 180) < 0.51 * 0.015 / 3600
    assert abs(back.dec - row.dec) < 0.51 * 0.01 / 3600
    assert same(back.mag, row.mag, 0.0051)


@given(observations())
@settings(max_examples=100)
def test_what_was_read_is_written_as_it_was(row):
    text = write_obs80([row])
    assert write_obs80(read_obs80(text).observations) == text
    assert all(len(line) == 80 for line in text.splitlines())


def test_headers_and_blank_lines_are_no_observations():
    text = f"COD X05\nOBS B. Observer\nTEL 8.4-m reflector + CCD\nACK MPCReport\n\n{LINE}\n----- end -----\n"
    assert only(text).line == 6


def test_lines_that_end_as_on_windows_are_read():
    assert len(read_obs80(f"{LINE}\r\n{LINE}\r\n").observations) == 2


def test_a_satellite_is_read_with_its_place():
    row = only(SATELLITE)
    assert row.station == "C51"
    assert row.place_km == (-6861.8061, 799.8571, -145.9541)


def test_a_satellites_place_in_au_becomes_km():
    text = SATELLITE.replace("1 - 6861.8061 +  799.8571 -  145.9541", "2 -0.00266005 -0.00945127 -0.00507492")
    assert only(text).place_km == pytest.approx((-0.00266005 * AU_KM, -0.00945127 * AU_KM, -0.00507492 * AU_KM))


def test_a_satellite_with_its_place_comes_back():
    row = only(SATELLITE)
    text = write_obs80([row])
    assert len(text.splitlines()) == 2
    assert only(text).place_km == row.place_km


def test_a_satellite_without_its_place_is_refused():
    assert "second line with the satellite's place is missing" in reason(SATELLITE.splitlines()[0])
    assert "WISE" in reason(with_columns(78, "C51"))


def test_a_second_line_that_belongs_to_nothing_is_refused():
    assert "second line of an observation" in reason(SATELLITE.splitlines()[1])


def test_the_second_line_of_another_object_is_not_taken():
    first, second = SATELLITE.splitlines()
    reading = read_obs80(f"{first}\n{second.replace('00003', '00004')}\n")
    assert [refusal.line for refusal in reading.refused] == [1, 2]


@pytest.mark.parametrize(("text", "word"), [(ROVING, "roving observer's"), (RADAR, "radar observation")])
def test_roving_observers_and_radar_are_recognised_and_refused_once(text, word):
    assert word in reason(text)


def test_a_satellites_offset_is_refused():
    assert "offset from its planet" in reason(with_columns(15, "O"))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (LINE[:-1], "79 columns instead of 80"),
        (LINE + "X", "81 columns instead of 80"),
        (with_columns(1, " " * 12), "columns 1–12 are blank"),
        (with_columns(6, "K26 01A"), "no designation"),
        (with_columns(13, "?"), "only \\* and \\+ mark a discovery"),
        (with_columns(15, "?"), "no way of observing"),
        (with_columns(16, "2026 13 05"), "does not exist"),
        (with_columns(16, "2026a04 05"), "is not of the form 'YYYY MM DD.ddddd'"),
        (with_columns(33, "25 00 29.630"), "beyond 23 59 59.999"),
        (with_columns(45, " 05 52 35.56"), "s is"),
        (with_columns(66, "2x.35"), "magnitude '2x.35'"),
        (with_columns(71, "?"), "the band '\\?'"),
        (with_columns(78, "ZZZ"), "'ZZZ' is no observatory code"),
        (with_columns(30, "\t"), "tab"),
        (with_columns(16, "２０２６"), "is not of the form"),
    ],
)
def test_a_malformed_line_says_what_is_wrong_and_the_others_are_read(line, word):
    reading = read_obs80(f"{LINE}\n{line}\n{LINE}\n")
    assert [row.line for row in reading.observations] == [1, 3]
    (refusal,) = reading.refused
    assert refusal.line == 2
    assert re.search(word, refusal.reason)


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ("3 - 6861.8061 +  799.8571 -  145.9541", "unit '3'"),
        ("1   6861.8061 +  799.8571 -  145.9541", "no signed number"),
        ("1 -    0.0000 +    0.0000 -    0.0000", "Earth's centre"),
        ("2 -   99.0000 +   99.0000 -    0.0000", "beyond 100 au"),
    ],
)
def test_a_satellites_place_without_sense_is_refused(columns, word):
    assert word in reason(SATELLITE.replace("1 - 6861.8061 +  799.8571 -  145.9541", columns))


@given(st.integers(0, 79), st.characters(min_codepoint=32, max_codepoint=126))
@settings(max_examples=300)
def test_one_wrong_character_never_raises_and_never_costs_another_line(column, character):
    line = with_columns(column + 1, character)
    reading = read_obs80(f"{LINE}\n{line}\n{LINE}\n")
    lines = {row.line for row in reading.observations}
    assert {1, 3} <= lines
    assert len(reading.observations) + len(reading.refused) == 3


@given(st.text(max_size=300))
@settings(max_examples=200)
def test_no_text_raises(text):
    reading = read_obs80(text)
    assert all(refusal.line >= 1 and len(refusal.reason) > 10 for refusal in reading.refused)


@pytest.mark.parametrize("changes", [{"mag": 100.0}, {"place_km": (1e6, 0.0, 0.0)}])
def test_what_does_not_fit_the_columns_is_not_written(changes):
    with pytest.raises(ValueError, match="does not fit"):
        write_obs80([observed(**changes)])
