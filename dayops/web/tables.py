"""Tables that sort, filter, page and export by query string, so that what one sees can be linked to.

    FRAMES = Table("frames", (Column("name", "Exposure", lambda e: e.name, order="name"), ...), search=("name",))
    return FRAMES.respond(request, Exposure.objects.filter(...), "exposures.html", {"title": ...})

The template says ``{% include "partials/table.html" %}``. Rows are a QuerySet (two queries) or a list.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, Literal
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from dayops.web.cells import Kind, markup_of
from dayops.web.export import export, wanted_format
from dayops.web.markup import severity

Row = Any
Rows = QuerySet[Any] | Sequence[Row]
Direction = Literal["ascending", "descending", "none"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `value` takes the cell's value from a row; `order` is the model field to sort by, empty for none.

    A list of rows is sorted by `value` (a status by how bad it is), wherever `order` is not empty. `shown` is what
    people see in place of the value, as text; exports keep the value. A column that is not `on_page` is exported alone.
    """

    name: str
    title: str
    value: Callable[[Row], Any]
    kind: Kind = "text"
    order: str = ""
    unit: str = ""
    digits: int = 4
    link: Callable[[Row], str] | None = None
    shown: Callable[[Row], str] | None = None
    on_page: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the table: rows whose `field` (for lists: the column of that name) equals what was chosen."""

    name: str
    title: str
    choices: Sequence[tuple[str, str]]
    field: str


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading, and the query string that sorts by it."""

    column: Column
    direction: Direction
    sort: str


@dataclass(frozen=True)
class Table:
    name: str
    columns: Sequence[Column]
    search: Sequence[str] = ()
    filters: Sequence[Filter] = ()
    page_size: int = 100
    by_name: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    def respond(
        self, request: HttpRequest, rows: Rows, template: str, context: Mapping[str, Any] | None = None
    ) -> HttpResponseBase:
        """The page with this table as `table`, or its export where the query string asks for one."""
        chosen = self.chosen(request, rows)
        if form := wanted_format(request):
            cells = ([column.value(row) for column in self.columns] for row in _each(chosen))
            return export(form, self.name, [column.name for column in self.columns], cells)
        return render(request, template, {**(context or {}), "table": TableView(self, request, chosen)})

    def chosen(self, request: HttpRequest, rows: Rows) -> Rows:
        """The rows that match the query string's filters and search, in its order. Unknown names are ignored."""
        for choice in self.filters:
            value = request.GET.get(choice.name, "")
            if value in {key for key, _ in choice.choices}:
                rows = self._equal(rows, choice.field, value)
        if text := request.GET.get("q", "").replace("\0", "").strip():
            rows = self._containing(rows, text)
        name = request.GET.get("sort", "")
        column = self.by_name.get(name.removeprefix("-"))
        return _ordered(rows, column, descending=name.startswith("-")) if column and column.order else rows

    def _equal(self, rows: Rows, name: str, value: str) -> Rows:
        if isinstance(rows, QuerySet):
            return rows.filter(**{name: value})
        return [row for row in rows if str(self.by_name[name].value(row)) == value]

    def _containing(self, rows: Rows, text: str) -> Rows:
        if isinstance(rows, QuerySet):
            clauses = [Q(**{f"{name}__icontains": text}) for name in self.search]
            return rows.filter(reduce(or_, clauses)) if clauses else rows
        values = [self.by_name[name].value for name in self.search]
        return [row for row in rows if any(text.lower() in str(value(row) or "").lower() for value in values)]


def _ordered(rows: Rows, column: Column, *, descending: bool) -> Rows:
    if isinstance(rows, QuerySet):
        return rows.order_by(f"-{column.order}" if descending else column.order, "pk")
    with_value = [row for row in rows if column.value(row) is not None]
    without = [row for row in rows if column.value(row) is None]
    key = (lambda row: severity(column.value(row))) if column.kind == "status" else column.value
    return sorted(with_value, key=key, reverse=descending) + without


def _each(rows: Rows) -> Iterable[Row]:
    return rows.iterator(chunk_size=2000) if isinstance(rows, QuerySet) else rows


@dataclass(frozen=True)
class TableView:
    """A table as one request sees it: what `partials/table.html` draws."""

    table: Table
    request: HttpRequest
    rows: Rows
    page: Page[Any] = field(init=False)

    def __post_init__(self) -> None:
        pages = Paginator(self.rows, self.table.page_size)
        object.__setattr__(self, "page", pages.get_page(self.request.GET.get("page")))

    def heads(self) -> Iterator[Head]:
        now = self.request.GET.get("sort", "")
        for column in self._columns():
            direction: Direction = {column.name: "ascending", f"-{column.name}": "descending"}.get(now, "none")  # type: ignore[assignment]
            yield Head(column, direction, f"-{column.name}" if direction == "ascending" else column.name)

    def body(self) -> Iterator[list[tuple[Column, str]]]:
        for row in self.page:
            yield [(column, markup_of(column, row)) for column in self._columns()]

    def _columns(self) -> list[Column]:
        return [column for column in self.table.columns if column.on_page]

    def choices(self) -> Iterator[tuple[Filter, str]]:
        return ((choice, self.request.GET.get(choice.name, "")) for choice in self.table.filters)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the page's address says beside this table, and what a new search or filter must not lose."""
        ours = {"q", "page", "format", *(choice.name for choice in self.table.filters)}
        return [(name, str(value)) for name, value in self.request.GET.items() if name not in ours]

    @property
    def cleared_url(self) -> str:
        return self.request.path + (f"?{urlencode(self.kept)}" if self.kept else "")

    @property
    def total(self) -> int:
        return self.page.paginator.count

    @property
    def query(self) -> str:
        return self.request.GET.get("q", "")

    @property
    def is_filtered(self) -> bool:
        return bool(self.query) or any(value for _, value in self.choices())
