"""One candidate: what it is made of, how well an orbit explains it, why it was believed, and what people say."""

import json
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import conditional_page, require_safe

from dayops.models import Event
from dayops.observing_day import ObservingDay
from dayops.web.access import why_not
from dayops.web.refusals import in_words
from dayops.web.tables import Column, Table
from dayops.web.work_pages.operations import REASON_LIMIT
from mops.models import Linkage
from mops.plots.correlation import NAMES, UNITS, correlation_of
from mops.views.candidate_figures import captions, figure_url, report_limit
from mops.views.level1 import observations_of
from mops.views.lookup import candidate_url, linkage_numbered, night_url
from mops.views.observations import Observation, known
from mops.views.queue import MAY_JUDGE, UNSAID

EVENTS_SHOWN = 20
ELSEWHERE_SHOWN = 20
TITLES = {
    "sky": ("Motion on the sky", 300),
    "residuals": ("Residuals", 320),
    "light": ("Light curve", 260),
    "top": ("In the Solar System, from above", 420),
    "edge": ("In the Solar System, along the ecliptic", 240),
    "a-e": ("Among the others: eccentricity", 300),
    "a-i": ("Among the others: inclination", 300),
    "correlation": ("Correlation of the state", 320),
}

OBSERVATIONS = Table(
    "observations",
    (
        Column("number", "No.", lambda row: row.number, "number", order="number"),
        Column("source", "diaSourceId", lambda row: row.source, order="source"),
        Column("night", "Night", lambda row: str(row.day) if row.day else None, order="night"),
        Column("mjd_tai", "MJD TAI", lambda row: row.mjd_tai, "number", order="mjd_tai", digits=11),
        Column("band", "Band", lambda row: row.band or None, order="band"),
        Column("mag", "Magnitude", lambda row: row.mag, "number", order="mag", unit="mag"),
        Column("mag_sigma", "σ", lambda row: row.mag_sigma, "number", unit="mag", digits=2),
        Column("ra", "RA", lambda row: row.ra, "number", order="ra", unit="°", digits=9),
        Column("dec", "dec", lambda row: row.dec, "number", order="dec", unit="°", digits=8),
        Column("oc_ra", "O−C RA", lambda row: row.residual_ra, "number", order="oc_ra", unit="″", digits=3),
        Column("oc_dec", "O−C dec", lambda row: row.residual_dec, "number", order="oc_dec", unit="″", digits=3),
        Column("sigma_ra", "σ RA", lambda row: row.sigma_ra, "number", unit="″", digits=2),
        Column("sigma_dec", "σ dec", lambda row: row.sigma_dec, "number", unit="″", digits=2),
        Column("used", "In the fit", lambda row: "yes" if row.used else "no", order="used"),
        Column("visit", "Visit", lambda row: row.visit, order="visit"),
    ),
    search=("source", "night", "band"),
    page_size=100,
)


@dataclass(frozen=True, slots=True)
class StateRow:
    """One number of the state, with its sigma."""

    name: str
    unit: str
    value: float
    sigma: float | None


@require_safe
@conditional_page
@in_words
def candidate_page(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponseBase:
    """The page; its table is that of observed minus computed, exported as CSV, JSON or FITS."""
    linkage = linkage_numbered(day, pk)
    observations = observations_of(linkage)
    context = {
        "linkage": linkage,
        "night": linkage.night,
        "neighbours": _neighbours(linkage),
        "figures": _figures(linkage, observations),
        "state": _state(linkage),
        "hypothesis": [(name, _plain(value)) for name, value in linkage.hypothesis.items()],
        "limit": report_limit(linkage),
        "missing": sum(not each.is_known for each in observations),
        "observations": len(observations),
        "used": sum(each.used for each in observations),
        "missing_all": not known(observations),
        "elsewhere": _elsewhere(linkage),
        "events": Event.objects.filter(subject=f"linkage:{pk}").order_by("-id")[:EVENTS_SHOWN],
        "may_not": why_not(request, MAY_JUDGE) or _why_not_reviewable(linkage),
        "may_not_approve": _why_not_approve(linkage),
        "reason_limit": REASON_LIMIT,
        "unsaid": UNSAID,
        "subject": f"linkage:{pk}",
    }
    table = replace(OBSERVATIONS, name=f"observations-of-candidate-{pk}")
    return table.respond(request, observations, "mops/candidate.html", context)


def _figures(linkage: Linkage, observations: list[Observation]) -> dict[str, dict[str, Any]]:
    """By name with a plain word for templates: address, title, caption and height."""
    return {
        name.replace("-", "_"): {
            "url": figure_url(linkage, name),
            "title": title,
            "caption": said[name],
            "height": height,
        }
        for said in [captions(linkage, observations)]
        for name, (title, height) in TITLES.items()
        if name in said
    }


def _neighbours(linkage: Linkage) -> dict[str, Linkage | None]:
    """The candidates of the same verdict before and after it."""
    rows = Linkage.objects.filter(night=linkage.night, verdict=linkage.verdict).select_related("night")
    rows = rows.only("pk", "night__day_obs")
    return {
        "previous": rows.filter(pk__lt=linkage.pk).order_by("-pk").first(),
        "next": rows.filter(pk__gt=linkage.pk).order_by("pk").first(),
    }


def _state(linkage: Linkage) -> list[StateRow]:
    try:
        sigmas: list[float | None] = [float(each) for each in correlation_of(linkage.covariance or [])[0]]
    except ValueError:
        sigmas = [None] * 6
    return [StateRow(*row) for row in zip(NAMES, UNITS, linkage.state, sigmas, strict=True)]


def _elsewhere(linkage: Linkage) -> list[tuple[Linkage, str, str]]:
    """The same detections or the same object in other searches, with their addresses."""
    same = Linkage.objects.filter(identity=linkage.identity)
    if linkage.ss_object_id is not None:
        same = same | Linkage.objects.filter(ss_object_id=linkage.ss_object_id)
    rows = same.exclude(pk=linkage.pk).select_related("night")
    rows = rows.only("verdict", "review", "identity", "night__day_obs", "night__state", "night__configuration")
    return [(row, candidate_url(row), night_url(row.night)) for row in rows.order_by("-pk")[:ELSEWHERE_SHOWN]]


def _why_not_reviewable(linkage: Linkage) -> str:
    """The same that `mops.reviews.review` will say, before a person types a reason."""
    night = linkage.night
    if night.state in {night.State.PUBLISHED, night.State.REFUSED}:
        return ""
    return f"Search {night.pk} is {night.get_state_display().lower()}: only published or refused ones are reviewed."


def _why_not_approve(linkage: Linkage) -> str:
    return "" if linkage.verdict == Linkage.Verdict.ACCEPTED else "The machine refused it: it cannot be approved."


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)
