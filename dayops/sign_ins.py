"""People for a demonstration: one of each role, with passwords made here and kept in the state folder."""

from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from dayops.embedded import kept_secret
from dayops.models import ApiToken
from dayops.web import tokens

OBSERVATORY_CONTROL = "ocs"
ROLES = {"observer": "reads", "operator": "runs and aborts", "scientist": "judges", "maintainer": "admin"}


@dataclass(frozen=True, slots=True)
class SignIn:
    """A name and password for one role."""

    role: str
    user: str
    password: str
    may: str


def demonstration_sign_ins(state: Path) -> tuple[SignIn, ...]:
    """One user for each role, named like the role. The same passwords every time on one state folder."""
    return tuple(_sign_in(state, role, may) for role, may in ROLES.items())


def observatory_control_token() -> str:
    """The key of the simulated observatory control system: made anew at every start, since it is not kept."""
    user, _ = get_user_model().objects.get_or_create(username=OBSERVATORY_CONTROL)
    user.set_unusable_password()
    user.save()
    user.groups.set([Group.objects.get(name="operator")])
    ApiToken.objects.filter(user=user).delete()
    return tokens.create(user, "simulated observatory control system", ApiToken.Scope.OCS)[1]


def _sign_in(state: Path, role: str, may: str) -> SignIn:
    password = kept_secret(state / "sign_ins" / role)[:16]
    user, _ = get_user_model().objects.get_or_create(username=role)
    if not user.check_password(password):
        user.set_password(password)
    user.save()
    user.groups.set([Group.objects.get(name=role)])
    return SignIn(role, role, password, may)
