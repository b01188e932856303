"""What happens to every request, before and after its view."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from dayops.web import tokens
from dayops.web.access import SAFE_METHODS, is_private
from dayops.web.refusals import is_fragment, refusal, wants_json

type_of_view = Callable[..., HttpResponseBase]
GetResponse = Callable[[HttpRequest], HttpResponseBase]
RETRY_AFTER_S = 5

log = logging.getLogger(__name__)


def database_away(request: HttpRequest, error: DatabaseError | InterfaceError) -> HttpResponse:
    """503 with Retry-After: PostgreSQL does not answer, and that is all a visitor needs to know."""
    log.error("database unavailable at %s: %s", request.path, str(error).strip())
    response = refusal(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database is unavailable, so this page cannot be shown. Nothing is lost.",
        "Try again in a few seconds; if it lasts, see whether PostgreSQL runs and its disk has room.",
    )
    response["Retry-After"] = str(RETRY_AFTER_S)
    return response


class DatabaseAway:
    """Turn "PostgreSQL does not answer" in a view into 503. Outside views, `errors.server_error` does the same."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError | InterfaceError):
            return database_away(request, error)
        return None


class ContentSecurityPolicy:
    """Send settings.SECURE_CSP, Django 6's name for it; on Django 6 this class is deleted for Django's own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {' '.join(sources)}" for name, sources in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class TokenAuthentication:
    """Let a program in by ``Authorization: Bearer …``: anywhere under /api/, and to read any page that is not private.

    Such a request carries its right in a header no other site can make a browser send, so it needs no CSRF token.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.api_token = None  # type: ignore[attr-defined]
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return self.get_response(request)
        token = tokens.authenticate(key.strip())
        if token is None:
            return _unauthorised(request, "This token is unknown, expired or revoked.", "Make a new one at /tokens/.")
        if problem := _token_may_not(request, reads_only=token.scope == token.Scope.READ):
            return refusal(request, HTTPStatus.FORBIDDEN, *problem)
        request.user = token.user
        request.api_token = token  # type: ignore[attr-defined]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # the switch CsrfViewMiddleware reads
        return self.get_response(request)


def _token_may_not(request: HttpRequest, *, reads_only: bool) -> tuple[str, str] | None:
    """What the token may not, and the remedy; None where it may."""
    if is_private(request.path):
        return "This page is not open to API tokens.", "Sign in with a browser."
    if request.method in SAFE_METHODS:
        return None
    if reads_only:
        return "This token may only read; the request wants to change something.", "Make one that may more at /tokens/."
    if request.path.startswith("/api/"):
        return None
    return "Outside /api/ a token may only read.", "Use the address under /api/v1/: see /api/v1/openapi.json."


class SignInRequired:
    """Deny by default: without a user only views marked `login_not_required` answer, unless reading is public."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: type_of_view, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if not getattr(view, "login_required", True) or request.user.is_authenticated or _readable_by_all(request):
            return None
        if wants_json(request) or is_fragment(request):
            return _unauthorised(request, "You are not signed in.", "Sign in, or send a token: Authorization: Bearer …")
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)


def _readable_by_all(request: HttpRequest) -> bool:
    return settings.PUBLIC_READ and request.method in SAFE_METHODS and not is_private(request.path)


def _unauthorised(request: HttpRequest, sentence: str, remedy: str) -> HttpResponse:
    response = refusal(request, HTTPStatus.UNAUTHORIZED, sentence, remedy)
    response["WWW-Authenticate"] = 'Bearer realm="DayOps"'
    return response
