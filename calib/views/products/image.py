"""The pixels of a master image beside those of the certified one: its planes as tiles, values and a histogram."""

import io
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import numpy as np
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from PIL import Image

from calib import plots
from calib.models import Product, ProductType
from calib.products import image_file
from calib.products.image_file import MasterImage
from calib.products.numbers import UNITS
from calib.science.mask_planes import names
from dayops.archive import store
from dayops.archive.errors import NotInArchive
from dayops.camera import load
from dayops.web.figures import figure_response
from dayops.web.image_cache import ImageCache
from dayops.web.image_tiles import RANGES, STRETCHES, TILE, Pixels, Pyramid, Range, Stretch
from dayops.web.refusals import Refused, bad_request, in_words, not_here

IMAGES = ImageCache(limit_bytes=384 * 1024**2)
HISTOGRAM_BINS = 256
KEPT_S = 3600  # addresses name products, whose bytes change only while their set is being made
PLANES: dict[str, Callable[[MasterImage], Pixels]] = {
    "new": lambda master: master.image,
    "variance": lambda master: master.variance,
    "mask": lambda master: master.mask.astype(np.float32),
    "frames": lambda master: master.frames.astype(np.float32),
}
COMPARED: dict[str, Callable[[Pixels, Pixels], Pixels]] = {
    "incumbent": lambda _, old: old,
    "difference": lambda new, old: new - old,
    "ratio": lambda new, old: _ratio(new, old),
}
IMAGE_TYPES = (ProductType.BIAS, ProductType.DARK, ProductType.FLAT)


def planes_of(product: Product, incumbent: Product | None) -> list[str]:
    """The planes that the viewer offers, in order."""
    if product.type not in IMAGE_TYPES:
        return []
    return ["new", *(COMPARED if incumbent else ()), "variance", "mask", "frames"]


@require_safe
@in_words
@cache_control(private=True, max_age=KEPT_S)
def product_image(request: HttpRequest, pk: int, plane: str, beside: int) -> HttpResponse:
    product = _product(pk)
    image = _image(product, plane, beside)
    amplifiers = [
        {"name": amplifier.name, "x0": place.x0, "y0": place.y0, "x1": place.x1, "y1": place.y1}
        for amplifier in load(product.camera).by_id[product.detector].amplifiers
        for place in [amplifier.place]
    ]
    size = {"width": image.width, "height": image.height, "tile": TILE, "levels": image.levels}
    return JsonResponse({**size, "amplifiers": amplifiers, "unit": unit_of(product, plane)})


@require_safe
@in_words
@cache_control(private=True, max_age=KEPT_S)
def product_tile(request: HttpRequest, pk: int, plane: str, beside: int, z: int, x: int, y: int) -> HttpResponse:
    """The certified one is drawn in the greys of the new one, so that blinking them shows what differs."""
    stretch = next((each for each in STRETCHES if each == request.GET.get("stretch", "linear")), None)
    limits = next((each for each in RANGES if each == request.GET.get("range", "zscale")), None)
    if stretch is None or limits is None:
        raise bad_request(
            "The image cannot be drawn with this stretch or range.",
            f"Use stretch={'|'.join(STRETCHES)} and range={'|'.join(RANGES)}.",
        )
    product = _product(pk)
    image = _image(product, plane, beside)
    greys = _image(product, "new", 0) if plane == "incumbent" else image
    return HttpResponse(_png(image, greys, (z, x, y), stretch, limits), content_type="image/png")


@require_safe
@in_words
def product_pixel(request: HttpRequest, pk: int, plane: str, beside: int) -> HttpResponse:
    """The value of ``?x=&y=``; of the mask the names of its planes."""
    product = _product(pk)
    image = _image(product, plane, beside)
    try:
        x, y = int(request.GET["x"]), int(request.GET["y"])
    except (KeyError, ValueError) as error:
        raise bad_request("This asks for no pixel.", "Give x and y as whole numbers.") from error
    if not (0 <= x < image.width and 0 <= y < image.height):
        raise not_here(f"Pixel ({x}, {y}) lies outside.", f"The image has {image.width} × {image.height} pixels.")
    value = float(image.pixels[y, x])
    places = ((each.name, each.place) for each in load(product.camera).by_id[product.detector].amplifiers)
    name = next((name for name, box in places if box.x0 <= x < box.x1 and box.y0 <= y < box.y1), None)
    unit = " ".join(names(int(value))) if plane == "mask" else unit_of(product, plane)
    return JsonResponse({"value": value if np.isfinite(value) else None, "unit": unit, "amplifier": name})


