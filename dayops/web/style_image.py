"""A made-up detector for the style page: the image viewer's contract in its smallest form."""

import io

import numpy as np
import numpy.typing as npt
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from PIL import Image

from dayops.web.access import require

WIDTH, HEIGHT, TILE, LEVELS = 1024, 1000, 512, 3
COLUMNS, ROWS = 8, 2


def _pixels() -> npt.NDArray[np.uint8]:
    """(HEIGHT, WIDTH): amplifiers of different level, brighter upwards, one dead column."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = 60 + 90 * y / HEIGHT + 14 * ((x * COLUMNS // WIDTH + y * ROWS // HEIGHT) % 3)
    image[:, 300] = 0
    return np.asarray(image, dtype=np.uint8)


@require_safe
@require("dayops.maintain")
def style_info(request: HttpRequest) -> JsonResponse:
    dx, dy = WIDTH // COLUMNS, HEIGHT // ROWS
    amplifiers = [
        {"name": f"C{row}{column}", "x0": column * dx, "y0": row * dy, "x1": (column + 1) * dx, "y1": (row + 1) * dy}
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    return JsonResponse(
        {"width": WIDTH, "height": HEIGHT, "tile": TILE, "levels": LEVELS, "amplifiers": amplifiers, "unit": "ADU"}
    )


@require_safe
@require("dayops.maintain")
def style_tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    side, step = TILE * 2**z, 2**z
    pixels = _pixels()[y * side : (y + 1) * side : step, x * side : (x + 1) * side : step]
    if z >= LEVELS or not pixels.size:
        raise Http404
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return HttpResponse(buffer.getvalue(), content_type="image/png")


@require_safe
@require("dayops.maintain")
def style_pixel(request: HttpRequest) -> JsonResponse:
    try:
        x, y = int(request.GET["x"]), int(request.GET["y"])
        value = int(_pixels()[y, x])
    except (KeyError, ValueError, IndexError) as error:
        raise Http404 from error
    return JsonResponse({"value": value, "unit": "ADU", "amplifier": f"C{y * ROWS // HEIGHT}{x * COLUMNS // WIDTH}"})
