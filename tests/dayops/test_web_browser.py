"""The visual language in a real browser: every component, three themes, two widths, no script from elsewhere."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dayops.observing_day import ObservingDay
from tests.browser import WIDTHS, open_browser, open_page
from tests.people import person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("dayops.urls"),
]
SCREENSHOTS = os.environ.get("DAYOPS_SCREENSHOTS")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture
def style(browser: Browser, live_server) -> Iterator[Page]:
    with open_page(browser, live_server.url, person("maintainer")) as page:
        page.goto("/style/")
        yield page


def contrast(page: Page, selector: str) -> float:
    """WCAG contrast of an element's text on the grounds that lie under it."""
    return float(
        page.locator(selector).first.evaluate(
            """element => {
                const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
                const rgb = colour => {
                    canvas.clearRect(0, 0, 1, 1);
                    canvas.fillStyle = colour;
                    canvas.fillRect(0, 0, 1, 1);
                    return [...canvas.getImageData(0, 0, 1, 1).data];
                };
                const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
                const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
                const grounds = [];
                for (let each = element; each; each = each.parentElement) {
                    grounds.unshift(getComputedStyle(each).backgroundColor);
                }
                canvas.clearRect(0, 0, 1, 1);  // the tint of a status lies over its panel
                for (canvas.fillStyle of grounds) canvas.fillRect(0, 0, 1, 1);
                const ground = luminance([...canvas.getImageData(0, 0, 1, 1).data]);
                const pair = [luminance(rgb(getComputedStyle(element).color)), ground];
                return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
            }"""
        )
    )


@pytest.mark.parametrize("theme", ["dark", "light", "night"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_the_style_page_fits_and_is_legible(browser, live_server, theme, width, height):
    user = person("maintainer")
    with open_page(browser, live_server.url, user, viewport={"width": width, "height": height}) as page:
        page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
        page.goto("/style/")
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
        for selector in (
            "main > p",
            ".quiet",
            "main a",
            "thead .unit",
            ".status-ok",
            ".status-error",
            ".status-late",
            ".status-warn",
            "main button.primary",
        ):
            assert contrast(page, selector) >= 4.5, f"{selector} is too faint in the theme {theme}"
        if SCREENSHOTS:
            page.locator("[data-figure]").first.scroll_into_view_if_needed()
            expect(page.locator("[data-figure]").first).to_have_attribute("data-state", "drawn", timeout=20_000)
            page.screenshot(path=Path(SCREENSHOTS) / f"style-{theme}-{width}.png", full_page=True)


def test_the_night_theme_is_dark_and_red(style):
    style.locator(".menu summary").click()
    style.locator("[data-theme-choice=night]").click()
    red, green, blue = (int(v) for v in re.findall(r"\d+", style.evaluate("getComputedStyle(document.body).color"))[:3])
    assert red > 1.5 * green > 1.2 * blue


@pytest.mark.parametrize("picture", [".viewer canvas", "p.plot-container .plot"])
def test_at_night_pictures_are_red_and_brighter_stays_brighter(style, picture):
    style.evaluate("document.documentElement.dataset.theme = 'night'")
    style.evaluate("document.body.insertAdjacentHTML('beforeend', '<p class=plot-container><i class=plot></i>')")
    shades = style.evaluate(
        """picture => {
            const pen = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
            const found = document.querySelector(picture);
            pen.filter = getComputedStyle(found).filter;
            return Array.from({length: 18}, (_, i) => {
                pen.fillStyle = `rgb(${15 * i} ${15 * i} ${15 * i})`;
                pen.fillRect(0, 0, 1, 1);
                return [...pen.getImageData(0, 0, 1, 1).data];
            });
        }""",
        picture,
    )
    reds = [red for red, *_ in shades]
    assert reds == sorted(set(reds)), "two greys look alike, or the brighter is darker"
    assert all(red > 1.5 * green > blue for red, green, blue, _ in shades[4:])
    assert reds[-1] < 255


def test_a_chosen_theme_outlives_the_page(style):
    style.locator(".menu summary").click()
    style.locator("[data-theme-choice=light]").click()
    style.reload()
    expect(style.locator("html")).to_have_attribute("data-theme", "light")


def test_the_clocks_go_by_the_servers_time_and_tai_is_ahead(style):
    utc, tai = (style.locator(f"[data-clock={name}]") for name in ("UTC", "TAI"))
    before = utc.text_content()
    expect(utc).not_to_have_text(before, timeout=3000)
    seconds = [
        sum(int(p) * f for p, f in zip(c.text_content().split(":"), (3600, 60, 1), strict=True)) for c in (utc, tai)
    ]
    assert (seconds[1] - seconds[0]) % 86400 in {36, 37, 38}
    assert re.fullmatch(r"\d+:\d\d:\d\d|\d+ d \d+ h", style.locator("[data-countdown]").text_content())


def test_a_figure_is_drawn_without_anything_from_elsewhere(style, live_server):
    asked: list[str] = []
    style.on("request", lambda request: asked.append(request.url))
    style.reload()
    figure = style.locator("[data-figure]").first
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    assert [url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))] == []


