"""Signing in, signing out, and what happens to whoever guesses."""

import pytest
from django.test import Client

from dayops.models import Event
from dayops.web import throttle
from tests.people import client_of
from tests.people import person as person_of_role

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def person(role: str) -> None:
    """A user of `role` who has a password."""
    user = person_of_role(role)
    user.set_password(PASSWORD)
    user.save()


def attempt(client: Client, name: str, password: str, **extra):
    return client.post("/sign-in/", {"username": name, "password": password, **extra})


def test_the_right_password_signs_in_and_goes_on_to_where_one_was_going():
    person("observer")
    answer = attempt(Client(), "observer", PASSWORD, next="/style/")
    assert (answer.status_code, answer["Location"]) == (302, "/style/")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_never_leads_to_another_site(target):
    person("observer")
    assert attempt(Client(), "observer", PASSWORD, next=target)["Location"] == "/"


def test_the_session_key_changes_on_signing_in():
    person("observer")
    client = Client()
    client.session["before"] = "1"
    before = client.session.session_key
    attempt(client, "observer", PASSWORD)
    assert client.session.session_key != before


def test_a_wrong_password_is_an_event_without_the_password():
    person("observer")
    answer = attempt(Client(), "observer", "hunter2-hunter2")
    event = Event.objects.get(kind="sign-in.failed")
    assert answer.status_code == 200
    assert "as observer" in event.text
    assert "hunter2" not in event.text + str(event.data)


def test_a_name_that_is_no_users_is_not_written_down():
    attempt(Client(), "my-password-by-mistake", "x")
    event = Event.objects.get(kind="sign-in.failed")
    assert "my-password" not in event.text + str(event.data)


def test_after_five_failures_even_the_right_password_waits():
    person("observer")
    for _ in range(throttle.PER_USER):
        attempt(Client(), "observer", "wrong")
    answer = attempt(Client(), "observer", PASSWORD)
    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.content.decode()


def test_failures_of_one_user_do_not_stop_another():
    person("observer")
    person("operator")
    for _ in range(throttle.PER_USER):
        attempt(Client(), "observer", "wrong")
    assert attempt(Client(), "operator", PASSWORD).status_code == 302


def test_failures_from_one_address_do_not_stop_another():
    person("observer")
    for _ in range(throttle.PER_USER):
        attempt(Client(), "observer", "wrong")
    assert attempt(Client(REMOTE_ADDR="10.0.0.7"), "observer", PASSWORD).status_code == 302


def test_one_address_cannot_try_names_for_ever(monkeypatch):
    monkeypatch.setattr(throttle, "PER_ADDRESS", 3)
    for name in "abc":
        attempt(Client(), name, "wrong")
    assert attempt(Client(), "d", "wrong").status_code == 429
    assert Event.objects.filter(kind="sign-in.failed").count() == 3


def test_old_failures_are_forgotten(monkeypatch):
    person("observer")
    for _ in range(throttle.PER_USER):
        attempt(Client(), "observer", "wrong")
    monkeypatch.setattr(throttle, "WINDOW", throttle.WINDOW * 0)
    assert attempt(Client(), "observer", PASSWORD).status_code == 302


def test_the_proxys_word_about_the_address_counts_only_behind_a_proxy(rf, settings):
    request = rf.get("/", headers={"X-Forwarded-For": "1.2.3.4, 10.1.1.1"}, REMOTE_ADDR="127.0.0.1")
    settings.TLS = False
    assert throttle.address_of(request) == "127.0.0.1"
    settings.TLS = True
    assert throttle.address_of(request) == "10.1.1.1"


def test_signing_out_asks_for_a_post_and_ends_the_session():
    client = client_of("observer")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/tokens/").status_code == 302
