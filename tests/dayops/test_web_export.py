"""CSV, JSON and FITS: what leaves DayOps can be read back, and harms no spreadsheet."""

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from dayops.web.export import export, guarded, wanted_format

FIELDS = ["name", "value"]


def text_of(response) -> str:
    return str(response.getvalue(), "utf-8")


def json_of(rows) -> Any:
    return json.loads(text_of(export("json", "t", FIELDS, rows)))


def csv_of(rows) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text_of(export("csv", "t", FIELDS, rows)))))


def fits_of(rows) -> Any:
    """The table's columns by name, read back by astropy after its own verification."""
    with fits.open(io.BytesIO(export("fits", "t", FIELDS, rows).getvalue())) as found:
        found.verify("exception")
        return {name: found[1].data[name].tolist() for name in FIELDS}


@pytest.mark.parametrize(
    ("query", "form"),
    [("format=csv", "csv"), ("format=json", "json"), ("format=fits", "fits"), ("format=exe", None), ("", None)],
)
def test_only_known_formats_are_exports(rf, query, form):
    assert wanted_format(rf.get(f"/?{query}")) == form


def test_csv_begins_with_the_names_of_the_columns():
    assert csv_of([("a", 1), ("b", 2.5)]) == [["name", "value"], ["a", "1"], ["b", "2.5"]]


def test_a_table_without_rows_is_still_valid():
    assert json_of([]) == []
    assert csv_of([]) == [FIELDS]


def test_what_is_not_a_number_is_null():
    assert json_of([("a", float("nan")), ("b", float("inf")), ("c", None)]) == [
        {"name": name, "value": None} for name in "abc"
    ]


def test_instants_and_durations_are_plain():
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert json_of([(at, timedelta(minutes=2))]) == [{"name": "2026-11-22T12:00:00+00:00", "value": 120.0}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_guarded(text):
    assert csv_of([(text, 0)])[1][0] == f"'{text}"


def test_a_negative_number_is_not_text_and_stays_a_number():
    assert csv_of([("a", -1.5)])[1][1] == "-1.5"


@given(st.text())
def test_guarding_never_leaves_a_formula_and_never_loses_text(text):
    safe = guarded(text)
    assert safe.endswith(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.none())))
def test_json_gives_back_what_was_put_in(rows):
    assert [(row["name"], row["value"]) for row in json_of(rows)] == rows


def test_rows_are_streamed_and_not_gathered():
    def endless() -> Iterator[tuple[str, int]]:
        while True:
            yield ("a", 1)

    response = export("csv", "t", FIELDS, endless())
    assert next(iter(response)) == b"name,value\r\n"


def test_a_name_cannot_break_out_of_the_header():
    response = export("csv", 'a"; filename="x\r\nSet-Cookie: a', FIELDS, [])
    assert response["Content-Disposition"] == 'attachment; filename="a---filename--x--Set-Cookie--a.csv"'


def test_fits_keeps_whole_numbers_whole_and_text_as_text():
    assert fits_of([("C10", 3), ("C1", 2**40)]) == {"name": ["C10", "C1"], "value": [3, 2**40]}


def test_a_gap_in_fits_is_not_a_number():
    first, second = fits_of([("a", 1), ("b", None)])["value"]
    assert first == 1.0
    assert math.isnan(second)


def test_an_instant_in_fits_is_iso_text():
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert fits_of([("a", at)])["value"] == ["2026-11-22T12:00:00+00:00"]


def test_letters_that_fits_does_not_know_are_question_marks():
    assert fits_of([("5–95 %", 1)])["name"] == ["5?95 %"]


def test_a_table_without_rows_is_a_fits_table_too():
    assert fits_of([]) == {"name": [], "value": []}


number_or_gap = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70) | st.none()


@given(st.lists(st.tuples(st.just("a"), number_or_gap)))
def test_fits_gives_back_every_number(rows):
    back = fits_of(rows)["value"]
    assert len(back) == len(rows)
    for found, (_, put) in zip(back, rows, strict=True):
        assert math.isnan(found) if put is None else found == put or found == pytest.approx(float(put))
