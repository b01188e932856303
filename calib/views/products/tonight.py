"""What will tonight use? A grid of every type, filter and detector, and the same as a table with reasons."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe

from calib.certification.instants import utc_of
from calib.models import ProductType
from calib.products.tonight import MISSING, OLD, TODAY, Cell, Tonight, tonight
from calib.views.products.day import readiness, set_url
from dayops.observing_day import ObservingDay
from dayops.web.refusals import bad_request, in_words, is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.texts import Unbroken

MOST_COLUMNS = 30
REASONS_SHOWN = 8
LIVE_EVERY_S = 10
_NAMES = {MISSING: "missing", OLD: "old", TODAY: "today"}  # the worst first
_WORDS = {TODAY: "OK", OLD: "WARN", MISSING: "MISSING"}


def product_url(pk: int) -> str:
    return reverse("calib-camera:product", args=[pk])


def _used_url(cell: Cell) -> str:
    return product_url(cell.outlook.found.product) if cell.outlook.found else ""


def _candidate_url(cell: Cell) -> str:
    return product_url(cell.candidate) if cell.candidate else ""


SLOTS = Table(
    "tonight",
    (
        Column("type", "Type", lambda row: str(row.outlook.type.label), order="type"),
        Column("filter", "Filter", lambda row: row.outlook.filter or None, order="filter"),
        Column("raft", "Raft", lambda row: row.detector.raft, order="raft", on_page=False),
        Column("detector", "Detector", lambda row: row.detector.name, order="detector", link=_used_url),
        Column("state", "State", lambda row: _WORDS[row.state], "status", order="state"),
        Column(
            "day_obs",
            "dayObs",
            lambda row: Unbroken(ObservingDay(row.outlook.found.day_obs)) if row.outlook.found else None,
            order="day_obs",
        ),
        Column("age_days", "Age", lambda row: row.outlook.age_days, "number", order="age_days", unit="days"),
        Column(
            "collection",
            "Collection",
            lambda row: row.outlook.found.collection if row.outlook.found else None,
            order="collection",
        ),
        Column(
            "known",
            "Certified",
            lambda row: row.outlook.found.known_from if row.outlook.found else None,
            "instant",
            order="known",
            unit="UTC",
        ),
        Column("passed", "Tests passed", lambda row: row.passed, "number", order="passed"),
        Column("failed", "Tests failed", lambda row: row.failed, "number", order="failed"),
        Column("why", "Why not today's", lambda row: row.why or None, order="why"),
        Column(
            "product", "Product", lambda row: row.outlook.found.product if row.outlook.found else None, on_page=False
        ),
        Column("candidate", "Candidate", lambda row: row.candidate, link=_candidate_url, order="candidate"),
    ),
    search=("detector", "why"),
    page_size=100,
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One place of the grid: a look and words that lead to the product, and the candidate that is not used."""

    look: str
    words: str
    title: str
    url: str = ""
    candidate_url: str = ""


@dataclass(frozen=True)
class Grid:
    """Rows of a type and filter, columns of detectors, or of rafts where there are too many of them."""

    heads: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, str, list[Tag]]] = field(default_factory=list)


@require_safe
@conditional_page
@in_words
def tonight_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """Now, or as it was known at ``?known=``; of one raft with ``?raft=``."""
    known_at = known_of(request)
    found = tonight(day, known_at=known_at)
    rafts = list(dict.fromkeys(cell.detector.raft for cell in found.cells))
    raft = request.GET.get("raft", "")
    shown = [cell for cell in found.cells if cell.detector.raft == raft] if raft in rafts else found.cells
    context = {
        "tonight": found,
        "at": utc_of(found.at),
        "known": request.GET.get("known", "").strip(),
        "known_at": known_at,
        "grid": grid_of(shown, request.path),
        "raft": raft if raft in rafts else "",
        "rafts": rafts if len(rafts) > 1 else [],
        "reasons": found.reasons[:REASONS_SHOWN],
        "more_reasons": max(0, len(found.reasons) - REASONS_SHOWN),
        "newest_url": set_url(found.newest) if found.newest else "",
        "gaps": list(_gaps(found)),
        "ready": readiness(day, datetime.now(UTC)),
        "every": LIVE_EVERY_S,
    }
    template = "calib/products/tonight_live.html" if is_fragment(request) else "calib/products/tonight.html"
    table = replace(SLOTS, name=f"tonight-{day}", filters=_filters(shown))
    return table.respond(request, shown, template, context)


