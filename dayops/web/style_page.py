"""Every component of the visual language on one page, for maintainers and for the browser test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe

from dayops.models import Phase
from dayops.web import figures, markup
from dayops.web.access import require
from dayops.web.tables import Column, Filter, Table

_BEGIN = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """A made-up row for the sample table."""

    name: str
    phase: str
    noise: float | None
    at: datetime
    took: timedelta


_PHASES = ["COMPLETED", "COMPLETED", "EXECUTING", "QUEUED", "ERROR", "ABORTED"]
SAMPLES = [
    Sample(
        f"MC_C_20261122_{i:06}",
        _PHASES[i % len(_PHASES)],
        None if i % 7 == 6 else 5.1 + 0.37 * (i % 5),
        _BEGIN + timedelta(seconds=41 * i),
        timedelta(seconds=3.7 * i + 0.4),
    )
    for i in range(40)
]
TABLE = Table(
    "samples",
    (
        Column("name", "Exposure", lambda row: row.name, order="name", link=lambda row: f"#{row.name}"),
        Column("phase", "State", lambda row: row.phase, "status", order="phase"),
        Column("noise", "Read noise", lambda row: row.noise, "number", order="noise", unit="e⁻", digits=3),
        Column("at", "Began", lambda row: row.at, "instant", order="at", unit="UTC"),
        Column("took", "Took", lambda row: row.took, "duration", order="took"),
    ),
    search=("name",),
    filters=(Filter("phase", "State", Phase.choices, "phase"),),
    page_size=15,
)


@require_safe
@require("dayops.maintain")
def style(request: HttpRequest) -> HttpResponseBase:
    context = {
        "words": [*markup.LOOKS, "no run yet"],
        "colours": ["ok", "warn", "error", "late", "missing", "executing", "accent", "link", "text", "quiet"],
        "began": _BEGIN,
        "crumbs": [("2026-11-22", "/"), ("Exposures", "#"), ("MC_C_20261122_000012", "")],
        "viewer": {"info": reverse("style-image"), "tiles": f"{reverse('style-image')}{{z}}/{{x}}/{{y}}"},
    }
    return TABLE.respond(request, SAMPLES, "style.html", context)


@require_safe
@require("dayops.maintain")
@conditional_page
def style_figure(request: HttpRequest) -> HttpResponse:
    """A figure with everything figures have: units, a limit, an intervention, a link from a point."""
    figure = figures.new_figure(x="exposure of the day", y="read noise / e⁻")
    noise = [row.noise for row in SAMPLES]
    links = [f"{reverse('style')}#{row.name}" for row in SAMPLES]
    figure.add_scatter(y=noise, mode="markers", name="amplifier C00", customdata=links)
    figures.threshold(figure, 6.4, "WARN above 6.4 e⁻", "warn")
    figures.intervention(figure, 20, "new REB firmware")
    return figures.figure_response(figure)
