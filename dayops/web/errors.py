"""The pages for what went wrong. Named as handlers in `dayops.urls`."""

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from dayops.web.middleware import database_away
from dayops.web.refusals import refusal


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(
        request,
        HTTPStatus.BAD_REQUEST,
        "DayOps could not make sense of this request.",
        "Go back and try again; if you typed the address, see whether its parameters are right.",
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, HTTPStatus.FORBIDDEN, str(exception) or "You may not do this.", "Ask a maintainer.")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return refusal(
        request,
        HTTPStatus.FORBIDDEN,
        "The form you sent is too old or did not come from this site, so nothing was done.",
        "Go back, reload the page and send it again.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(
        request,
        HTTPStatus.NOT_FOUND,
        f"There is nothing at {request.path}.",
        "See whether the dayObs exists (YYYY-MM-DD) and the name is spelled right, or start from the day board.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the error now being handled says that PostgreSQL is away."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return database_away(request, error)
    return refusal(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "DayOps failed to answer this request. The failure is in the server's log with its details.",
        "Try again; if it fails again, tell a maintainer the address and the time.",
    )
