"""Work done while somebody else is waited for."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

One = TypeVar("One")


def ahead(items: Iterable[One]) -> Iterator[One]:
    """The items, each made in a thread while the one before is used. What goes wrong there is raised here."""
    end = object()
    coming = iter(items)
    with ThreadPoolExecutor(1) as thread:
        waited = thread.submit(next, coming, end)
        while (item := waited.result()) is not end:
            waited = thread.submit(next, coming, end)
            yield item  # type: ignore[misc]
