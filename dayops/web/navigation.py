"""The links in every page's header. A link whose page does not exist (yet) is left out."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class Destination:
    """A page in the header: `name` of its URL pattern, `title`, and the key that follows `g` to go there."""

    name: str
    title: str
    key: str


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str
    key: str
    name: str


DESTINATIONS = [
    Destination("board", "Day board", "b"),
    Destination("runs", "Runs", "r"),
    Destination("workers", "Workers", "w"),
    Destination("events", "Events", "e"),
    Destination("notes", "Notes", "n"),
    Destination("alarms", "Alarms", "a"),
]


def add(destination: Destination) -> None:
    """Put an activity's page into the header, once, between the board and the pages about work."""
    if destination not in DESTINATIONS:
        names = [known.name for known in DESTINATIONS]
        DESTINATIONS.insert(names.index("runs") if "runs" in names else len(names), destination)


def links(day: ObservingDay) -> Iterator[Link]:
    for destination in DESTINATIONS:
        if url := address(destination.name, day):
            yield Link(destination.title, url, destination.key, destination.name)


def address(name: str, day: ObservingDay) -> str:
    """URL of a page that may or may not take a dayObs; empty where there is no such page."""
    for kwargs in ({"day": day}, {}):
        try:
            return reverse(name, kwargs=kwargs)
        except NoReverseMatch:
            continue
    return ""
