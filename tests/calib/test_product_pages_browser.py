"""The pages of products in a real browser: figures and images draw, planes blink, nothing scrolls sideways."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from calib.models import ProductSet
from tests.browser import WIDTHS, open_browser, open_page
from tests.calib.products import BEFORE, SLOTS, made_set, product_of
from tests.people import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

DAY_PAGE = "/2026-11-22/calib/products/"
TONIGHT = "/2026-11-22/calib/tonight/"
TRENDS = "/calib/products/trends/?type=ptc&number=gain&detector=R22_S11&until=2026-11-22"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def made() -> ProductSet:
    """A certified set of yesterday and a refused one of today, with files for the middle detector."""
    made_set(BEFORE, detectors=(4,), files=True)
    return made_set(detectors=(4,), files=True, level=8.0, state="REFUSED")


def drawn(page: Page) -> None:
    """Wait until every figure and image is drawn."""
    for figure in page.locator("[data-figure]").all():
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    for image in page.locator("[data-viewer]").all():
        expect(image).to_have_attribute("data-state", "drawn", timeout=20_000)
    page.evaluate("scrollTo(0, 0)")


def addresses(made: ProductSet) -> dict[str, str]:
    products = {"_".join(filter(None, slot)): product_of(made, *slot).pk for slot in SLOTS}
    wanted = ("bias", "ptc", "linearity", "crosstalk", "defects")
    return {
        "day": DAY_PAGE,
        "tonight": TONIGHT,
        "set": f"/calib/products/sets/{made.pk}/",
        "trend": TRENDS,
        **{name: f"/calib/products/{products[name]}/" for name in wanted},
    }


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_every_page_draws_all_it_has_within_its_width(browser, live_server, made, width, height):
    with open_page(browser, live_server.url, person("observer"), viewport={"width": width, "height": height}) as page:
        for name, address in addresses(made).items():
            page.goto(address)
            drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"


def test_b_blinks_the_new_master_and_the_certified_one(browser, live_server, made):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(addresses(made)["bias"])
        drawn(page)
        viewer, pressed = page.locator("[data-viewer]"), page.locator("[data-plane][aria-pressed=true]")
        expect(pressed).to_have_text("new")
        page.keyboard.press("b")
        expect(pressed).to_have_text("incumbent")
        expect(pressed).to_have_text("new")
        page.locator("[data-plane=difference]").click()
        expect(page.locator("[data-blink]")).to_have_attribute("aria-pressed", "false")
        assert "/image/difference/" in (viewer.get_attribute("data-tiles") or "")
        expect(viewer).to_have_attribute("data-state", "drawn")
        page.locator("[data-viewer] canvas").hover()
        expect(page.locator(".viewer-readout")).to_contain_text("ADU")
