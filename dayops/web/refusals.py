"""How DayOps says no: one shape for people, one for programs, and never a traceback."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from dayops.web.theme import theme_of


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