def test_a_figure_offers_no_upload_to_a_cloud(style):
    figure = style.locator("[data-figure]").first
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    titles = figure.locator(".modebar-btn").evaluate_all("all => all.map(each => each.dataset.title ?? '')")
    assert titles
    assert not [title for title in titles if re.search(r"share|cloud|studio|plotly", title, re.I)]


def test_a_figure_that_fails_says_why_and_leads_to_the_table(style):
    figure = style.locator("[data-figure]").nth(1)
    figure.scroll_into_view_if_needed()
    expect(figure).to_contain_text("The figure cannot be shown: There is nothing at")
    expect(figure.get_by_role("link")).to_have_attribute("href", "?format=csv")


def test_a_point_of_a_figure_leads_to_its_page(style):
    figure = style.locator("[data-figure]").first
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    figure.locator(".nsewdrag").hover()
    figure.evaluate("e => e.emit('plotly_click', {points: [{customdata: '//evil.example/'}]})")
    figure.evaluate("e => e.emit('plotly_click', {points: [{customdata: ['C00', '/tokens/']}]})")
    style.wait_for_url("**/tokens/")


def test_a_points_address_may_stand_in_the_figures_meta(style):
    figure = style.locator("[data-figure]").first
    figure.scroll_into_view_if_needed()
    expect(figure).to_have_attribute("data-state", "drawn", timeout=20_000)
    figure.evaluate("e => { e.layout.meta = {links: ['/no/', '/tokens/']} }")
    figure.evaluate("e => e.emit('plotly_click', {points: [{pointNumber: 1}]})")
    style.wait_for_url("**/tokens/")


def test_the_arrow_keys_lead_to_the_days_beside(style):
    yesterday = str(ObservingDay.current().previous)
    style.keyboard.press("ArrowLeft")
    style.wait_for_url(f"**/{yesterday}/")


def test_a_chosen_date_leads_to_its_day(style):
    style.locator("[data-day-form] input").evaluate(
        "e => { e.value = '2026-01-15'; e.dispatchEvent(new Event('change', {bubbles: true})) }"
    )
    style.wait_for_url("**/2026-01-15/")


def test_the_keys_help_lists_what_the_page_declares(style):
    style.keyboard.press("?")
    keys = style.locator("dialog#keys")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("previous day")
    style.keyboard.press("Escape")
    style.keyboard.press("/")
    expect(style.locator("#search")).to_be_focused()
    style.keyboard.press("Escape")
    style.locator("#search").blur()
    style.keyboard.press("f")
    expect(style.locator("#q")).to_be_focused()


def test_keys_do_nothing_while_one_types(style):
    style.locator("#q").focus()
    style.keyboard.type("t?")
    expect(style.locator("#q")).to_have_value("t?")
    expect(style.locator("dialog#keys")).to_be_hidden()


def test_the_first_tab_stop_leads_past_the_header(style):
    style.keyboard.press("Tab")
    expect(style.locator(".skip-link")).to_be_focused()
    style.keyboard.press("Enter")
    expect(style.locator("main")).to_be_focused()


