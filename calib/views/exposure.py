"""One exposure: its focal plane in one metric, and tables down to the amplifier."""

from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from calib import plots
from calib.check_rows import check_rows, judgement_of
from calib.detector_rows import detector_rows, raft_rows
from calib.exposure_table import run_of, subject_of
from calib.metric_map import FocalPlane, MetricMap, focal_plane_of, metric_map
from calib.metric_words import axis_title, caption, limit_said, limits_in_words, unit
from calib.models import Finding, Level
from calib.science.metrics import BY_NAME, METRICS
from calib.thresholds import NONE, in_force
from calib.views.lookup import PlaneQuery, detector_url, exposure_named, frames_of
from calib.views.review import people
from calib.views.trend_query import trend_url
from calib.what_is_wrong import troubles
from dayops.models import Exposure, RawFrame
from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words
from dayops.web.tables import Column, Filter, Table

CONTRADICTIONS = 3
LIVE_EVERY_S = 5
DETECTORS = Table(
    "detectors",
    (
        Column("detector", "Detector", lambda row: row.detector.name, order="detector"),
        Column("raft", "Raft", lambda row: row.detector.raft, order="raft"),
        Column("verdict", "Verdict", lambda row: row.verdict, "status", order="verdict"),
        Column("warn", "WARN", lambda row: row.warn, "number", order="warn"),
        Column("error", "ERROR", lambda row: row.error, "number", order="error"),
        Column("median", "Median", lambda row: row.median, "number", order="median"),
    ),
    page_size=50,  # worst first; the focal plane shows them all
)


@dataclass(frozen=True)
class ExposureView:
    """What the pages and figures of one exposure have in common; each part is read when it is asked for."""

    exposure: Exposure
    query: PlaneQuery

    @classmethod
    def of(cls, request: HttpRequest, day: ObservingDay, name: str) -> "ExposureView":
        """As the address asks; where it names no metric, in the one that is worst, if any is outside its limits."""
        exposure, query = exposure_named(day, name), PlaneQuery.read(request.GET)
        if request.GET.get("metric"):
            return cls(exposure, query)
        wrong = troubles(Finding.objects.filter(assessment__exposure=exposure))
        known = [BY_NAME[each.worst.metric] for each in wrong if each.worst.metric in BY_NAME]
        return cls(exposure, replace(query, metric=known[0]) if known else query)

    @cached_property
    def frames(self) -> list[RawFrame]:
        return frames_of(self.exposure)

    @cached_property
    def plane(self) -> FocalPlane:
        return focal_plane_of(self.exposure, self.frames)

    @cached_property
    def measured(self) -> MetricMap:
        """The chosen metric, with the limits that were in force when the exposure was taken."""
        exposure, metric = self.exposure, self.query.metric
        limits = in_force(exposure.camera, exposure.image_type, exposure.began_at, exposure.filter)
        return metric_map(exposure, self.plane, metric, limits.get(metric.name, NONE).limits)

    @property
    def colours(self) -> plots.ColourRange | Literal["level"]:
        return "level" if self.query.by_level else plots.colour_range(self.measured, self.query.low, self.query.high)

    def address(self, name: str, **words: object) -> str:
        """A page or figure of this exposure in the chosen metric."""
        address = reverse(f"calib:{name}", args=[self.exposure.day_obs, self.exposure.name])
        return f"{address}?{self.query.encoded}{'&' + urlencode(words) if words else ''}"


