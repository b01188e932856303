"""One search over everything that has a page. Apps add what they know with `add`.

    search.add(search.Source("Masters", find_masters, exact=master_url))

Exact names lead straight to their page; the rest is listed in groups. A source looks at a bounded number of rows, and
one that is slow nevertheless is cut off, so that a search takes a moment however large DayOps has become.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import islice
from operator import and_, or_
from string import digits
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Q
from psycopg.errors import QueryCanceled

T = TypeVar("T")

SHORTEST, LONGEST, MOST_WORDS = 2, 200, 6
SHOWN = 12
PATIENCE_MS = 1500


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found: its `title` leads to `url`; `about` says more."""

    title: str
    url: str
    about: str = ""


def _never(text: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Source:
    """Something to search. `find` takes the words and gives hits, best first; `exact` the URL of what is so called.

    `within` says, for people, how far it looks where that is not everything ("of the last 60 days").
    """

    title: str
    find: Callable[[Sequence[str]], Iterable[Hit]]
    exact: Callable[[str], str] = _never
    within: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What one source found; `more` where it found more than is shown, `remark` where it could not look."""

    source: Source
    hits: list[Hit]
    more: bool = False
    remark: str = ""


_sources: list[Source] = []


def add(source: Source) -> None:
    """Search `source` too, after those that are there. Called from an app's `ready()`."""
    if source not in _sources:
        _sources.append(source)


class NotSearchable(Exception):
    """The text is nothing one can search for; the message says why."""


def cleaned(text: str) -> str:
    """The text as it is searched for: printable, with single spaces. Raises NotSearchable in words."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    found = " ".join(printable.split())
    if not found:
        raise NotSearchable("Type what you look for: the name of an exposure, a detector, a run's number, any words.")
    if len(found) > LONGEST:
        raise NotSearchable(f"That is {len(found)} characters; at most {LONGEST} can be searched for.")
    if len(found) < SHORTEST and found not in set(digits):
        raise NotSearchable(f"“{found}” is too short: at least {SHORTEST} characters are needed.")
    return found


def exactly(text: str) -> str:
    """The URL of what is called exactly `text`; empty where there is nothing."""
    return next(filter(None, (_patiently(partial(source.exact, text), "") for source in _sources)), "")


def everywhere(text: str) -> list[Group]:
    """What every source finds for the words of `text`, without those that find nothing."""
    words = text.split()[:MOST_WORDS]
    groups = (_look(source, words) for source in _sources)
    return [group for group in groups if group.hits or group.remark]


def _look(source: Source, words: Sequence[str]) -> Group:
    nothing: list[Hit] | None = None
    hits = _patiently(lambda: list(islice(source.find(words), SHOWN + 1)), nothing)
    if hits is None:
        return Group(source, [], remark="This took too long; say more exactly what you look for.")
    return Group(source, hits[:SHOWN], more=len(hits) > SHOWN)


def _patiently(look: Callable[[], T], otherwise: T) -> T:
    """What `look` finds, or `otherwise` where PostgreSQL needs longer than `PATIENCE_MS` for one of its queries."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
            found = look()
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return otherwise
        raise


def containing(words: Sequence[str], *fields: str) -> Q:
    """Rows in which every word is in one of `fields`, whatever its case; ``%`` and ``_`` are letters like others."""
    return reduce(and_, (reduce(or_, (Q(**{f"{name}__icontains": word}) for name in fields)) for word in words), Q())
