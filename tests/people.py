"""The cast: one person of each role, and a client that is signed in as one of them."""

from django.contrib.auth.models import Group, User
from django.test import Client

ROLES = ("observer", "operator", "scientist", "maintainer")


def person(role: str) -> User:
    """The user named like the role, in its group."""
    user, _ = User.objects.get_or_create(username=role)
    user.groups.set([Group.objects.get_or_create(name=role)[0]])
    return user


def client_of(role: str = "observer") -> Client:
    """A browser in which `role` has signed in; ``anonymous`` has not."""
    client = Client()
    if role != "anonymous":
        client.force_login(person(role))
    return client
