"""The search page: straight to what is so called, or everything in which the words are."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dayops.web import search


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """``?q=``; with ``?all=1`` the list even where one thing is called exactly so."""
    given = request.GET.get("q", "")
    try:
        text = search.cleaned(given)
    except search.NotSearchable as error:
        return render(request, "search.html", {"given": given[: search.LONGEST], "sentence": error})
    if request.GET.get("all") != "1" and (url := search.exactly(text)):
        return redirect(url)
    return render(request, "search.html", {"given": text, "groups": search.everywhere(text)})
