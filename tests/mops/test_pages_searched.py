"""Pages of a night that the pipeline itself searched: every page answers, and every figure on it is drawn."""

import re

import pytest

from mops.models import Linkage, Night
from tests.mops.searched import LAST, load, search
from tests.mops.test_pages_candidates import exported
from tests.mops.test_pages_night import page, text

pytestmark = pytest.mark.django_db(transaction=True)

DAY_PAGE = "/2026-11-21/mops/"


@pytest.fixture
def searched() -> tuple[Night, Night]:
    """The night, published, and a trial of it with stricter limits."""
    load()
    published = search()
    return published, search(LAST, "strict", trial=True)


def test_every_page_answers_and_every_figure_on_it_is_drawn(searched):
    published, trial = searched
    one = Linkage.objects.filter(night=published, verdict="ACCEPTED").order_by("pk")[0]
    report = published.submissions.order_by("pk")[0]
    paths = {
        "": 5,  # steps, three groups of the truth, the month; the loss where there is one
        "candidates/": 0,
        f"candidates/{one.pk}/": 8,
        "hypotheses/": 1,
        f"compare/?a={published.pk}&b={trial.pk}": 1,
        "objects/": 0,
        f"objects/{one.ss_object_id}/": 7,
        "submissions/": 0,
        f"submissions/{report.pk}/": 0,
        "tonight/": 1,
    }
    for path, figures in paths.items():
        found = re.findall(r'data-figure="([^"]+)"', text(f"{DAY_PAGE}{path}"))
        assert len(found) >= figures, path
        for url in found:
            assert page(url.replace("&amp;", "&")).json()["data"], url


def test_a_candidate_is_shown_as_the_fit_left_it(searched):
    published, _ = searched
    one = Linkage.objects.filter(night=published, verdict="ACCEPTED").order_by("pk")[0]
    rows = exported(f"{DAY_PAGE}candidates/{one.pk}/")
    assert [row["source"] for row in rows] == one.sources
    assert [row["oc_ra"] for row in rows] == pytest.approx(one.residual_ra)
    assert all(row["mag"] and row["band"] and row["sigma_ra"] for row in rows)
    assert {row["night"].replace("-", "") for row in rows} == set(map(str, one.nights))


def test_the_path_that_is_drawn_goes_through_what_was_seen(searched):
    published, _ = searched
    one = Linkage.objects.filter(night=published, verdict="ACCEPTED").order_by("pk")[0]
    data = page(f"{DAY_PAGE}candidates/{one.pk}/figures/sky/").json()["data"]
    assert data[0]["name"] == "fitted path"
    path = list(zip(data[0]["x"], data[0]["y"], strict=True))
    for trace in data[1:]:
        for x, y in zip(trace["x"], trace["y"], strict=True):
            assert min(abs(x - a) + abs(y - b) for a, b in path) < 0.02


def test_a_trial_beside_the_published_search_finds_the_same_or_fewer(searched):
    published, trial = searched
    rows = exported(f"{DAY_PAGE}compare/?a={published.pk}&b={trial.pk}")
    assert {row["fate"] for row in rows} <= {"common", "changed", "lost"}
    assert len(rows) == published.linkages.filter(verdict="ACCEPTED").count()
