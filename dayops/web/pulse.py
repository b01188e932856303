"""The heartbeat every open page listens to. When it fails to come, the page says that it is stale."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import conditional_page, require_safe


@require_safe
@conditional_page
def pulse(request: HttpRequest) -> HttpResponse:
    """A fragment: the warnings at the top of every page, current."""
    return render(request, "partials/warnings.html")
