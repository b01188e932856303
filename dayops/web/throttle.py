"""Slowing down whoever guesses passwords.

Failed sign-ins are events, so counting them needs no table of its own and the attack is in the record. The name that
was tried is written out only if it is a user's, because people type passwords into the wrong field; all names are
counted alike, by a keyed hash, so that being refused does not tell which ones exist.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from dayops import events
from dayops.models import Event, Severity

WINDOW = timedelta(minutes=15)
PER_USER = 5  # failures of one user from one address
PER_ADDRESS = 30  # failures from one address, whoever it claims to be: a control room shares one


def address_of(request: HttpRequest) -> str:
    """Where the request comes from. Behind the site's proxy (DAYOPS_TLS) its last X-Forwarded-For entry says so."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return (settings.TLS and forwarded) or request.META.get("REMOTE_ADDR") or "unknown"


def one_at_a_time(address: str) -> None:
    """Until the transaction ends, check only one password from this address: else parallel guesses go uncounted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_subject(address)])


def refusal_for(address: str, user: str) -> str:
    """Why this attempt is not even tried, as a sentence; empty where it may be."""
    tried = list(
        Event.objects.filter(subject=_subject(address), kind="sign-in.failed", at__gt=Now() - WINDOW)
        .order_by("-id")
        .values_list("data__name", flat=True)[:PER_ADDRESS]
    )
    if len(tried) < PER_ADDRESS and tried.count(_hashed(user)) < PER_USER:
        return ""
    minutes = int(WINDOW.total_seconds() // 60)
    return f"Too many failed sign-ins from here. Wait {minutes} minutes and try again, or ask a maintainer."


def record_failure(address: str, user: str) -> None:
    known = user if get_user_model()._default_manager.filter(username=user).exists() else ""
    events.record(
        "sign-in.failed",
        f"A sign-in {f'as {known}' if known else 'with an unknown name'} from {address} failed.",
        actor="sign-in",
        severity=Severity.WARN,
        subject=_subject(address),
        data={"name": _hashed(user)},
    )


def _hashed(user: str) -> str:
    return salted_hmac("dayops.sign-in", user).hexdigest()[:16]


def _subject(address: str) -> str:
    return f"sign-in:{address}"[:200]
