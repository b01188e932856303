"""The admin: for maintainers, by group; what work wrote is only for reading."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from dayops import events
from dayops.models import ApiToken
from dayops.web import tokens
from tests.people import client_of, person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("group", ["observer", "operator", "scientist"])
def test_only_maintainers_enter(group):
    answer = client_of(group).get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "the group “maintainer”" in answer.content.decode()


def test_the_admin_has_no_sign_in_of_its_own():
    answer = Client().get("/admin/login/?next=/admin/")
    assert answer["Location"] == "/sign-in/?next=/admin/"


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model.__name__)
def test_every_list_opens_for_a_maintainer(model):
    events.record("test.made", "a sentence", actor="test")
    tokens.create(person("operator"), "a script", "read")
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    assert client_of("maintainer").get(reverse(name)).status_code == 200


def test_the_admin_names_things_in_english():
    text = client_of("maintainer").get("/admin/").content.decode()
    assert "Worker processes" in text
    assert "API tokens" in text


def test_a_maintainer_makes_an_account_and_puts_it_into_a_group():
    client = client_of("maintainer")
    password = "a long enough phrase"
    client.post(
        "/admin/auth/user/add/",
        {"username": "new", "password1": password, "password2": password, "usable_password": "true"},
    )
    new = User.objects.get(username="new")
    group = Group.objects.get(name="operator")
    client.post(f"/admin/auth/user/{new.pk}/change/", {"username": "new", "is_active": "on", "groups": [group.pk]})
    assert new.has_perm("dayops.operate_run")


def test_a_maintainer_cannot_make_himself_a_superuser():
    mia = person("maintainer")
    fields = {"username": mia.username, "is_active": "on", "is_superuser": "on", "is_staff": "on"}
    client_of("maintainer").post(f"/admin/auth/user/{mia.pk}/change/", fields)
    mia.refresh_from_db()
    assert (mia.is_superuser, mia.is_staff) == (False, False)


@pytest.mark.parametrize("page", ["change/", "password/"])
def test_a_maintainer_does_not_touch_a_superuser(page):
    root = User.objects.create_superuser("root", password="x" * 12)
    client = client_of("maintainer")
    answer = client.post(f"/admin/auth/user/{root.pk}/{page}", {"password1": "y" * 12, "password2": "y" * 12})
    assert answer.status_code == 403
    root.refresh_from_db()
    assert root.check_password("x" * 12)


def test_what_happened_cannot_be_edited():
    event = events.record("test.made", "a sentence", actor="test")
    answer = client_of("maintainer").post(f"/admin/dayops/event/{event.pk}/change/", {"text": "another"})
    assert answer.status_code == 403


def test_a_maintainer_revokes_anyones_token_and_never_sees_its_hash():
    token, _ = tokens.create(person("operator"), "a script", "read")
    client = client_of("maintainer")
    assert token.digest not in client.get(f"/admin/dayops/apitoken/{token.pk}/change/").content.decode()
    client.post("/admin/dayops/apitoken/", {"action": "revoke", "_selected_action": [token.pk]})
    assert ApiToken.objects.get().revoked_at is not None
