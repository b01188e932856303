"""Every component of the visual language on one page, for maintainers and for the browser test."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dayops.web.access import require


@require("dayops.maintain")
def style(request: HttpRequest) -> HttpResponse:
    return render(request, "style.html")
