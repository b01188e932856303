"""Who may do what: groups, sessions, tokens, and nobody at all."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from dayops.models import ApiToken, Event
from dayops.web import tokens
from dayops.web.access import RIGHTS
from tests.people import client_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.dayops.web_urls")]


def bearer(scope: str, group: str = "operator", expires_at: datetime | None = None) -> dict[str, str]:
    _, key = tokens.create(person(group), "a script", scope, expires_at)
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("group", "rights"),
    [
        ("observer", set()),
        ("operator", {"operate_run", "command_device"}),
        ("scientist", {"judge_frame", "edit_threshold"}),
        ("maintainer", {"operate_run", "judge_frame", "edit_threshold", "maintain", "command_device"}),
    ],
)
def test_a_group_carries_exactly_its_rights(group, rights):
    assert set(Group.objects.get(name=group).permissions.values_list("codename", flat=True)) == rights


@pytest.mark.parametrize("permission", RIGHTS)
def test_what_a_refusal_says_about_groups_is_what_the_database_grants(permission):
    codename = permission.removeprefix("dayops.")
    granted = Group.objects.filter(permissions__codename=codename).values_list("name", flat=True)
    assert set(granted) == set(RIGHTS[permission].groups)


@pytest.mark.parametrize(
    ("group", "status"), [("observer", 403), ("operator", 200), ("scientist", 403), ("maintainer", 200)]
)
def test_only_who_may_operate_operates(group, status):
    assert client_of(group).post("/operate/").status_code == status


def test_a_refusal_says_which_group_may():
    page = client_of("observer").post("/operate/").content.decode()
    assert "the group “operator” or the group “maintainer”" in page


def test_the_api_refuses_in_json():
    answer = client_of("observer").post("/api/operate")
    assert answer.status_code == 403
    assert "operator" in answer.json()["error"]


def test_an_anonymous_visitor_is_sent_to_sign_in_and_back():
    answer = Client().get("/read/?page=2")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/read/%3Fpage%3D2")


def test_an_anonymous_program_is_told_how_to_authenticate():
    answer = Client().get("/api/unguarded")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "token" in answer.json()["remedy"]


def test_a_background_request_of_a_signed_out_page_is_not_redirected():
    assert Client().get("/pulse/", headers={"X-DayOps-Fragment": "1"}).status_code == 401


def test_public_reading_opens_pages_for_reading_only(settings):
    settings.PUBLIC_READ = True
    assert Client().get("/read/").status_code == 200
    assert Client().post("/read/").status_code == 302


@pytest.mark.parametrize("path", ["/admin/", "/tokens/", "/style/"])
def test_public_reading_leaves_private_pages_closed(settings, path):
    settings.PUBLIC_READ = True
    assert Client().get(path).status_code in {302, 403}


OPEN_TO_ALL = {"healthz", "readyz", "sign-in"}


def patterns(found: list[URLPattern | URLResolver], prefix: str = "") -> list[tuple[str, URLPattern]]:
    here = [(prefix + str(each.pattern), each) for each in found if isinstance(each, URLPattern)]
    below = [(prefix + str(each.pattern), each) for each in found if isinstance(each, URLResolver)]
    return here + [pair for path, each in below for pair in patterns(each.url_patterns, path)]


@pytest.mark.urls("dayops.urls")
def test_every_address_but_three_needs_a_user():
    open_views = {
        each.name
        for _, each in patterns(get_resolver().url_patterns)
        if not getattr(each.callback, "login_required", True)
    }
    assert open_views - {"login"} == OPEN_TO_ALL


def test_a_token_lets_a_program_operate_without_a_csrf_token():
    answer = Client(enforce_csrf_checks=True).post("/api/operate", headers=bearer("operate"))
    assert (answer.status_code, answer.json()) == (200, {"by": "operator"})


def test_a_session_still_needs_a_csrf_token_in_the_api():
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("operator"))
    answer = client.post("/api/operate")
    assert answer.status_code == 403
    assert "reload the page" in answer.json()["remedy"]


def test_a_token_never_does_more_than_its_scope():
    assert Client().post("/api/judge", headers=bearer("operate", "maintainer")).status_code == 403


def test_a_token_never_does_more_than_its_user():
    answer = Client().post("/api/operate", headers=bearer("operate", "observer"))
    assert answer.status_code == 403
    assert "ask a maintainer" in answer.json()["error"]


def test_a_reading_token_changes_nothing_even_where_a_view_forgot_to_ask():
    headers = bearer("read")
    assert Client().get("/api/unguarded", headers=headers).status_code == 200
    assert Client().post("/api/unguarded", headers=headers).status_code == 403


def test_outside_the_api_a_token_only_reads():
    headers = bearer("operate")
    assert Client().get("/read/", headers=headers).status_code == 200
    assert Client().post("/operate/", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/admin/", "/tokens/"])
def test_no_token_opens_a_private_page(path):
    assert Client().get(path, headers=bearer("read", "maintainer")).status_code == 403


def test_a_revoked_token_is_refused():
    headers = bearer("read")
    tokens.revoke(ApiToken.objects.get(), "somebody")
    assert Client().get("/api/unguarded", headers=headers).status_code == 401


def test_an_expired_token_is_refused():
    headers = bearer("read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert Client().get("/api/unguarded", headers=headers).status_code == 401


def test_a_token_of_an_inactive_user_is_refused():
    headers = bearer("read")
    ApiToken.objects.get().user.__class__.objects.update(is_active=False)
    assert Client().get("/api/unguarded", headers=headers).status_code == 401


@pytest.mark.parametrize("key", ["", "dayops_guess", "\x00", "é" * 50])
def test_a_guessed_token_is_refused(key):
    answer = Client().get("/api/unguarded", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401


def test_making_and_revoking_a_token_are_events_without_the_key():
    token, key = tokens.create(person("operator"), "a script", "operate")
    tokens.revoke(token, "somebody")
    written = list(Event.objects.filter(subject=f"token:{token.pk}").order_by("id"))
    assert [event.kind for event in written] == ["token.created", "token.revoked"]
    assert key not in json.dumps([event.text for event in written])


def test_the_policy_of_settings_is_sent_with_every_answer():
    policy = Client().get("/sign-in/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert policy.count(";") == len(settings.SECURE_CSP) - 1
