"""One detector's frame in one exposure: the image, the numbers of each amplifier, and what is known of the file."""

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from calib.detector_rows import AmplifierRow, amplifier_rows
from calib.exposure_table import run_of
from calib.metric_map import focal_plane_of
from calib.metric_words import limits_in_words, tidy, title, unit
from calib.models import Finding, Level
from calib.science.metrics import METRICS, MetricDefinition
from calib.thresholds import NONE, in_force
from calib.views.exposure import neighbours, outside
from calib.views.frame_image import OVERSCAN
from calib.views.lookup import detector_named, exposure_named, frames_of, metric_named
from calib.views.review import people
from calib.views.trend_query import trend_url
from dayops.camera import Detector
from dayops.models import Exposure, FrameState, Phase, RawFrame, Run, Task
from dayops.observing_day import ObservingDay
from dayops.web.export import export, wanted_format
from dayops.web.refusals import in_words


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of the table of amplifiers: for people its title, unit and limits, and a cell for each amplifier.

    A metric of the whole detector has one cell.
    """

    metric: MetricDefinition
    title: str
    unit: str
    limits: str
    is_chosen: bool
    cells: list[tuple[float | None, str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a frame has come: a status word, and a sentence where the word does not say it all."""

    word: str
    sentence: str = ""


@require_safe
@in_words
def detector_page(request: HttpRequest, day: ObservingDay, name: str, detector: str) -> HttpResponseBase:
    exposure, metric = exposure_named(day, name), metric_named(request.GET.get("metric", ""))
    archived = frames_of(exposure)
    plane = focal_plane_of(exposure, archived)
    sensor = detector_named(exposure, plane, detector)
    copies = list(RawFrame.objects.filter(exposure=exposure, detector=sensor.id).select_related("assessment"))
    frame = next((copy for copy in copies if copy.state == FrameState.ARCHIVED), None)
    rows = amplifier_rows(frame, plane) if frame else []
    if form := wanted_format(request):
        return _export(form, f"{name}_{detector}", rows)
    run = run_of(exposure)
    context = {
        "exposure": exposure,
        "detector": sensor,
        "has_overscan": any(amplifier.serial_overscan for amplifier in sensor.amplifiers),
        "metric": metric,
        "trend_url": trend_url(exposure, metric.name, detector=detector),
        "frame": frame,
        "quarantined": [copy for copy in copies if copy.state == FrameState.QUARANTINED],
        "run": run,
        "standing": _standing(frame, run),
        **outside(Finding.objects.filter(assessment__frame=frame)),
        "people": people(request, exposure, frame),
        "metrics": _metric_rows(exposure, sensor, rows, metric.name),
        "amplifiers": [row.amplifier.name for row in rows],
        "subject": f"detector:{exposure.camera}/{detector}",
        **(_image_urls(frame, request.GET.get("overscan", "")) if frame else {}),
        **_beside(archived, sensor),
        **neighbours(exposure),
    }
    return render(request, "calib/detector.html", context)


@require_safe
def detector_over_time(request: HttpRequest, day: ObservingDay, detector: str) -> HttpResponseBase:
    """Where ``detector:minicam/R22_S11`` leads: its trend, for a detector is in no single exposure."""
    words = urlencode({"detector": detector, "until": day})
    return redirect(f"{reverse('calib-camera:trends')}?{words}")


def _export(form: Any, name: str, rows: list[AmplifierRow]) -> HttpResponseBase:
    fields = ["amplifier", *(metric.name for metric in METRICS)]
    cells = ([row.amplifier.name, *(row.values.get(metric.name) for metric in METRICS)] for row in rows)
    return export(form, name, fields, cells)


def _metric_rows(exposure: Exposure, sensor: Detector, rows: list[AmplifierRow], chosen: str) -> list[MetricRow]:
    """The metrics that apply to this frame, with the limits that were in force when it was taken."""
    limits = in_force(exposure.camera, exposure.image_type, exposure.began_at, exposure.filter, sensor)
    return [
        MetricRow(
            metric,
            title(metric),
            unit(metric),
            limits_in_words(limits.get(metric.name, NONE).limits),
            metric.name == chosen,
            [_cell(row, metric.name) for row in (rows if metric.per == "amplifier" else rows[:1])],
        )
        for metric in METRICS
        if any(metric.name in row.values for row in rows)
    ]


def _cell(row: AmplifierRow, metric: str) -> tuple[float | None, str]:
    value = row.values.get(metric)
    shown = tidy(value) if value is not None and math.isfinite(value) else None
    return shown, Level(row.levels.get(metric, 0)).label


def _standing(frame: RawFrame | None, run: Run | None) -> Standing:
    """The verdict; without one, how the task that should give it stands."""
    if frame is None:
        return Standing("MISSING", "No frame of this detector was archived.")
    if assessment := getattr(frame, "assessment", None):
        return Standing(Level(assessment.level).label)
    task = Task.objects.filter(run=run, arguments__frame=frame.pk).first() if run else None
    if task is None:
        return Standing("PENDING", "Archived; no measurement was asked for yet.")
    if task.phase in {Phase.ERROR, Phase.ABORTED}:
        return Standing(task.phase, f"It could not be measured: {task.error or 'the task was aborted'}")
    return Standing(task.phase, "Archived; a worker will measure it.")


def _image_urls(frame: RawFrame, asked: str) -> dict[str, Any]:
    overscan = asked if asked in OVERSCAN else OVERSCAN[0]
    day, sha256 = frame.exposure.day_obs, frame.sha256
    info = reverse("calib:image", args=[day, sha256])
    return {
        "overscan": overscan,
        "overscans": OVERSCAN,
        "info_url": f"{info}?overscan={overscan}",
        "tiles_url": f"{info}{{z}}/{{x}}/{{y}}?overscan={overscan}",
        "pixel_url": reverse("calib:pixel", args=[day, sha256, overscan]),
        "pixel_histogram_url": f"{reverse('calib:pixel-histogram', args=[day, sha256])}?overscan={overscan}",
        "file_url": reverse("calib:file", args=[day, sha256]),
    }


def _beside(frames: list[RawFrame], sensor: Detector) -> dict[str, str]:
    """The detectors before and after, among those that were archived."""
    before = [frame.detector_name for frame in frames if frame.detector < sensor.id]
    after = [frame.detector_name for frame in frames if frame.detector > sensor.id]
    return {"previous_detector": before[-1] if before else "", "next_detector": after[0] if after else ""}
