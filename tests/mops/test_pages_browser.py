"""DayMOPS' pages in a real browser: figures draw, nothing scrolls sideways, and the queue is worked off with keys."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from mops.models import Linkage
from tests.browser import WIDTHS, open_browser, open_page
from tests.mops.in_level1 import OBJECT, detected, known_object
from tests.mops.nights import COUNTS, TRUTH, linkage, night
from tests.mops.test_pages_others import PREDICTED, report
from tests.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

DAY_PAGE = "/2026-11-22/mops/"
QUEUE = f"{DAY_PAGE}candidates/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def candidates() -> list[Linkage]:
    """Three accepted ones and one that was refused, in a published search beside a trial and yesterday's."""
    night(20261121, hours=30)
    made = night(truth=TRUTH, counts={**COUNTS, "tonight": PREDICTED})
    trial = night(state="TRIAL", configuration="strict")
    found = [linkage(made, number) for number in (1, 2, 3)]
    linkage(made, 4, verdict="REFUSED")
    linkage(trial, 1)
    linkage(trial, 9)
    detected(found[0])
    known_object(of=found[0])
    report(found[0])
    return found


def drawn(page: Page) -> None:
    for figure in page.locator("[data-figure]").all():
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    page.evaluate("scrollTo(0, 0)")


def addresses(candidates: list[Linkage]) -> dict[str, str]:
    return {
        "night": DAY_PAGE,
        "queue": QUEUE,
        "candidate": f"{QUEUE}{candidates[0].pk}/",
        "hypotheses": f"{DAY_PAGE}hypotheses/",
        "compare": f"{DAY_PAGE}compare/",
        "objects": f"{DAY_PAGE}objects/",
        "object": f"{DAY_PAGE}objects/{OBJECT}/",
        "reports": f"{DAY_PAGE}submissions/",
        "report": f"{DAY_PAGE}submissions/{candidates[0].submissions.get().pk}/",
        "tonight": f"{DAY_PAGE}tonight/",
    }


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_every_page_draws_all_it_has_within_its_width(browser, live_server, candidates, width, height):
    with open_page(browser, live_server.url, person("scientist"), viewport={"width": width, "height": height}) as page:
        for name, address in addresses(candidates).items():
            page.goto(address)
            drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"


def test_the_queue_is_worked_off_with_keys(browser, live_server, candidates):
    first, second, third = candidates
    with open_page(browser, live_server.url, person("scientist")) as page:
        page.goto(QUEUE)
        expect(page.locator(f'input[value="{first.pk}"]')).to_be_checked()
        page.keyboard.press("j")
        expect(page.locator(f'input[value="{second.pk}"]')).to_be_checked()
        page.keyboard.press("k")
        page.keyboard.press("a")
        expect(page.get_by_text(f"Candidate {first.pk}: approved.")).to_be_visible()
        expect(page.locator(f'input[value="{second.pk}"]')).to_be_checked()
        page.keyboard.press("r")
        expect(page.locator('input[name="reason"]')).to_be_focused()
        page.keyboard.type("a ghost of a bright star")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Candidate {second.pk}: rejected.")).to_be_visible()
        expect(page.locator(f'input[value="{third.pk}"]')).to_be_checked()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{live_server.url}{QUEUE}{third.pk}/")
    assert Linkage.objects.get(pk=second.pk).review_reason == "a ghost of a bright star"


def test_the_queue_is_worked_off_without_a_script(browser, live_server, candidates):
    with open_page(browser, live_server.url, person("scientist"), java_script_enabled=False) as page:
        page.goto(QUEUE)
        page.locator(f'input[value="{candidates[1].pk}"]').check()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text(f"Candidate {candidates[1].pk}: approved.")).to_be_visible()


def test_a_candidate_is_approved_on_its_page_with_a_key(browser, live_server, candidates):
    with open_page(browser, live_server.url, person("scientist")) as page:
        page.goto(f"{QUEUE}{candidates[1].pk}/")
        page.keyboard.press("a")
        expect(page.get_by_text(f"Candidate {candidates[1].pk}: approved.")).to_be_visible()
        page.keyboard.press("j")
        expect(page).to_have_url(f"{live_server.url}{QUEUE}{candidates[2].pk}/")
