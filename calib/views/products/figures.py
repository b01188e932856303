"""The figures of one product that is a table."""

from collections.abc import Callable

from astropy.table import Table
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe
from plotly.graph_objects import Figure

from calib.models import Product, ProductType
from calib.products import tables
from calib.products.beside import incumbent_of
from calib.products.plots import curves
from calib.products.plots.defects import Defect, defect_map, defects_of
from calib.science.verification_limits import LIMITS
from calib.views.products.image import lost
from dayops.archive import store
from dayops.archive.errors import NotInArchive
from dayops.camera import load
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, not_here

FIGURES: dict[ProductType, dict[str, tuple[str, str]]] = {
    ProductType.PTC: {
        "curve": (
            "Photon transfer curve",
            "Open circles were not fitted; lines are the fits. Click a name to hide it.",
        ),
        "residuals": ("Residuals", "Variance over the fitted curve, less 1."),
    },
    ProductType.LINEARITY: {
        "linearity": (
            "Residuals after correction",
            f"Departure from a straight line; at most {100 * (LIMITS['linearity_residual'].upper or 0):g} % passes.",
        )
    },
    ProductType.CROSSTALK: {
        "crosstalk": (
            "Crosstalk",
            "What the victim gets of the aggressor's signal; only what is significant is applied.",
        )
    },
    ProductType.DEFECTS: {"defects": ("Map of defects", "The sensor's own axes; beside the certified map.")},
}


@gzip_page
@require_safe
@conditional_page
@in_words
def product_figure(request: HttpRequest, pk: int, figure: str) -> HttpResponse:
    product = get_object_or_404(Product.objects.select_related("product_set"), pk=pk)
    if figure not in FIGURES.get(ProductType(product.type), {}):
        raise not_here(f"{product} has no figure “{figure[:40]}”.", "Open its page for those it has.")
    try:
        return figure_response(_DRAWN[figure](product))
    except (KeyError, IndexError, TypeError) as error:
        raise not_here(f"{product} lacks the numbers of this figure ({error}).", "Download its file.") from error


def defects_beside(product: Product, incumbent: Product | None) -> list[Defect]:
    """The defects of a map, with what came and went since the certified one."""
    detector = load(product.camera).by_id[product.detector]
    new = _table(product)
    old = _table(incumbent) if incumbent else []
    before = tables.mask_of(old, detector) if incumbent else None
    return defects_of(new, old, tables.mask_of(new, detector), before, detector)


def _table(product: Product) -> Table:
    try:
        with store().local_path(product.sha256) as path:
            return tables.read(path)
    except NotInArchive as error:
        raise lost(product) from error
    except ValueError as error:
        raise not_here(str(error), "Download the file to look at it.") from error


def _names(product: Product) -> list[str]:
    return [amplifier.name for amplifier in load(product.camera).by_id[product.detector].amplifiers]


def _linearity(product: Product) -> Figure:
    limit = LIMITS["linearity_residual"].upper
    return curves.linearity_residuals(product.statistics, _names(product), limit)


def _defects(product: Product) -> Figure:
    return defect_map(defects_beside(product, incumbent_of(product)), load(product.camera).by_id[product.detector])


_DRAWN: dict[str, Callable[[Product], Figure]] = {
    "curve": lambda product: curves.photon_transfer(product.statistics, _names(product)),
    "residuals": lambda product: curves.photon_transfer_residuals(product.statistics, _names(product)),
    "linearity": _linearity,
    "crosstalk": lambda product: curves.crosstalk_matrix(product.statistics, _names(product)),
    "defects": _defects,
}
