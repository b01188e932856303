"""Who may do what. Everyone who is signed in reads; four rights say the rest, and groups carry them.

A token never does more than its user may, and never more than its scope.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase

from dayops.models import ApiToken
from dayops.web.refusals import refusal

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Right:
    """One permission in words: what it allows, which groups carry it and which token scope reaches it."""

    deed: str
    groups: tuple[str, ...]
    scope: str | None


RIGHTS = {
    "dayops.operate_run": Right("start, retry and abort runs", ("operator", "maintainer"), ApiToken.Scope.OPERATE),
    "dayops.judge_frame": Right(
        "give verdicts on frames and candidates", ("scientist", "maintainer"), ApiToken.Scope.JUDGE
    ),
    "dayops.edit_threshold": Right("change thresholds", ("scientist", "maintainer"), ApiToken.Scope.JUDGE),
    "dayops.command_device": Right("command devices", ("operator", "maintainer"), ApiToken.Scope.OCS),
    "dayops.maintain": Right("maintain DayOps", ("maintainer",), None),
}


def is_private(path: str) -> bool:
    """True for pages that are never public and never open to tokens: the admin, and a user's own tokens."""
    return path.startswith(("/admin/", "/tokens/"))


def why_not(request: HttpRequest, permission: str) -> str:
    """Why this request may not use `permission`, as a sentence; empty where it may.

    Raises KeyError for a permission that `RIGHTS` does not know: that is a mistake in the code.
    """
    right = RIGHTS[permission]
    token: ApiToken | None = getattr(request, "api_token", None)
    if not request.user.is_authenticated:
        return f"Sign in to {right.deed}."
    if not request.user.has_perm(permission):
        return f"Only {_either(right.groups)} may {right.deed}; ask a maintainer to put you in that group."
    if token is not None and token.scope != right.scope:
        return f"A token of scope “{token.scope}” may not {right.deed}; make one of scope “{right.scope or 'none'}”."
    return ""


def may(request: HttpRequest, permission: str) -> bool:
    return not why_not(request, permission)


def require(permission: str) -> Callable[[View[P]], View[P]]:
    """Guard a view: without `permission` it answers 403 with a sentence saying which group may.

    Works for people with a session and for programs with a token alike.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if reason := why_not(request, permission):
                return refusal(request, HTTPStatus.FORBIDDEN, reason)
            return view(request, *args, **kwargs)

        return guarded

    return guard


def _either(groups: tuple[str, ...]) -> str:
    return " or ".join(f"the group “{group}”" for group in groups)
