"""What every endpoint has in common: its methods, its pages of rows, and errors as ``{"error": sentence}``."""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.paginator import EmptyPage, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from dayops.web.refusals import refusal

P = ParamSpec("P")
M = TypeVar("M", bound=Model)
Endpoint = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

PAGE_SIZE = 100
LARGEST_PAGE = 1000


class BadRequest(Exception):
    """The request makes no sense; the message says what was expected."""


def endpoint(method: str) -> Callable[[Endpoint[P]], Endpoint[P]]:
    """Answer `method` only (GET: HEAD too), and say in JSON what is wrong with any other request."""
    allowed = ("GET", "HEAD") if method == "GET" else (method,)

    def guard(view: Endpoint[P]) -> Endpoint[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method not in allowed:
                return _not_allowed(request, allowed)
            try:
                return view(request, *args, **kwargs)
            except BadRequest as error:
                return refusal(request, HTTPStatus.BAD_REQUEST, str(error))
            except EmptyPage as error:
                return refusal(request, HTTPStatus.NOT_FOUND, str(error))

        return guarded

    return guard


def _not_allowed(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    sentence = f"{request.method} is not possible here; use {' or '.join(allowed)}."
    response = refusal(request, HTTPStatus.METHOD_NOT_ALLOWED, sentence)
    response["Allow"] = ", ".join(allowed)
    return response


def one_page(
    request: HttpRequest, rows: QuerySet[M] | Sequence[M], name: str, as_json: Callable[[M], Any]
) -> dict[str, Any]:
    """Page ``?page=`` of `rows`, ``?size=`` of them (at most 1000), and how many there are.

    Raises BadRequest for numbers that make no sense and EmptyPage beyond the last page.
    """
    number, size = _whole(request, "page", 1), _whole(request, "size", PAGE_SIZE)
    if size > LARGEST_PAGE:
        raise BadRequest(f"size={size} is too large: ask for at most {LARGEST_PAGE} and follow the pages.")
    pages = Paginator(rows, size)
    if number > pages.num_pages:
        raise EmptyPage(f"There is no page {number}: there are {pages.num_pages}.")
    page = pages.page(number)
    return {name: [as_json(row) for row in page], "page": number, "pages": pages.num_pages, "total": pages.count}


def _whole(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 9 and int(text) > 0):
        raise BadRequest(f"{name}={text!r} is not a whole number above zero.")
    return int(text)


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent. Raises BadRequest for anything else."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadRequest('The body is not JSON; expected an object, e.g. {"reason": "wrong filter"}.') from error
    if not isinstance(body, dict):
        raise BadRequest('The body is not a JSON object; expected e.g. {"reason": "wrong filter"}.')
    return body