def test_the_viewer_zooms_reads_and_keeps_its_view_in_the_address(style):
    viewer, canvas = style.locator("[data-viewer]"), style.locator("[data-viewer] canvas")
    canvas.scroll_into_view_if_needed()
    expect(viewer).to_have_attribute("data-state", "drawn")
    canvas.focus()
    for key in ("+", "+", "ArrowRight", "ArrowUp", "Enter"):
        style.keyboard.press(key)
    expect(viewer.locator(".viewer-readout")).to_contain_text("ADU")
    style.wait_for_url(re.compile(r"stretch=linear.*#x=5\d\d\.\d&y=5\d\d\.\d&scale="))
    before = viewer.locator(".viewer-readout").text_content()
    style.reload()
    expect(viewer).to_have_attribute("data-state", "drawn")
    canvas.focus()
    style.keyboard.press("Enter")
    expect(viewer.locator(".viewer-readout")).to_have_text(before)


def test_the_viewer_draws_low_rows_at_the_bottom(style):
    canvas = style.locator("[data-viewer] canvas")
    canvas.scroll_into_view_if_needed()
    expect(style.locator("[data-viewer]")).to_have_attribute("data-state", "drawn")
    top, bottom = canvas.evaluate(
        """c => [0.1, 0.9].map(f => c.getContext("2d").getImageData(c.width / 2 + 20, c.height * f, 1, 1).data[0])"""
    )
    assert top > bottom  # the sample is brighter upwards


def fail_pulse(route: Route) -> None:
    route.fulfill(status=503, body="away")


def test_a_page_that_is_no_longer_updated_says_so_and_recovers(style):
    style.locator("#warnings").evaluate("e => { e.dataset.every = '0.2' }")
    style.route("**/pulse/", fail_pulse)
    style.evaluate("import('/static/js/poll.js').then(m => m.refresh(document.getElementById('warnings')))")
    banner = style.locator("#stale")
    expect(banner).to_contain_text(re.compile(r"stale since \d\d:\d\d:\d\d UTC: the server does not answer"))
    style.unroute("**/pulse/")
    expect(banner).to_be_hidden(timeout=10_000)


def test_a_page_that_waits_for_its_first_poll_is_not_shown_as_stale(style):
    style.evaluate(
        """async () => { const box = document.getElementById('warnings'); window.dimmed = false;
                         new MutationObserver(() => { window.dimmed ||= box.classList.contains('is-stale') })
                           .observe(box, { attributeFilter: ['class'] });
                         await new Promise(done => setTimeout(done, 1200)); }"""
    )
    assert style.evaluate("window.dimmed") is False


def test_a_page_whose_server_hangs_says_so_before_the_request_is_given_up(style):
    style.route("**/pulse/", lambda route: None)
    style.evaluate("void import('/static/js/poll.js').then(m => m.refresh(document.getElementById('warnings')))")
    expect(style.locator("#stale")).to_contain_text("the server does not answer", timeout=10_000)
    style.unroute("**/pulse/")


def test_a_page_whose_visitor_was_signed_out_says_so(style):
    style.context.clear_cookies()
    style.locator("#warnings").evaluate("e => { e.dataset.every = '0.2' }")
    style.evaluate("import('/static/js/poll.js').then(m => m.refresh(document.getElementById('warnings')))")
    expect(style.locator("#stale")).to_contain_text("you are signed out")
    expect(style.locator("#stale").get_by_role("link")).to_have_text("Sign in again")


def test_a_fragment_is_replaced_without_losing_the_focus(style):
    style.evaluate(
        """() => { const box = document.getElementById('warnings');
                   box.innerHTML = '<a id="kept" href="#x">old</a>'; document.getElementById('kept').focus(); }"""
    )
    style.route(
        "**/pulse/", lambda route: route.fulfill(body='<a id="kept" href="#x">new</a>', content_type="text/html")
    )
    style.evaluate("import('/static/js/poll.js').then(m => m.refresh(document.getElementById('warnings')))")
    expect(style.locator("#kept")).to_have_text("new")
    expect(style.locator("#kept")).to_be_focused()


def test_printing_leaves_out_what_cannot_be_pressed_on_paper(style):
    style.emulate_media(media="print")
    expect(style.locator(".clocks")).to_be_hidden()
    expect(style.locator(".table-tools")).to_be_hidden()
    expect(style.locator("main table")).to_be_visible()
