"""The pixels of one archived frame: tiles, values, their histogram and the file itself.

Addresses carry the SHA-256 of the file, so what they give never changes and browsers may keep it.
"""

from functools import wraps
from http import HTTPStatus
from typing import Any

import numpy as np
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from calib import plots
from calib.views.lookup import View
from dayops.archive import store
from dayops.archive.errors import NotInArchive
from dayops.camera import Detector, detector_of
from dayops.camera.headers import BadFrame
from dayops.images import assemble, read_segments, subtract_overscan
from dayops.models import RawFrame
from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.image_cache import ImageCache
from dayops.web.image_tiles import RANGES, STRETCHES, TILE, Pixels, Pyramid
from dayops.web.refusals import Refused, bad_request, in_words, not_here

IMAGES = ImageCache(limit_bytes=256 * 1024**2)
MOST_PIXELS = 64_000_000  # four LSSTCam sensors; a web process must not be filled by one picture
OVERSCAN = ("subtracted", "raw")
UNIT = "ADU"
HISTOGRAM_BINS = 256


def _kept_for_ever(view: View[Any]) -> View[Any]:
    """Let the browser keep the answer of an address that names its content; only its own, for pages need a sign-in."""

    @wraps(view)
    def kept(request: HttpRequest, /, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.OK:
            response["Cache-Control"] = "private, max-age=31536000, immutable"
        return response

    return kept


@require_safe
@in_words
@_kept_for_ever
def image_info(request: HttpRequest, day: ObservingDay, sha256: str) -> HttpResponse:
    frame = _frame(day, sha256)
    image, detector = _image(frame, _overscan(request)), _detector(frame)
    amplifiers = [
        {"name": amplifier.name, "x0": place.x0, "y0": place.y0, "x1": place.x1, "y1": place.y1}
        for amplifier in detector.amplifiers
        for place in [amplifier.place]
    ]
    size = {"width": image.width, "height": image.height, "tile": TILE, "levels": image.levels}
    return JsonResponse({**size, "amplifiers": amplifiers, "unit": UNIT})


@require_safe
@in_words
@_kept_for_ever
def image_tile(request: HttpRequest, day: ObservingDay, sha256: str, z: int, x: int, y: int) -> HttpResponse:
    stretch = next((each for each in STRETCHES if each == request.GET.get("stretch", "linear")), None)
    limits = next((each for each in RANGES if each == request.GET.get("range", "zscale")), None)
    if stretch is None or limits is None:
        raise bad_request(
            "The image cannot be drawn with this stretch or range.",
            f"Use stretch={'|'.join(STRETCHES)} and range={'|'.join(RANGES)}.",
        )
    png = _image(_frame(day, sha256), _overscan(request)).tile(z, x, y, stretch, limits)
    if png is None:
        raise Http404(f"The image has no tile {z}/{x}/{y}.")
    return HttpResponse(png, content_type="image/png")


@require_safe
@in_words
@_kept_for_ever
def image_pixel(request: HttpRequest, day: ObservingDay, sha256: str, overscan: str) -> HttpResponse:
    """The value of ``?x=&y=``. `overscan` is in the path because the viewer writes the query string itself."""
    frame = _frame(day, sha256)
    image, detector = _image(frame, overscan), _detector(frame)
    try:
        x, y = int(request.GET["x"]), int(request.GET["y"])
    except (KeyError, ValueError) as error:
        raise bad_request("This asks for no pixel.", "Give x and y as whole numbers.") from error
    if not (0 <= x < image.width and 0 <= y < image.height):
        raise not_here(f"Pixel ({x}, {y}) lies outside.", f"The image has {image.width} × {image.height} pixels.")
    value = float(image.pixels[y, x])
    places = ((each.name, each.place) for each in detector.amplifiers)
    name = next((name for name, box in places if box.x0 <= x < box.x1 and box.y0 <= y < box.y1), None)
    return JsonResponse({"value": value if np.isfinite(value) else None, "unit": UNIT, "amplifier": name})


@require_safe
@in_words
@_kept_for_ever
def pixel_histogram_figure(request: HttpRequest, day: ObservingDay, sha256: str) -> HttpResponse:
    image = _image(_frame(day, sha256), _overscan(request))
    low, high = (float(value) for value in np.percentile(image.sample, [0.05, 99.95])) if image.sample.size else (0, 1)
    edges = np.linspace(low, high if high > low else low + 1, HISTOGRAM_BINS + 1)
    finite = image.pixels[np.isfinite(image.pixels)]
    counts, _ = np.histogram(np.clip(finite, edges[0], edges[-1]), bins=edges)
    return figure_response(plots.pixel_histogram(counts, edges, UNIT))


@require_safe
@in_words
def frame_file(request: HttpRequest, day: ObservingDay, sha256: str) -> FileResponse:
    """The archived file, exactly as it came."""
    frame = _frame(day, sha256)
    try:
        content = store().open(sha256)
    except NotInArchive as error:
        raise _lost(frame) from error
    response = FileResponse(content, as_attachment=True, filename=frame.file_name, content_type="application/fits")
    response["Content-Length"] = frame.size
    return response


def _frame(day: ObservingDay, sha256: str) -> RawFrame:
    frames = RawFrame.objects.filter(sha256=sha256, exposure__day_obs=day.day_obs).select_related("exposure")
    frame = frames.defer("header", "amplifier_headers", "remarks").order_by("id").first()
    if frame is None:
        raise not_here(f"No frame {sha256[:12]}… is known on dayObs {day}.", "Start from the day's exposure table.")
    return frame


def _lost(frame: RawFrame) -> Refused:
    return not_here(
        f"The archive does not hold {frame.file_name} any more ({frame.sha256[:12]}…).",
        "Run manage.py scrub, and restore the file from a copy.",
    )


def _detector(frame: RawFrame) -> Detector:
    return detector_of(frame.exposure.camera, frame.detector, frame.geometry)


def _overscan(request: HttpRequest) -> str:
    return request.GET.get("overscan", OVERSCAN[0])


def _image(frame: RawFrame, overscan: str) -> Pyramid:
    """The assembled frame, its overscan level subtracted or raw."""
    if overscan not in OVERSCAN:
        raise bad_request("The overscan is subtracted or not.", "Use overscan=subtracted or raw.")
    if (pixels := _pixel_count(frame)) > MOST_PIXELS:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The frame has {pixels:,} pixels: too many to be shown here, where at most {MOST_PIXELS:,} are.",
            "Download the file to look at it.",
        )
    try:
        return IMAGES.get((frame.sha256, overscan), lambda: _assembled(frame, subtract=overscan == "subtracted"))
    except NotInArchive as error:
        raise _lost(frame) from error
    except BadFrame as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), "Download the file to look at it.") from error


def _pixel_count(frame: RawFrame) -> int:
    """Of the assembled image or of what must be read for it, whichever is more."""
    detector = _detector(frame)
    raw = sum(amplifier.raw_width * amplifier.raw_height for amplifier in detector.amplifiers)
    return max(raw, detector.width * detector.height)


def _assembled(frame: RawFrame, *, subtract: bool) -> Pixels:
    detector = _detector(frame)
    with store().local_path(frame.sha256) as path:
        segments = read_segments(path, detector)
    if subtract:
        pairs = zip(segments, detector.amplifiers, strict=True)
        return assemble([subtract_overscan(segment, amplifier) for segment, amplifier in pairs], detector)
    return assemble(segments, detector)
