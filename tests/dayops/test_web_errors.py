"""When things go wrong, a visitor gets a sentence and a remedy, never a traceback."""

import logging
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.dayops.web_urls")]


@pytest.fixture(autouse=True)
def _quiet_log(caplog):
    caplog.set_level(logging.CRITICAL, "django.request")


@pytest.fixture
def client() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person("observer"))
    return client


@pytest.mark.parametrize("path", ["/crash/", "/api/crash"])
def test_a_crash_answers_500_without_its_details(client, path):
    answer = client.get(path)
    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/away/", "/api/away"])
def test_a_database_that_is_away_answers_503_and_when_to_come_back(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "database is unavailable" in answer.content.decode()
    assert "secret-host" not in answer.content.decode()


def test_a_database_that_is_away_before_the_view_answers_503_too(client):
    with patch.object(connection, "ensure_connection", side_effect=OperationalError("gone")):
        connection.close()
        answer = client.get("/read/")
    assert answer.status_code == 503


def test_the_api_gets_its_errors_as_json(client):
    assert client.get("/api/away").json()["status"] == 503
    assert client.get("/api/crash").json()["status"] == 500
    assert client.get("/api/nothing-here").json()["status"] == 404


def test_a_program_that_asks_for_json_gets_json_on_pages_too(client):
    assert client.get("/nothing-here/", headers={"Accept": "application/json"}).json()["status"] == 404


def test_a_missing_page_repeats_its_address_without_running_it(client):
    page = client.get("/<script>alert(1)</script>/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_day_that_does_not_exist_is_not_found(client):
    assert client.get("/test/2026-02-30/").status_code == 404


def test_a_host_we_do_not_serve_is_refused_in_words(client, settings):
    settings.ALLOWED_HOSTS = ["dayops.example"]
    answer = client.get("/read/", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert "make sense" in answer.content.decode()


def test_an_error_page_keeps_the_theme_the_visitor_chose(client):
    client.cookies["theme"] = "night"
    assert 'data-theme="night"' in client.get("/nothing-here/").content.decode()


def test_a_made_up_theme_is_not_taken_into_the_page(client):
    client.cookies["theme"] = "x onload"
    assert 'data-theme="dark"' in client.get("/nothing-here/").content.decode()
