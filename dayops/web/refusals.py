"""How DayOps says no: one shape for people, one for programs, and never a traceback."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string

from dayops.web.theme import theme_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    """True where a program asks: the API, a JSON export, or an Accept header that prefers JSON to HTML."""
    if request.path.startswith("/api/") or request.GET.get("format") == "json":
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def is_fragment(request: HttpRequest) -> bool:
    """True for the background requests of our own pages (`static/js/poll.js` says so in a header)."""
    return request.headers.get("X-DayOps-Fragment") == "1"


def refusal(request: HttpRequest, status: HTTPStatus, sentence: str, remedy: str = "") -> HttpResponse:
    """Answer `status` with a sentence saying what was wrong and a remedy, as JSON for programs and a page for people.

    The page is rendered without context processors, because the database may be what is missing.
    """
    if wants_json(request):
        return JsonResponse({"error": sentence, "remedy": remedy, "status": status.value}, status=status)
    context = {"status": status.value, "title": status.phrase, "sentence": sentence, "remedy": remedy}
    body = render_to_string("error.html", {**context, "theme": theme_of(request)})
    return HttpResponse(body, status=status)


class Refused(Exception):
    """An address that cannot be answered: the status, what is wrong, and what to do about it."""

    def __init__(self, status: HTTPStatus, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.remedy = status, sentence, remedy


def not_here(sentence: str, remedy: str) -> Refused:
    return Refused(HTTPStatus.NOT_FOUND, sentence, remedy)


def bad_request(sentence: str, remedy: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, sentence, remedy)


def in_words(view: View[P]) -> View[P]:
    """Let a view say `Refused`, and answer with its sentence."""

    @wraps(view)
    def answered(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refused as refused:
            return refusal(request, refused.status, refused.sentence, refused.remedy)

    return answered
