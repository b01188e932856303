"""What every page shows around its content: the day, the clocks, the warnings, the way to other days."""

import pytest
from django.test import Client
from django.urls import reverse

from dayops.models import WorkerProcess
from dayops.observing_day import ObservingDay
from dayops.web import health, navigation
from tests.people import client_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.dayops.web_urls")]


@pytest.fixture
def client() -> Client:
    return client_of("observer")


def page(client: Client, path: str = "/test/2026-11-22/", **options) -> str:
    return client.get(path, **options).content.decode()


def test_the_day_in_the_address_is_the_day_of_the_page(client):
    assert client.get("/test/2026-11-22/").context["day"] == ObservingDay(20261122)


def test_a_page_without_a_day_is_about_the_current_one(client):
    assert client.get("/tokens/").context["day"] == ObservingDay.current()


def test_next_and_previous_day_keep_the_page_and_its_query(client):
    html = page(client, "/test/2026-12-31/?metric=noise")
    assert 'href="/test/2027-01-01/?metric=noise"' in html
    assert 'href="/test/2026-12-30/?metric=noise"' in html


def test_from_one_thing_of_a_day_the_arrows_lead_to_the_board_of_the_next(client):
    assert 'href="/2026-11-23/"' in page(client, "/test/2026-11-22/7/")


def test_the_countdown_is_to_the_sunset_of_that_day(client):
    assert f'data-countdown="{ObservingDay(20261122).sunset.isoformat()}"' in page(client)


def test_the_frame_of_a_page_costs_a_constant_number_of_queries(client, django_assert_num_queries):
    page(client)
    with django_assert_num_queries(6):  # session, user, the user's and the groups' rights, workers, alarms
        page(client)
    for number in range(10):
        WorkerProcess.objects.create(name=str(number), host="h", pid=1, queue=f"q{number}")
    with django_assert_num_queries(6):
        page(client)


def test_a_page_is_shown_while_redis_is_away_and_says_so(client, monkeypatch, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    monkeypatch.setattr(health, "redis_pulse", health.RedisPulse())
    assert "Redis is away" in page(client)


def test_errors_are_warned_of_before_warnings(client, monkeypatch, settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    monkeypatch.setattr(health, "redis_pulse", health.RedisPulse())
    warnings = client.get("/test/2026-11-22/").context["page"].warnings
    assert [finding.level for finding in warnings] == ["ERROR", "WARN", "WARN", "WARN"]


def test_an_unchanged_pulse_is_answered_without_a_body(client):
    etag = client.get("/pulse/")["ETag"]
    assert client.get("/pulse/", headers={"If-None-Match": etag}).status_code == 304
    for queue in ("alert-production", "archive-center"):
        WorkerProcess.objects.create(name=queue, host="h", pid=1, queue=queue)
    assert client.get("/pulse/", headers={"If-None-Match": etag}).status_code == 200


def test_only_a_maintainer_sees_the_way_to_the_administration(client):
    assert reverse("admin:index") not in page(client)
    client.force_login(person("maintainer"))
    assert reverse("admin:index") in page(client)


def test_messages_are_shown_with_their_kind(client):
    assert '<p class="note note-success" role="status">a message</p>' in page(client)


def test_the_header_leads_only_to_pages_that_exist(monkeypatch):
    found = [navigation.Destination("test-day", "Test", "x"), navigation.Destination("nowhere", "Nowhere", "n")]
    monkeypatch.setattr(navigation, "DESTINATIONS", found)
    assert [(link.title, link.url) for link in navigation.links(ObservingDay(20261122))] == [
        ("Test", "/test/2026-11-22/")
    ]


def test_a_destination_is_added_once(monkeypatch):
    monkeypatch.setattr(navigation, "DESTINATIONS", [])
    for _ in range(2):
        navigation.add(navigation.Destination("test-day", "Test", "x"))
    assert len(navigation.DESTINATIONS) == 1


@pytest.mark.parametrize("value", [ObservingDay(20261122), 20261122, "2026-11-22", "20261122"])
def test_an_address_takes_a_day_in_any_form(value):
    assert reverse("test-day", kwargs={"day": value}) == "/test/2026-11-22/"


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "1066-10-14", "20261122", "26-11-22"])
def test_what_is_no_dayobs_is_not_found(client, day):
    assert client.get(f"/test/{day}/").status_code == 404


def test_the_wall_display_is_marked(client):
    assert 'class="kiosk ' in page(client, "/test/2026-11-22/?kiosk=1")
