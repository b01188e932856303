"""The calibration pages in a real browser: figures and images draw, and lead on."""

import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from dayops.archive import store
from dayops.models import Exposure
from tests.browser import WIDTHS, open_browser, open_page
from tests.calib.exposures import archived, assessed, exposure
from tests.frames import minicam
from tests.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

PAGE = "/2026-11-22/calib/"
EXPOSURE = f"{PAGE}exposures/MC_S_20261122_000001/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def observed() -> Exposure:
    """An exposure of nine measured detectors, one with its pixels."""
    kept = store().put(io.BytesIO(minicam(4, level=1234)))
    first = exposure(1)
    for detector in range(9):
        content = {"sha256": kept.sha256} if detector == 4 else {}
        assessed(archived(first, detector, **content))
    return first


def box(element: Locator) -> FloatRect:
    found = element.bounding_box()
    assert found is not None
    return found


def drawn(page: Page) -> None:
    """Wait until every figure and image is drawn."""
    for figure in page.locator("[data-figure]").all():
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    for image in page.locator("[data-viewer]").all():
        expect(image).to_have_attribute("data-state", "drawn", timeout=20_000)
    page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize(("width", "height"), WIDTHS)
@pytest.mark.parametrize("address", [PAGE, EXPOSURE, f"{EXPOSURE}R22_S11/", f"{EXPOSURE}findings/"])
def test_every_page_draws_all_it_has_within_its_width(browser, live_server, observed, width, height, address):
    with open_page(browser, live_server.url, person("observer"), viewport={"width": width, "height": height}) as page:
        page.goto(address)
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def test_an_amplifier_tells_its_value_and_leads_to_its_detector(browser, live_server, observed):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(EXPOSURE)
        drawn(page)
        plane = page.locator("[data-figure]").first.locator(".nsewdrag").first
        place = box(plane)
        middle = place["x"] + 0.45 * place["width"], place["y"] + 0.5 * place["height"]
        page.mouse.move(*middle)
        page.mouse.move(middle[0] + 2, middle[1])
        expect(page.locator(".hovertext").first).to_contain_text("R22_S11")
        page.mouse.click(middle[0] + 2, middle[1])
        page.wait_for_url(f"**{EXPOSURE}R22_S11/")


def test_the_pixel_under_the_pointer_is_read(browser, live_server, observed):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(f"{EXPOSURE}R22_S11/?overscan=raw")
        drawn(page)
        canvas = page.locator(".viewer canvas")
        size = box(canvas)
        canvas.hover(position={"x": size["width"] / 2, "y": size["height"] / 2})
        expect(page.locator(".viewer-readout")).to_contain_text("1234.00 ADU")


def test_a_new_exposure_appears_on_the_days_page_by_itself(browser, live_server):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(PAGE)
        expect(page.get_by_text("The plan expect", exact=False)).to_be_visible()
        archived(exposure(1))
        expect(page.get_by_role("link", name="MC_S_20261122_000001").first).to_be_visible(timeout=10_000)
