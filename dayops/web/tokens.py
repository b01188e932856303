"""API tokens: made once, shown once, kept as a hash, revocable at any time."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from dayops import events
from dayops.models import ApiToken

PREFIX = "dayops_"  # so that secret scanners and people recognise a leaked one
_NOTE_USE_EVERY = timedelta(minutes=1)


def create(user: User, name: str, scope: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Make a token of `user` and return it with its key, which nobody can learn again.

    Raises ValueError, in words, for an empty or used name, an unknown scope or an expiry that is past.
    """
    name = name.strip()
    if not 0 < len(name) <= 80:
        raise ValueError("A token needs a name of 1 to 80 characters, to know it by when you revoke it.")
    if scope not in ApiToken.Scope.values:
        raise ValueError(f"{scope!r} is no scope; choose one of {', '.join(ApiToken.Scope.values)}.")
    key = PREFIX + secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                user=user, name=name, digest=_digest(key), scope=scope, expires_at=expires_at
            )
            _record(token, "token.created", f"{user.get_username()} made the token “{name}” ({scope}).")
    except IntegrityError as error:
        raise ValueError(f"You already have a token called “{name}”; choose another name.") from error
    return token, key


def authenticate(key: str) -> ApiToken | None:
    """The living token with this key, with its active user; None for any other. Notes the use, once a minute."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=Now()), digest=_digest(key), revoked_at=None)
        .filter(user__is_active=True)
        .first()
    )
    if token is not None:
        lately = Q(last_used_at__gt=Now() - _NOTE_USE_EVERY)
        ApiToken.objects.filter(~lately | Q(last_used_at=None), pk=token.pk).update(last_used_at=Now())
    return token


@transaction.atomic
def revoke(token: ApiToken, actor: str) -> bool:
    """End a token for good. False where it had been revoked before."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now())
    if changed:
        _record(token, "token.revoked", f"{actor} revoked the token “{token.name}”.", actor)
    return bool(changed)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _record(token: ApiToken, kind: str, text: str, actor: str = "") -> None:
    events.record(kind, text, actor=actor or token.user.get_username(), subject=f"token:{token.pk}")
