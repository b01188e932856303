"""What leaves DayMOPS' tables and figures: read again as CSV, JSON and FITS, and as Plotly's JSON with its units."""

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from mops.models import Linkage, Submission
from mops.views.queue import CANDIDATES as TABLE
from tests.calib.plotly_json import numbers
from tests.mops.in_level1 import OBJECT, detected, known_object
from tests.mops.nights import COUNTS, TRUTH, linkage, night, reviewed
from tests.mops.test_pages_candidates import exported
from tests.mops.test_pages_night import page
from tests.mops.test_pages_others import PREDICTED, report
from tests.people import client_of

pytestmark = pytest.mark.django_db

DAY_PAGE = "/2026-11-22/mops/"
CANDIDATES = f"{DAY_PAGE}candidates/"
Row = Mapping[str, Any]


def csv_rows(path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page(path).getvalue().decode())))


def fits_rows(path: str) -> tuple[list[str], Any]:
    with fits.open(io.BytesIO(page(path).content)) as file:
        return list(file[1].columns.names), np.array(file[1].data)


def filled() -> Linkage:
    made = night(counts={**COUNTS, "tonight": PREDICTED}, truth=TRUTH)
    one = linkage(made, ss_object_id=OBJECT)
    detected(one)
    known_object(of=one)
    linkage(made, verdict="REFUSED", a_au=None, e=None, orbit_class="")
    reviewed(linkage(made, orbit_class="NEO", a_au=1.4, hypothesis={"zone": "neo"}))
    report(one)
    report(linkage(made), "WRITTEN")
    return one


def same(cell: Any, text: str) -> bool:
    """A cell of the JSON and the one of the CSV, whose gaps are empty."""
    if cell is None:
        return text == ""
    return float(text) == cell if isinstance(cell, int | float) else text.removeprefix("'") == cell


PLACES = ("", "candidates/", "candidates/{one}/", "objects/", f"objects/{OBJECT}/", "hypotheses/", "tonight/",
          "submissions/")  # fmt: skip


class TestExports:
    @pytest.mark.parametrize("place", PLACES)
    def test_hold_the_same_in_all_three_forms(self, place):
        path = f"{DAY_PAGE}{place.format(one=filled().pk)}"
        rows = exported(path)
        assert rows
        of_csv = csv_rows(f"{path}?format=csv")
        names, of_fits = fits_rows(f"{path}?format=fits")
        assert names == list(rows[0]) == list(of_csv[0])
        assert len(of_fits) == len(of_csv) == len(rows)
        for row, line in zip(rows, of_csv, strict=True):
            assert all(same(row[name], line[name]) for name in names), (row, line)
        for name in names:
            cells = [row[name] for row in rows]
            if all(isinstance(cell, int | float) for cell in cells):
                assert of_fits[name].tolist() == cells, name

    def test_have_every_row_and_not_only_those_of_the_page(self):
        made = night()
        for _ in range(TABLE.page_size + 3):
            linkage(made)
        assert len(page(CANDIDATES).context["table"].page) == TABLE.page_size
        assert len(exported(f"{CANDIDATES}?page=2")) == TABLE.page_size + 3

    def test_keep_what_was_filtered_searched_and_sorted(self):
        filled()
        path = f"{CANDIDATES}?verdict=ACCEPTED&q=MBA&sort=-candidate"
        found = [row["candidate"] for row in exported(path)]
        assert found == sorted(Linkage.objects.filter(orbit_class="MBA").values_list("pk", flat=True), reverse=True)[:2]
        assert [int(row["candidate"]) for row in csv_rows(f"{path}&format=csv")] == found
        assert fits_rows(f"{path}&format=fits")[1]["candidate"].tolist() == found

    def test_are_named_for_what_they_hold(self):
        one = filled()
        for place, name in (("candidates/", "candidates-2026-11-22.csv"), (f"candidates/{one.pk}/", f"{one.pk}.csv")):
            assert page(f"{DAY_PAGE}{place}?format=csv")["Content-Disposition"].endswith(f'{name}"')

    def test_guard_what_a_spreadsheet_would_calculate(self):
        linkage(night(), verdict="REFUSED", reason="=1+1")
        (row,) = csv_rows(f"{CANDIDATES}?format=csv")
        assert row["reason"] == "'=1+1"


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "holds"),
        [
            ("verdict=REFUSED", lambda row: row["verdict"] == "REFUSED"),
            ("review=APPROVED", lambda row: row["review"] == "APPROVED"),
            ("class=NEO", lambda row: row["class"] == "NEO"),
            ("zone=neo", lambda row: row["zone"] == "neo"),
            ("q=looks+real", lambda row: row["review_reason"] == "looks real"),
            ("verdict=ACCEPTED&zone=main_belt", lambda row: (row["verdict"], row["zone"]) == ("ACCEPTED", "main_belt")),
        ],
    )
    def test_of_candidates_leave_exactly_what_they_name(self, query, holds):
        filled()
        every, left = exported(CANDIDATES), exported(f"{CANDIDATES}?{query}")
        assert 0 < len(left) < len(every)
        assert left == [row for row in every if holds(row)]

    def test_of_reports_leave_their_state_and_kind(self):
        filled()
        Submission.objects.filter(state="WRITTEN").update(kind="REOBSERVED")
        for query, state in (("state=HELD", "HELD"), ("kind=REOBSERVED", "WRITTEN")):
            assert [row["state"] for row in exported(f"{DAY_PAGE}submissions/?{query}")] == [state]
        assert exported(f"{DAY_PAGE}submissions/?state=CONFIRMED") == []

    def test_of_hypotheses_leave_their_zone(self):
        filled()
        path = f"{DAY_PAGE}hypotheses/"
        assert {row["zone"] for row in exported(f"{path}?zone=distant")} == {"distant"}
        assert len(exported(f"{path}?zone=distant")) + len(exported(f"{path}?zone=main_belt")) == len(exported(path))

    @pytest.mark.parametrize("name", ["a", "e", "rms", "arc_days", "detections"])
    def test_sorting_is_in_order_and_backwards_is_its_reverse_with_gaps_anywhere(self, name):
        filled()
        up, down = ([row[name] for row in exported(f"{CANDIDATES}?sort={sign}{name}")] for sign in ("", "-"))
        known = [value for value in up if value is not None]
        assert known == sorted(known)
        assert [value for value in down if value is not None] == known[::-1]
        assert len(up) == len(down) == 4


