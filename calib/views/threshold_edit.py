"""The editor of limits: propose, preview, activate. Everything but the activation is an address one can link to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from calib.metric_words import limits_in_words, stored_axis_title, stored_unit, tidy
from calib.models import Level, Threshold
from calib.threshold_changes import activate, digest_of
from calib.threshold_plots import verdicts_by_day
from calib.threshold_preview import MOST_LISTED, Changed, Preview, preview
from calib.threshold_proposal import Proposal, problems_of_days, propose
from calib.threshold_request import LIMIT_TITLES, BadChange, Change, NotPossible, Row, causes, check
from calib.threshold_scope import Vocabulary
from calib.thresholds import limits_of
from calib.views.threshold_query import LIMITS, EditorQuery, packed, unpacked
from calib.views.thresholds import MAY_EDIT
from dayops.observing_day import ObservingDay
from dayops.web.access import require, why_not
from dayops.web.figures import figure_response
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.operations import actor_of

_WORDS = tuple(level.label for level in Level)
CHANGED = Table(
    "verdicts-that-change",
    (
        Column("day", "dayObs", lambda row: str(ObservingDay(row.measured.day_obs)), order="day"),
        Column("exposure", "Exposure", lambda row: row.measured.exposure, order="exposure"),
        Column(
            "detector",
            "Detector",
            lambda row: row.measured.detector.name,
            order="detector",
            link=lambda row: _detector_url(row),
        ),
        Column("amplifier", "Amplifier", lambda row: row.amplifier or None, order="amplifier"),
        Column("value", "Value", lambda row: tidy(row.value), "number", order="value"),
        Column("was", "As judged", lambda row: _WORDS[row.was], "status", order="was"),
        Column("would_be", "By the new limits", lambda row: _WORDS[row.would_be], "status", order="would_be"),
    ),
    search=("exposure", "detector", "amplifier"),
    filters=(
        Filter("was", "As judged", [(word, word) for word in _WORDS], "was"),
        Filter("would_be", "By the new limits", [(word, word) for word in _WORDS], "would_be"),
    ),
    page_size=50,
)


@dataclass(frozen=True)
class Outcome:
    """What the editor found for what was asked: a proposal, a change, its preview; or problems, by field."""

    query: EditorQuery
    problems: Mapping[str, str]
    proposal: Proposal | None = None
    change: Change | None = None
    preview: Preview | None = None


@require_safe
def threshold_editor(request: HttpRequest) -> HttpResponseBase:
    """``?do=propose`` fills in limits, ``?do=preview`` compares verdicts; neither changes anything."""
    found = outcome(request.GET)
    unit = stored_unit(found.query.scope.metric)
    context: dict[str, Any] = {
        "fields": _fields(request.GET, found),
        "query": found.query,
        "problems": found.problems,
        "other_problems": [text for name, text in found.problems.items() if name in {"rows", "rest"}],
        "vocabulary": Vocabulary(),
        "metrics": [(name, stored_axis_title(name)) for name in Vocabulary().metrics],
        "causes": causes()[:50],
        "proposal": found.proposal,
        "unit": unit,
        "in_force": _in_force(found.query),
        "day_starts": ObservingDay.current().begins,
    }
    if found.preview is None or found.change is None:
        status = HTTPStatus.BAD_REQUEST if found.problems else HTTPStatus.OK
        return render(request, "calib/thresholds/edit.html", context, status=status)
    context |= {
        "change": found.change,
        "rows": [(row.scope.in_words, limits_in_words(row.limits, unit)) for row in found.change.rows[:200]],
        "preview": found.preview,
        "listed": MOST_LISTED,
        "packed": packed(found.change),
        "digest": digest_of(found.change, found.preview.seen),
        "back": request.GET.urlencode(),
        "figure_url": f"{reverse('calib-camera:threshold-preview-figure')}?{request.GET.urlencode()}",
        "may_not": why_not(request, MAY_EDIT),
    }
    return _table(found).respond(request, found.preview.changed, "calib/thresholds/edit.html", context)


@require_safe
def preview_figure(request: HttpRequest) -> HttpResponse:
    """The preview's counts, day by day."""
    return figure_response(verdicts_by_day(outcome(request.GET).preview or Preview()))


