"""The three looks of DayOps. The browser keeps the choice in a cookie, so that the first paint is already right."""

from django.http import HttpRequest

THEMES = ("dark", "light", "night")
COOKIE = "theme"


def theme_of(request: HttpRequest) -> str:
    """The theme this browser chose; dark where it chose none."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else THEMES[0]
