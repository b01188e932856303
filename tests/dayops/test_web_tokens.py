"""The page where people make and revoke their tokens."""

import re

import pytest
from django.test import Client

from dayops.models import ApiToken
from dayops.web import tokens
from tests.people import client_of, person

pytestmark = pytest.mark.django_db
FORM = {"name": "a script", "scope": "read", "days": "30"}


def key_in(html: str) -> str:
    return str(re.findall(r'class="secret">([^<]+)<', html)[0])


def test_a_new_token_is_shown_once_and_kept_only_as_a_hash():
    client = client_of("observer")
    key = key_in(client.post("/tokens/", FORM).content.decode())
    assert key not in client.get("/tokens/").content.decode()
    assert key not in str(list(ApiToken.objects.values()))
    assert tokens.authenticate(key) == ApiToken.objects.get(name="a script")


def test_the_page_with_a_key_is_never_kept_by_a_browser():
    answer = client_of("observer").post("/tokens/", FORM)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "  "}, "This field is required"),
        ({"scope": "root"}, "not one of the available choices"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "9999"}, "less than or equal to 366"),
    ],
)
def test_a_token_that_cannot_be_made_says_why(change, sentence):
    answer = client_of("observer").post("/tokens/", {**FORM, **change})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_name_is_used_once():
    client = client_of("observer")
    client.post("/tokens/", FORM)
    answer = client.post("/tokens/", FORM)
    assert answer.status_code == 400
    assert "choose another name" in answer.content.decode()


def test_one_sees_and_revokes_only_ones_own_tokens():
    token, key = tokens.create(person("operator"), "secret plan", "operate")
    client = client_of("observer")
    assert "secret plan" not in client.get("/tokens/").content.decode()
    assert client.post(f"/tokens/{token.pk}/revoke/").status_code == 404
    assert tokens.authenticate(key) is not None


def test_a_token_that_may_too_little_is_told_what_helps():
    _, key = tokens.create(person("operator"), "a script", "read")
    answer = Client().post("/api/v1/runs/1/rerun", {"reason": "x"}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert answer.json()["remedy"] == "Make one that may more at /tokens/."


def test_revoking_ends_a_token_and_shows_it():
    user = person("operator")
    token, key = tokens.create(user, "a script", "read")
    page = client_of("operator").post(f"/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "REVOKED" in page
    assert tokens.authenticate(key) is None


def test_revoking_twice_changes_nothing_more():
    token, _ = tokens.create(person("operator"), "a script", "read")
    assert tokens.revoke(token, "x") is True
    assert tokens.revoke(token, "x") is False


def test_use_is_noted_but_not_at_every_request():
    _, key = tokens.create(person("operator"), "a script", "read")
    tokens.authenticate(key)
    first = ApiToken.objects.get().last_used_at
    tokens.authenticate(key)
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first


@pytest.mark.parametrize(("name", "scope"), [("", "read"), ("x" * 81, "read"), ("x", "root")])
def test_the_service_refuses_what_the_form_would(name, scope):
    with pytest.raises(ValueError, match=r"name of 1 to 80|is no scope"):
        tokens.create(person("operator"), name, scope)