@require_safe
@in_words
def exposure_page(request: HttpRequest, day: ObservingDay, name: str) -> HttpResponseBase:
    view = ExposureView.of(request, day, name)
    rows = detector_rows(view.exposure, view.measured, view.frames)
    verdicts, judgement, made = _levels(view.frames), judgement_of(view.exposure), check_rows(view.exposure)
    levels = [*verdicts, judgement.level] if judgement else verdicts
    context = {
        "view": view,
        "exposure": view.exposure,
        "verdict": Level(max(levels)).label if levels else "",
        "judgement": judgement,
        "checks": made,
        "bad_checks": sum(row.worst.level > Level.OK for row in made),
        "contradictions": _contradictions(view.frames),
        "metrics": [(metric, axis_title(metric)) for metric in METRICS],
        "unit": unit(view.query.metric),
        "caption": caption(view.measured),
        "limits": limits_in_words(view.measured.limits, unit(view.query.metric)),
        "archived": len(view.frames),
        "assessed": len(verdicts),
        "every": LIVE_EVERY_S if len(verdicts) < len(view.frames) else None,
        "rafts": raft_rows(rows),
        **outside(Finding.objects.filter(assessment__exposure=view.exposure)),
        "run": run_of(view.exposure),
        "subject": subject_of(view.exposure),
        "people": people(request, view.exposure),
        "figure_url": view.address("focal-plane"),
        "histogram_url": view.address("metric-histogram"),
        "amplifiers_url": view.address("amplifiers"),
        "trend_url": trend_url(view.exposure, view.query.metric.name),
        **neighbours(view.exposure),
    }
    worst_first = sorted(rows, key=attrgetter("severity"), reverse=True)
    return _detector_table(view).respond(request, worst_first, "calib/exposure.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def focal_plane_figure(request: HttpRequest, day: ObservingDay, name: str) -> HttpResponse:
    view = ExposureView.of(request, day, name)
    figure = plots.focal_plane(view.measured, view.colours, lambda detector: detector_url(view.exposure, detector.name))
    return figure_response(figure)


@require_safe
@conditional_page
@in_words
def metric_histogram_figure(request: HttpRequest, day: ObservingDay, name: str) -> HttpResponse:
    view = ExposureView.of(request, day, name)

    def amplifiers_between(low: float, high: float) -> str:
        return view.address("amplifiers", **{"from": repr(low), "to": repr(high)})

    return figure_response(plots.metric_histogram(view.measured, view.colours, amplifiers_between))


def neighbours(exposure: Exposure) -> dict[str, Any]:
    """The exposures of the same day and camera before and after, for links (one query)."""
    same_day = Exposure.objects.filter(day_obs=exposure.day_obs, camera=exposure.camera).order_by("began_at", "id")
    names = list(same_day.values_list("name", flat=True))
    place = names.index(exposure.name)
    return {
        "previous_exposure": names[place - 1] if place else "",
        "next_exposure": names[place + 1] if place + 1 < len(names) else "",
    }


def outside(found: QuerySet[Finding]) -> dict[str, Any]:
    """What pages say of findings: metric by metric, with limits in words, and how many there are."""
    wrong = troubles(found)
    return {
        "troubles": [(each, limit_said(each.worst)) for each in wrong],
        "errors": sum(each.error for each in wrong),
        "warnings": sum(each.warn for each in wrong),
    }


def _contradictions(frames: list[RawFrame]) -> list[tuple[str, list[str]]]:
    """What headers say and pixels contradict, for the first few detectors."""
    assessments = [(frame.detector_name, getattr(frame, "assessment", None)) for frame in frames]
    found = [(name, one.remarks) for name, one in assessments if one is not None and one.remarks]
    return found[:CONTRADICTIONS]


def _levels(frames: list[RawFrame]) -> list[int]:
    assessments = [getattr(frame, "assessment", None) for frame in frames]
    return [assessment.level for assessment in assessments if assessment is not None]


def _detector_table(view: ExposureView) -> Table:
    """The table of detectors with the chosen metric's name and unit over its medians, and links to their pages."""

    def link(row: Any) -> str:
        return f"{detector_url(view.exposure, row.detector.name)}?metric={metric.name}"

    def trend(row: Any) -> str:
        return trend_url(view.exposure, metric.name, detector=row.detector.name)

    metric = view.query.metric
    *others, median = DETECTORS.columns
    first, *rest = others
    median = replace(median, name=f"median_{metric.name}", unit=unit(metric))
    return replace(
        DETECTORS,
        name=f"{view.exposure.name}_detectors",
        columns=(replace(first, link=link), *rest, median, Column("trend", "Trend", trend, link=trend, shown=_trend)),
        filters=raft_filter(view.plane),
    )


def _trend(row: Any) -> str:
    return "trend"


def raft_filter(plane: FocalPlane) -> tuple[Filter, ...]:
    """A choice of one raft, where there is more than one."""
    rafts = dict.fromkeys(detector.raft for detector in plane.detectors)
    return (Filter("raft", "Raft", [(raft, raft) for raft in rafts], "raft"),) if len(rafts) > 1 else ()
