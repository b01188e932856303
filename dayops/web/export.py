"""Every table leaves DayOps as CSV or JSON: all rows that match, not only the page on the screen."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

Format = Literal["csv", "json"]
Cell = Any
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def wanted_format(request: HttpRequest) -> Format | None:
    """``?format=csv`` or ``?format=json``; None for the page itself."""
    match request.GET.get("format"):
        case "csv":
            return "csv"
        case "json":
            return "json"
    return None


def export(form: Format, name: str, fields: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponseBase:
    """Stream `rows` as a download called `name`; `fields` are the column names, one for each cell of a row.

    Instants go out as ISO 8601 UTC, durations in seconds, NaN and None as nothing (CSV) or null (JSON).
    """
    plain = ([_plain(cell) for cell in row] for row in rows)
    lines, content_type = (
        (_csv_lines(fields, plain), "text/csv; charset=utf-8")
        if form == "csv"
        else (_json_lines(fields, plain), "application/json")
    )
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{_file_name(name)}.{form}"'
    return response


def _csv_lines(fields: Sequence[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(fields)
    for row in rows:
        yield writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])


def _json_lines(fields: Sequence[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    separator = "[\n"
    for row in rows:
        yield separator + json.dumps(dict(zip(fields, row, strict=True)))
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


def guarded(text: str) -> str:
    """`text` as a spreadsheet may safely show it: what would start a formula gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat()
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return cell if isinstance(cell, str | int | None) else str(cell)


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
