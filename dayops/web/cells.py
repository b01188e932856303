"""How a table's cell looks, by the kind of its column."""

from collections.abc import Callable
from typing import Any, Literal, Protocol

from django.utils.html import conditional_escape, format_html

from dayops.web import markup

Kind = Literal["text", "number", "status", "instant", "duration"]


class CellColumn(Protocol):
    """What a cell must know of its column."""

    @property
    def value(self) -> Callable[[Any], Any]: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def unit(self) -> str: ...
    @property
    def digits(self) -> int: ...
    @property
    def link(self) -> Callable[[Any], str] | None: ...
    @property
    def shown(self) -> Callable[[Any], str] | None: ...


def markup_of(column: CellColumn, row: Any) -> str:
    """HTML of one cell. Units stand in the column's heading, not in each cell."""
    text = conditional_escape(column.shown(row)) if column.shown else _look(column, column.value(row))
    address = column.link(row) if column.link else ""
    return format_html('<a href="{}">{}</a>', address, text) if address else text


def _look(column: CellColumn, value: Any) -> str:
    if value is None:
        return markup.NOTHING
    match column.kind:
        case "number":
            return markup.number(value, digits=column.digits)
        case "status":
            return markup.status(value)
        case "instant":
            return markup.instant(value)
        case "duration":
            return markup.duration(value)
    return conditional_escape(value)