@require_safe
@in_words
def product_histogram(request: HttpRequest, pk: int, plane: str, beside: int) -> HttpResponse:
    product = _product(pk)
    image = _image(product, plane, beside)
    low, high = (float(each) for each in np.percentile(image.sample, [0.05, 99.95])) if image.sample.size else (0, 1)
    edges = np.linspace(low, high if high > low else low + 1, HISTOGRAM_BINS + 1)
    finite = image.pixels[np.isfinite(image.pixels)]
    counts, _ = np.histogram(np.clip(finite, edges[0], edges[-1]), bins=edges)
    return figure_response(plots.pixel_histogram(counts, edges, unit_of(product, plane) or "1"))


@require_safe
@in_words
def product_file(request: HttpRequest, pk: int) -> FileResponse:
    """The file, exactly as it was made."""
    product = _product(pk)
    try:
        content = store().open(product.sha256)
    except NotInArchive as error:
        raise lost(product) from error
    is_image = product.type in IMAGE_TYPES
    words = [product.type, product.filter, product.detector_name, str(product.day_obs), f"set{product.product_set_id}"]
    name = f"{'_'.join(filter(None, words))}.{'fits.fz' if is_image else 'ecsv'}"
    kind = "application/fits" if is_image else "text/plain; charset=utf-8"
    response = FileResponse(content, as_attachment=True, filename=name, content_type=kind)
    response["Content-Length"] = product.size
    return response


def unit_of(product: Product, plane: str) -> str:
    unit = UNITS.get(ProductType(product.type), "")
    special = {"ratio": "", "mask": "", "frames": "frames", "variance": f"({unit})²" if unit else ""}
    return special.get(plane, unit)


def lost(product: Product) -> Refused:
    return not_here(
        f"The archive does not hold the file of {product} any more ({product.sha256[:12]}…).",
        "Run manage.py scrub, and restore the file from a copy.",
    )


def _product(pk: int) -> Product:
    return get_object_or_404(Product.objects.defer("statistics", "provenance", "inputs"), pk=pk)


def _image(product: Product, plane: str, beside: int) -> Pyramid:
    if product.type not in IMAGE_TYPES:
        raise not_here(f"{product} is a table: it has no image.", "Open its page for its figures.")
    if plane in PLANES:
        return IMAGES.get((product.sha256, plane), lambda: PLANES[plane](_read(product)))
    if plane not in COMPARED:
        raise not_here(f"There is no plane “{plane[:40]}”.", f"Choose one of {', '.join([*PLANES, *COMPARED])}.")
    old = _product(beside)
    if (old.camera, old.type, old.detector, old.filter) != _slot(product):
        raise not_here(f"{old} is not of the same slot as {product}.", "Start from the page of the product.")
    return IMAGES.get((product.sha256, plane, old.sha256), lambda: _compared(product, old, plane))


def _slot(product: Product) -> tuple[Any, ...]:
    return product.camera, product.type, product.detector, product.filter


def _compared(product: Product, old: Product, plane: str) -> Pixels:
    new, before = _read(product).image, _read(old).image
    if new.shape != before.shape:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{product} has {new.shape} pixels and {old} {before.shape}: they cannot be compared.",
            "Look at each on its own page.",
        )
    return COMPARED[plane](new, before)


def _ratio(new: Pixels, old: Pixels) -> Pixels:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = new / old
    found[~np.isfinite(found)] = np.nan
    return found


def _read(product: Product) -> MasterImage:
    try:
        with store().local_path(product.sha256) as path:
            return image_file.read(path)
    except NotInArchive as error:
        raise lost(product) from error
    except ValueError as error:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), "Download the file to look at it.") from error


def _png(image: Pyramid, greys: Pyramid, at: tuple[int, int, int], stretch: Stretch, limits: Range) -> bytes:
    z, x, y = at
    part = image.level(z)[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE] if z < image.levels else None
    if part is None or not part.size:
        raise Http404(f"The image has no tile {z}/{x}/{y}.")
    buffer = io.BytesIO()
    Image.fromarray(greys.grey(part, stretch, limits)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