def known_of(request: HttpRequest) -> datetime | None:
    """The instant of ``?known=`` in UTC, None where there is none. Refused (400) where it is no instant."""
    text = request.GET.get("known", "").strip()
    return instant_of(text, "known") if text else None


def instant_of(text: str, name: str) -> datetime:
    """An instant like ``2026-11-22 20:15`` (UTC unless it names an offset). Refused (400) where it is none."""
    try:
        at = datetime.fromisoformat(text.replace(" UTC", ""))
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        ObservingDay.at(at)
    except (ValueError, OverflowError) as error:
        raise bad_request(
            f"{name}={text[:40]!r} is not an instant.", f"Write {name} as 2026-11-22 20:15 in UTC."
        ) from error
    return at


def grid_of(cells: list[Cell], path: str) -> Grid:
    """A column for each detector; for each raft where there are more than 30."""
    detectors = list(dict.fromkeys(cell.detector for cell in cells))
    by_raft = len(detectors) > MOST_COLUMNS
    if by_raft:
        heads = [(raft, f"{path}?raft={raft}") for raft in dict.fromkeys(each.raft for each in detectors)]
    else:
        heads = [(each.name, "") for each in detectors]
    grid = Grid(heads)
    for (kind, band), members in groupby(cells, key=lambda cell: (cell.outlook.type, cell.outlook.filter)):
        row = list(members)
        tags = _raft_tags(row) if by_raft else [_tag(cell) for cell in row]
        grid.rows.append((str(ProductType(kind).label), band, tags))
    return grid


def _tag(cell: Cell) -> Tag:
    candidate = product_url(cell.candidate) if cell.candidate and cell.state != TODAY else ""
    title = f"{cell.detector.name}: {cell.outlook.sentence} {cell.why}".strip()
    if cell.outlook.found is None:
        return Tag("missing", "missing", title, "", candidate)
    words = "today" if cell.state == TODAY else f"{cell.outlook.age_days} d old"
    look = "error" if cell.failed else "ok" if cell.state == TODAY else "warn"
    return Tag(look, words, title, product_url(cell.outlook.found.product), candidate)


def _raft_tags(cells: list[Cell]) -> list[Tag]:
    tags = []
    for raft, members in groupby(cells, key=lambda cell: cell.detector.raft):
        counts = Counter(cell.state for cell in members)
        worst = "missing" if counts[MISSING] else "warn" if counts[OLD] else "ok"
        named = [f"{counts[state]} {name}" for state, name in _NAMES.items() if counts[state]]
        words = named[0] if len(named) > 1 else named[0].partition(" ")[2]
        tags.append(Tag(worst, words, f"raft {raft}: {', '.join(named)}", f"?raft={raft}"))
    return tags


def _gaps(found: Tonight) -> Iterator[tuple[str, str, int, datetime, datetime]]:
    """Times of the night without a product: type, filter, detectors, from, to."""
    counted = Counter((gap.type, gap.filter, gap.begins, gap.ends) for gap in found.gaps)
    for (kind, band, begins, ends), number in counted.items():
        yield str(kind.label), band, number, utc_of(begins), utc_of(ends)


def _filters(cells: list[Cell]) -> tuple[Filter, ...]:
    """A choice for each value that there is."""
    columns = [SLOTS.by_name[name] for name in ("type", "filter", "state")]
    values = [
        list(dict.fromkeys(str(column.value(cell)) for cell in cells if column.value(cell))) for column in columns
    ]
    return tuple(
        Filter(column.name, column.title, [(value, value) for value in each], column.name)
        for column, each in zip(columns, values, strict=True)
        if len(each) > 1
    )
