"""Every table leaves DayOps as CSV, JSON or FITS: all rows that match, not only the page on the screen."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Literal

import numpy as np
from astropy.io import fits
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

Format = Literal["csv", "json", "fits"]
Cell = Any
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def wanted_format(request: HttpRequest) -> Format | None:
    """``?format=csv``, ``?format=json`` or ``?format=fits``; None for the page itself."""
    match request.GET.get("format"):
        case "csv":
            return "csv"
        case "json":
            return "json"
        case "fits":
            return "fits"
    return None


def export(form: Format, name: str, fields: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponseBase:
    """`rows` as a download called `name`; `fields` are the column names, one for each cell of a row.

    Instants go out as ISO 8601 UTC, durations in seconds, NaN and None as nothing (CSV), null (JSON) or NaN (FITS).
    """
    plain = ([_plain(cell) for cell in row] for row in rows)
    response: HttpResponseBase
    if form == "csv":
        response = StreamingHttpResponse(_csv_lines(fields, plain), content_type="text/csv; charset=utf-8")
    elif form == "json":
        response = StreamingHttpResponse(_json_lines(fields, plain), content_type="application/json")
    else:
        response = HttpResponse(_fits_bytes(fields, list(plain)), content_type="application/fits")
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


def _fits_bytes(fields: Sequence[str], rows: Sequence[list[Cell]]) -> bytes:
    """A FITS file of one binary table (FITS 4.0, § 7.3)."""
    columns = [_fits_column(field, [row[i] for row in rows]) for i, field in enumerate(fields)]
    file = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, nrows=len(rows))]).writeto(file)
    return file.getvalue()


def _fits_column(field: str, cells: Sequence[Cell]) -> fits.Column:
    """Whole numbers as 64 bits; with fractions or gaps as doubles; else text, in ASCII: ``?`` for other letters."""
    if all(isinstance(cell, int) and abs(cell) < 2**63 for cell in cells):
        return fits.Column(field, "K", array=np.array(cells, dtype=np.int64))
    if all(isinstance(cell, int | float | None) for cell in cells):
        return fits.Column(field, "D", array=np.array([_double(cell) for cell in cells]))
    texts = ["" if cell is None else str(cell).encode("ascii", "replace") for cell in cells]
    width = max(1, *map(len, texts))
    return fits.Column(field, f"{width}A", array=np.array(texts, dtype=f"S{width}"))


def _double(cell: float | int | None) -> float:
    try:
        return math.nan if cell is None else float(cell)
    except OverflowError:
        return math.inf if cell and cell > 0 else -math.inf


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
