"""Trends, comparisons and coverage in a real browser: they draw, fit and lead on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from calib.models import ExposureStatistic
from tests.browser import WIDTHS, open_browser, open_page
from tests.calib.exposures import archived, assessed, exposure
from tests.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

TREND = "/calib/trends/?until=2026-11-22"
COMPARE = "/2026-11-22/calib/compare/?a=MC_S_20261122_000002&b=MC_S_20261122_000001"
COVERAGE = "/calib/coverage/?until=2026-11-22"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def measured() -> None:
    """Two biases of nine detectors."""
    for seq_num in (1, 2):
        taken = exposure(seq_num)
        for detector in range(9):
            assessed(archived(taken, detector), read_noise_e=[5.0 + seq_num / 10 + i / 100 for i in range(16)])
        numbers = {"minimum": 5.1, "p5": 5.1, "median": 5.0 + seq_num, "p95": 7.5, "maximum": 8.0}
        ExposureStatistic.objects.create(exposure=taken, metric="read_noise_e", count=144, **numbers)


def drawn(page: Page) -> None:
    for figure in page.locator("[data-figure]").all():
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_every_page_draws_all_it_has_within_its_width(browser, live_server, measured, width, height):
    with open_page(browser, live_server.url, person("observer"), viewport={"width": width, "height": height}) as page:
        for address in (TREND, f"{TREND}&detector=R22_S11", COMPARE, COVERAGE):
            page.goto(address)
            drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{address} scrolls sideways"


def test_a_bar_lists_its_exposures_and_a_point_opens_its_own(browser, live_server, measured):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(TREND)
        drawn(page)
        emit = "(n) => { const plot = document.querySelector('[data-figure]'); const trace = plot.data.findIndex(%s);"
        emit += " const data = plot.data[trace]; plot.emit('plotly_click',"
        emit += " {points: [{customdata: data.customdata[n], data, pointNumber: n}]}); }"
        page.evaluate(emit % "t => t.type === 'bar'", 0)
        page.wait_for_url("**from=*")
        expect(page.get_by_text("Only the 1 of 2")).to_be_visible()
        drawn(page)
        page.evaluate(emit % "t => t.name === 'BIAS'", 0)
        page.wait_for_url("**/calib/exposures/MC_S_20261122_000001/**")


def test_an_amplifiers_line_leads_to_its_trend(browser, live_server, measured):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(f"{TREND}&detector=R22_S11")
        drawn(page)
        click = "plot.emit('plotly_click', {points: [{data, pointNumber: 0}]})"
        page.evaluate(
            "() => { const plot = document.querySelector('[data-figure]');"
            f" const data = plot.data.find(t => t.name === 'C13'); {click} }}"
        )
        page.wait_for_url("**amplifier=C13**")
        expect(page.get_by_role("heading", name="Read noise of R22_S11 C13")).to_be_visible()