class TestFigures:
    @pytest.mark.parametrize(
        ("place", "x", "y"),
        [
            ("figures/steps/", "number (logarithmic)", ""),
            ("figures/loss/", "step, and what it kept", "objects lost"),
            ("figures/by-magnitude/", "magnitude", "found of findable / %"),
            ("throughput/", "dayObs", "hours to publication"),
            ("hypotheses/figure/", "heliocentric distance r / au", "rate ṙ / (au/d)"),
            ("tonight/figure/", "right ascension / °", "declination / °"),
            ("candidates/{one}/figures/sky/", "right ascension / °", "declination / °"),
            ("candidates/{one}/figures/residuals/", "MJD TAI", "observed − computed / ″"),
            ("candidates/{one}/figures/light/", "MJD TAI", "apparent magnitude / mag (AB)"),
            ("candidates/{one}/figures/top/", "x / au, to the equinox", "y / au"),
            ("candidates/{one}/figures/edge/", "x / au, to the equinox", "z / au, to the ecliptic's north"),
            ("candidates/{one}/figures/a-e/", "semi-major axis / au", "eccentricity"),
            ("candidates/{one}/figures/a-i/", "semi-major axis / au", "inclination / °"),
            (f"objects/{OBJECT}/figures/a-i/", "semi-major axis / au", "inclination / °"),
        ],
    )
    def test_say_on_both_axes_what_is_drawn_and_in_which_unit(self, place, x, y):
        path = f"{DAY_PAGE}{place.format(one=filled().pk)}"
        layout = page(path).json()["layout"]
        assert (layout["xaxis"]["title"]["text"], layout["yaxis"]["title"].get("text", "")) == (x, y)

    def test_are_not_sent_again_while_they_are_the_same(self):
        path = f"{CANDIDATES}{filled().pk}/figures/residuals/"
        etag = page(path)["ETag"]
        assert client_of().get(path, headers={"If-None-Match": etag}).status_code == 304

    def test_of_the_steps_draw_what_the_caption_says(self):
        filled()
        ((_, _, caption, _), *_) = page(DAY_PAGE).context["figures"]
        (bars,) = page(f"{DAY_PAGE}figures/steps/").json()["data"]
        drawn = {name: int(text.replace(",", "")) for name, text in zip(bars["y"], bars["text"], strict=True)}
        said = {name: int(number.replace(",", "")) for number, name in re.findall(r"([\d,]+) (\w+)[,.]", caption)}
        assert drawn == said == {name: COUNTS[name] for name in drawn}
        assert numbers(bars["x"]).tolist() == list(drawn.values())

    def test_of_the_loss_draw_what_the_caption_sums(self):
        filled()
        captions = {title: caption for _, title, caption, _ in page(DAY_PAGE).context["figures"]}
        (bars,) = page(f"{DAY_PAGE}figures/loss/").json()["data"]
        assert captions["What was lost, and to which limit"] == "3 of 5,312 findable objects were lost."
        assert sum(numbers(bars["y"])) == 3

    def test_of_residuals_draw_every_one_and_the_caption_has_their_mean(self):
        one = filled()
        ra, dec = page(f"{CANDIDATES}{one.pk}/figures/residuals/").json()["data"]
        assert numbers(ra["y"]).tolist() == pytest.approx(one.residual_ra)
        assert numbers(dec["y"]).tolist() == pytest.approx(one.residual_dec)
        caption = page(f"{CANDIDATES}{one.pk}/").context["figures"]["residuals"]["caption"]
        assert f"mean RA {np.mean(one.residual_ra):+.3f}″, dec {np.mean(one.residual_dec):+.3f}″" in caption
        assert caption.startswith("rms 0.043″ (at most 0.5″ in a report)")

    def test_of_the_correlation_are_those_of_the_covariance(self):
        one = filled()
        (heat,) = page(f"{CANDIDATES}{one.pk}/figures/correlation/").json()["data"]
        expected = 0.6 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
        np.testing.assert_allclose(numbers(heat["z"]), expected, atol=1e-9)

    def test_of_hypotheses_draw_each_and_the_caption_sums_them(self):
        filled()
        traces = page(f"{DAY_PAGE}hypotheses/figure/?colour=clusters").json()["data"]
        rows = COUNTS["coverage"]
        assert sum(len(trace["x"]) for trace in traces) == len(rows)
        caption = page(f"{DAY_PAGE}hypotheses/?colour=clusters").context["caption"]
        assert f"{sum(row['clusters'] for row in rows)} clusters in all" in caption.replace(",", "")
        assert "r from 2 to 40 au" in caption

    def test_are_json_that_a_browser_reads_even_where_numbers_are_none(self):
        one = linkage(night())
        detected(one)
        Linkage.objects.filter(pk=one.pk).update(residual_ra=[float("nan")] * 8)
        body = page(f"{CANDIDATES}{one.pk}/figures/residuals/").content

        def refuse(word: str) -> None:
            raise AssertionError(word)

        assert json.loads(body, parse_constant=refuse)["data"]
