"""One night: how far its search has come, what it found and lost, how the month stands, and all its searches."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, is_fragment, not_here
from dayops.web.tables import Column, Table
from dayops.web.work_pages.run import stages_of
from mops.models import Night
from mops.plots import steps
from mops.throughput import LIMIT_H, NIGHTS, Debt, debt
from mops.views.lookup import night_named, night_or_refused, night_url, nights_of, see
from mops.views.starting import start_button
from mops.views.words import instant_of_mjd_tai, percent

BACKLOG_SHOWN = 10
Drawn = tuple[str, str, str, int]  # address, title, caption and height of a figure


def _count(name: str) -> Any:
    return lambda row: row.counts.get(name)


def _took(row: Night) -> timedelta | None:
    return row.run.ended_at - row.run.created_at if row.run.ended_at else None


SEARCHES = Table(
    "searches",
    (
        Column("night", "Search", lambda row: row.pk, order="pk", link=night_url),
        Column("state", "State", lambda row: row.state, "status", order="state"),
        Column("configuration", "Configuration", lambda row: row.configuration, order="configuration"),
        *(Column(name, name.capitalize(), _count(name), "number") for name in steps.STEPS),
        Column("completeness", "Completeness", lambda row: percent(row.truth.get("completeness")), "number", unit="%"),
        Column("reason", "Why refused", lambda row: row.reasons[0] if row.reasons else None),
        Column("requested_by", "Asked by", lambda row: row.run.requested_by, order="run__requested_by"),
        Column("started", "Started", lambda row: row.created_at, "instant", order="created_at", unit="UTC"),
        Column("took", "Took", _took, "duration"),
        Column("decided", "Decided", lambda row: row.decided_at, "instant", order="decided_at", unit="UTC"),
    ),
    search=("configuration", "run__requested_by"),
    page_size=25,
)


@require_safe
@conditional_page
@in_words
def summary_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The night's published search, or the one of ``?night=``; live while it is being made."""
    night = night_named(day, request.GET.get("night", ""))
    month = debt(day, datetime.now(UTC))
    run = night.run if night else None
    context = {
        "night": night,
        "run": run,
        "stages": stages_of(run) if run else [],
        "as_of": instant_of_mjd_tai(night.as_of_mjd_tai) if night else None,
        "completeness": percent(night.truth.get("completeness")) if night else None,
        "purity": percent(night.truth.get("purity")) if night else None,
        "month": month,
        "month_sentence": month_sentence(month),
        "backlog": month.backlog[:BACKLOG_SHOWN],
        "backlog_more": max(0, len(month.backlog) - BACKLOG_SHOWN),
        "figures": list(_figures(night)) if night else [],
        "shares": list(_shares(night)) if night else [],
        "lost": _lost(night) if night else 0,
        "debt_url": reverse("mops:debt-figure", args=[day]),
        "refusals": sorted((night.counts.get("refused") or {}).items(), key=lambda each: -each[1]) if night else [],
        "seconds": list((night.counts.get("seconds") or {}).items()) if night else [],
        "is_live": run is not None and not run.is_over,
        "subject": f"night:{night.pk}" if night else f"day:{day.day_obs}",
        **start_button(request),
    }
    template = "mops/night_live.html" if is_fragment(request) else "mops/night.html"
    return replace(SEARCHES, name=f"searches-{day}").respond(request, nights_of(day), template, context)


@gzip_page
@require_safe
@conditional_page
@in_words
def night_figure(request: HttpRequest, day: ObservingDay, figure: str) -> HttpResponse:
    """``steps``, ``loss`` or ``by-zone`` (or another group of the truth) of the night that ``?night=`` names."""
    night = night_or_refused(day, request.GET.get("night", ""))
    truth = night.truth
    match figure:
        case "steps" if steps.steps_of(night.counts):
            return figure_response(steps.steps_figure(night.counts))
        case "loss" if truth.get("waterfall"):
            return figure_response(steps.loss_figure(truth["waterfall"]))
    group = figure.removeprefix("by-")
    if figure != group and truth.get(f"by_{group}"):
        return figure_response(steps.shares_figure(truth[f"by_{group}"], group))
    raise not_here(f"Search {night.pk} has no figure “{figure[:40]}”.", "Open the night's page for those it has.")


@gzip_page
@require_safe
@conditional_page
def debt_figure(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    return figure_response(steps.debt_figure(debt(day, _this_minute())))


@require_safe
def night_of_event(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponse:
    """Where ``night:12`` leads, whatever day the event was on."""
    return see(night_url(get_object_or_404(Night, pk=pk)))


def month_sentence(month: Debt) -> str:
    """The gauge in words."""
    if month.mean_h is None:
        return f"No night of the last {NIGHTS} was searched yet: there is nothing to average."
    what = f"{month.published} of {len(month.delays)} nights searched in the last {NIGHTS} are published"
    verdict = "within" if month.mean_h <= LIMIT_H else "over"
    return f"{what}, on average {month.mean_h:.1f} h after the end of the night: {verdict} the {LIMIT_H:g} h."


def _figures(night: Night) -> Iterator[Drawn]:
    """URL, title and caption of each figure that the night has numbers for."""

    def url(name: str) -> str:
        return f"{reverse('mops:night-figure', args=[night.day_obs, name])}?night={night.pk}"

    if counted := steps.steps_of(night.counts):
        said = ", ".join(f"{number:,} {name}" for name, number in counted)
        yield (
            url("steps"),
            "Through the steps",
            f"{said}. Each step counts what it makes; attributed detections left.",
            260,
        )
    if lost := _lost(night):
        of = max(int(row.get("objects") or 0) + int(row.get("lost") or 0) for row in night.truth["waterfall"])
        yield url("loss"), "What was lost, and to which limit", f"{lost:,} of {of:,} findable objects were lost.", 300


def _shares(night: Night) -> Iterator[Drawn]:
    """Completeness by each group of the truth."""
    for key, rows in night.truth.items():
        if key.startswith("by_") and rows:
            group = key.removeprefix("by_")
            url = f"{reverse('mops:night-figure', args=[night.day_obs, f'by-{group}'])}?night={night.pk}"
            said = "; ".join(f"{row.get(group)} {row.get('found')} of {row.get('findable')}" for row in rows)
            yield url, f"Completeness by {group}", f"Found of findable: {said}.", 240


def _lost(night: Night) -> int:
    """How many findable objects were lost at all steps together."""
    return sum(int(row.get("lost") or 0) for row in night.truth.get("waterfall") or [])


def _this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)
