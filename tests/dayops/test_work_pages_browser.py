"""The pages about work in a real browser: they keep themselves current, and a person can act on them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from dayops import events, runs
from dayops.models import Event, Phase, Run, Severity
from dayops.observing_day import ObservingDay
from tests.browser import WIDTHS, open_browser, open_page
from tests.people import person
from tests.work import DAY, run_of, task

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

DAY_URL = "/2026-11-22/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


def aborted_run() -> Run:
    run = run_of(task("one"), task("two"))
    runs.abort(run.pk, actor="olivia", reason="wrong filter")
    return run


def test_an_operator_retries_a_run_with_a_reason(browser, live_server):
    run = aborted_run()
    with open_page(browser, live_server.url, person("operator")) as page:
        page.goto(f"{DAY_URL}runs/{run.pk}/")
        page.get_by_label("Reason").fill("the filter is right now")
        page.get_by_role("button", name="Retry what failed").click()
        expect(page.get_by_text("2 tasks will be tried again.")).to_be_visible()
    assert Event.objects.get(kind="run.retried").reason == "the filter is right now"


def test_nothing_is_sent_without_a_reason(browser, live_server):
    run = aborted_run()
    with open_page(browser, live_server.url, person("operator")) as page:
        page.goto(f"{DAY_URL}runs/{run.pk}/")
        page.get_by_role("button", name="Retry what failed").click()
        expect(page.get_by_label("Reason")).to_be_focused()
    run.refresh_from_db()
    assert run.phase == Phase.ABORTED


def test_a_reason_half_written_outlives_the_page_bringing_itself_up_to_date(browser, live_server):
    run = run_of(task("one"))
    with open_page(browser, live_server.url, person("operator")) as page:
        page.goto(f"{DAY_URL}runs/{run.pk}/")
        page.get_by_label("Reason").fill("because the dome")
        page.get_by_label("Reason").blur()
        runs.abort(run.pk, actor="olivia", reason="somebody was faster")
        expect(page.get_by_text("somebody was faster")).to_be_visible()
        expect(page.get_by_label("Reason")).to_have_value("because the dome")
        expect(page.get_by_role("button", name="Abort")).to_be_disabled()


def test_the_board_shows_an_alarm_without_being_reloaded(browser, live_server):
    with open_page(browser, live_server.url, person("observer")) as page:
        page.goto(DAY_URL)
        events.record("dome.stuck", "The dome is stuck", actor="olivia", day_obs=DAY, severity=Severity.ALARM)
        expect(page.get_by_text("The dome is stuck")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_no_page_scrolls_sideways(browser, live_server, width, height):
    run = aborted_run()
    one = run.tasks.get(key="one")
    today = f"/{ObservingDay.current()}/"
    paths = ["", "?kiosk=1", "runs/", f"runs/{run.pk}/", f"tasks/{one.pk}/", "workers/", "events/"]
    user = person("maintainer")
    with open_page(browser, live_server.url, user, viewport={"width": width, "height": height}) as page:
        for path in (*(DAY_URL + path for path in paths), today):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