@require_POST
@require(MAY_EDIT)
def activate_thresholds(request: HttpRequest) -> HttpResponse:
    """Put in force what was previewed."""
    sent = request.POST
    try:
        change, seen, days = unpacked(sent.get("change", "")), int(sent.get("seen", "")), int(sent.get("days", ""))
        done = activate(change, sent.get("digest", ""), seen, actor_of(request))
    except (NotPossible, ValueError) as error:
        sentence = str(error) if isinstance(error, NotPossible) else "The form is not complete: preview again."
        messages.error(request, sentence)
        return _see(f"{reverse('calib-camera:threshold-edit')}?{QueryDict(sent.get('back', '')).urlencode()}")
    messages.success(request, f"{done.sentence} {since_preview(change, seen, days)}".strip())
    if len(done.rows) == 1:
        return _see(reverse("calib-camera:threshold", args=[done.rows[0].pk]))
    metric = done.rows[0].metric
    return _see(f"{reverse('calib-camera:thresholds')}?{urlencode({'metric': metric, 'sort': '-valid_from'})}")


def outcome(words: Mapping[str, str]) -> Outcome:
    """Do what ``do`` asks with the fields in `words`."""
    query, at, deed = EditorQuery.read(words), now(), words.get("do", "")
    if deed not in ("propose", "preview"):
        return Outcome(query, {})
    try:
        return _proposed(query, at) if deed == "propose" else _previewed(query, at)
    except BadChange as error:
        return Outcome(query, error.problems)


def _proposed(query: EditorQuery, at: datetime) -> Outcome:
    """Limits from what was measured: to be edited where there is one row, else compared at once."""
    if problems := query.problems | Vocabulary().problems(query.scope):
        raise BadChange(problems)
    proposal = propose(query.scope, query.recipe, at)
    if not query.recipe.per:
        return Outcome(replace(query, limits=proposal.rows[0].row.limits), {}, proposal)
    change = query.change(tuple(each.row for each in proposal.rows))
    check(change, at)
    return Outcome(query, {}, proposal, change, preview(change.rows, query.recipe.days, at))


def _previewed(query: EditorQuery, at: datetime) -> Outcome:
    change = query.change((Row(query.scope, query.limits),))
    try:
        check(change, at)
    except BadChange as error:
        raise BadChange(error.problems | query.problems) from error
    if problems := query.problems | problems_of_days(query.recipe.days):
        raise BadChange(problems)
    return Outcome(query, {}, None, change, preview(change.rows, query.recipe.days, at))


def since_preview(change: Change, seen: int, days: int) -> str:
    """How many values came since a preview of `seen`, as a sentence; empty where none did."""
    grown = preview(change.rows, min(max(days, 1), 90), now()).seen - seen
    if grown <= 0:
        return ""
    return f"Since the preview {grown} value{' was' if grown == 1 else 's were'} measured that it did not show."


def _detector_url(row: Changed) -> str:
    day = ObservingDay(row.measured.day_obs)
    return reverse("calib:detector", args=[day, row.measured.exposure, row.measured.detector.name])


def _table(found: Outcome) -> Table:
    unit = stored_unit(found.query.scope.metric)
    columns = [replace(each, unit=unit) if each.name == "value" else each for each in CHANGED.columns]
    return replace(CHANGED, columns=columns)


def _fields(words: Mapping[str, str], found: Outcome) -> list[dict[str, Any]]:
    """The four limits as the form shows them: as typed where that is no number, else the value."""
    proposed = found.proposal is not None and not found.query.recipe.per
    return [
        {
            "name": name,
            "title": LIMIT_TITLES[name],
            "value": _shown(getattr(found.query.limits, name)) if proposed else words.get(name, ""),
            "problem": found.problems.get(name, ""),
        }
        for name in LIMITS
    ]


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _in_force(query: EditorQuery) -> list[tuple[Threshold, str]]:
    """The rows of exactly this scope that hold or are to hold, with their limits in words."""
    rows = Threshold.objects.filter(**query.scope.words, valid_until=None).order_by("pk")
    return [(row, limits_in_words(limits_of(row), stored_unit(row.metric))) for row in rows]


def _see(url: str) -> HttpResponse:
    response = redirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
