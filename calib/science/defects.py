"""Defects of a detector from its master dark and flat: hot and cold pixels, bad columns, edges; as mask and as boxes.

The rules are cp_pipe's: a pixel is hot by its dark current and cold by its sensitivity, and a column with many bad
pixels is bad in between, too, for charge that passes a flaw is seen in one pixel and lost in the next.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from calib.science.mask_planes import Mask, Plane, flagged
from calib.science.master_residual import PATCH, residual_map
from dayops.camera.geometry import Box, Detector

Image = npt.NDArray[np.float32]
Kind = Literal["HOT", "COLD", "BRIGHT_COLUMN", "DARK_COLUMN", "NO_DATA", "EDGE"]
_KINDS: tuple[Kind, ...] = ("HOT", "COLD", "BRIGHT_COLUMN", "DARK_COLUMN", "NO_DATA")  # 1, 2, ... in `_kinds`
_USUAL_ROWS = 2000  # of LSST's amplifiers, for which cp_pipe counts pixels of a column
_DARK_REGION = 0.5  # of the level around it; what has less is no measure of its own pixels


@dataclass(frozen=True, slots=True)
class DefectLimits:
    """What counts as a defect: eo_pipe's and cp_pipe's limits (LSSTCam's production has 3.0 e⁻/s, 0.9, 7 and 8).

    A hot pixel is also `significance` sigma above zero. `column_pixels` bad pixels make a column bad where fewer than
    `column_gap` good ones lie between two of them, both for 2,000 rows and fewer in proportion.
    """

    hot_e_s: float = 5.0
    significance: float = 5.0
    cold: float = 0.8
    column_pixels: int = 50
    column_gap: int = 30
    edge_rows: int = 0
    edge_columns: int = 0


@dataclass(frozen=True, slots=True)
class DefectBox:
    """Bad pixels of one kind that lie above each other, or an edge. `value` is the mean of what makes them bad.

    That is e⁻/s for HOT and BRIGHT_COLUMN, the share of the sensitivity around it for COLD and DARK_COLUMN, else NaN.
    """

    x0: int
    y0: int
    width: int
    height: int
    kind: Kind
    value: float


@dataclass(frozen=True, eq=False)
class Defects:
    """`mask` (height, width), and the same as boxes that do not overlap but where an edge holds other defects."""

    mask: Mask
    boxes: list[DefectBox]


def find_defects(
    detector: Detector,
    dark_rate_e: Image | None,
    flat: Image | None,
    dark_variance_e: Image | None = None,
    limits: DefectLimits | None = None,
) -> Defects:
    """Defects of `detector` by its dark current, e⁻/s, and its sensitivity; images are (height, width).

    `dark_variance_e` is that of `dark_rate_e`, (e⁻/s)². Of the flat only ratios of neighbours are used: a pixel to the
    median of 32 × 32 of its amplifier, or of the whole amplifier or detector where those are dark themselves. Pixels
    without a finite value are NO_DATA. Raises ValueError where both images are missing or one is of another shape.
    """
    limits = limits or DefectLimits()
    _require_fit(detector, dark_rate_e, flat, dark_variance_e)
    shape = detector.height, detector.width
    mask, share = np.zeros(shape, dtype=np.int32), np.full(shape, np.nan, dtype=np.float32)
    if dark_rate_e is not None:
        mask[_is_hot(dark_rate_e, dark_variance_e, limits)] = Plane.HOT | Plane.BAD
        mask[~np.isfinite(dark_rate_e)] |= Plane.NO_DATA
    if flat is not None:
        share = sensitivity_share(flat, detector)
        mask[share < limits.cold] |= Plane.COLD | Plane.BAD
        mask[~np.isfinite(flat)] |= Plane.NO_DATA
    for amplifier in detector.amplifiers:
        _fill_columns(mask[amplifier.place.slices], limits)
    rate = np.full(shape, np.nan, dtype=np.float32) if dark_rate_e is None else dark_rate_e
    boxes = _runs(_kinds(mask, detector), rate, share)
    for edge in _edges(detector, limits):
        mask[edge.slices] |= Plane.EDGE
        boxes.append(DefectBox(edge.x0, edge.y0, edge.width, edge.height, "EDGE", np.nan))
    return Defects(mask, boxes)


def sensitivity_share(flat: Image, detector: Detector) -> Image:
    """Each pixel of `flat` over the level around it, (height, width); NaN where no amplifier reads."""
    share = np.full(flat.shape, np.nan, dtype=np.float32)
    places = [amplifier.place for amplifier in detector.amplifiers]
    patches = [_patch_medians(flat[place.slices]) for place in places]
    levels = np.array([_median(each) for each in patches])
    levels = _unless_dark(levels, _median(levels))
    for place, medians, level in zip(places, patches, levels, strict=True):
        around = _unless_dark(medians, level).repeat(PATCH, axis=0).repeat(PATCH, axis=1)
        share[place.slices] = flat[place.slices] / around[: place.height, : place.width]
    return share


def _is_hot(rate: Image, variance: Image | None, limits: DefectLimits) -> npt.NDArray[np.bool_]:
    hot: npt.NDArray[np.bool_] = rate > limits.hot_e_s
    return hot if variance is None else hot & (rate > limits.significance * np.sqrt(variance))


def _patch_medians(values: Image) -> npt.NDArray[np.float64]:
    return residual_map(values, 0.0, np.broadcast_to(np.float32(0), values.shape))


def _median(values: npt.NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan


def _unless_dark(levels: npt.NDArray[np.float64], around: float) -> npt.NDArray[np.float64]:
    """`levels`, but `around` where one is missing or below half of it."""
    return np.where(levels >= _DARK_REGION * around, levels, around)


def _fill_columns(mask: Mask, limits: DefectLimits) -> None:
    """Mark the bad columns of one amplifier in `mask`, a view (cp_pipe, `maskBlocksIfIntermitentBadPixelsInColumn`)."""
    scale = min(mask.shape[0] / _USUAL_ROWS, 1.0)
    fewest, widest = max(round(limits.column_pixels * scale), 2), max(round(limits.column_gap * scale), 1)
    bad = flagged(mask, Plane.BAD)
    for x in np.flatnonzero(bad.sum(axis=0) >= fewest):
        rows = np.flatnonzero(bad[:, x])
        for group in np.split(rows, np.flatnonzero(np.diff(rows) > widest) + 1):
            if len(group) > 1:
                mask[group[0] : group[-1] + 1, x] |= Plane.COLUMN | Plane.BAD


def _kinds(mask: Mask, detector: Detector) -> npt.NDArray[np.int8]:
    """Number of each pixel's kind in `_KINDS`, from 1; 0 where it is good. A column is what most of its pixels are."""
    hot, cold, column = (flagged(mask, plane) for plane in (Plane.HOT, Plane.COLD, Plane.COLUMN))
    kinds = np.zeros(mask.shape, dtype=np.int8)
    kinds[flagged(mask, Plane.NO_DATA)] = 5
    kinds[cold] = 2
    kinds[hot] = 1
    for amplifier in detector.amplifiers:
        at = amplifier.place.slices
        dark = (cold[at] & column[at]).sum(axis=0) > (hot[at] & column[at]).sum(axis=0)
        kinds[at][column[at]] = np.broadcast_to(np.where(dark, 4, 3), column[at].shape)[column[at]]
    return kinds


def _runs(kinds: npt.NDArray[np.int8], rate: Image, share: Image) -> list[DefectBox]:
    """Pixels of one kind that touch in a column, as boxes in the order of columns and rows."""
    rows, columns = np.nonzero(kinds)
    if not len(rows):
        return []
    downwards = np.lexsort((rows, columns))
    y, x = rows[downwards], columns[downwards]
    kind = kinds[y, x]
    first = np.flatnonzero(
        (np.diff(x, prepend=-1) != 0) | (np.diff(y, prepend=-2) != 1) | (np.diff(kind, prepend=-1) != 0)
    )
    heights = np.diff(first, append=len(y))
    values = np.where(kind == 5, np.nan, np.where((kind == 1) | (kind == 3), rate[y, x], share[y, x]))
    means = np.add.reduceat(values.astype(np.float64), first) / heights
    return [
        DefectBox(int(x[i]), int(y[i]), 1, int(height), _KINDS[kind[i] - 1], float(mean))
        for i, height, mean in zip(first, heights, means, strict=True)
    ]


def _edges(detector: Detector, limits: DefectLimits) -> list[Box]:
    width, height, rows, columns = detector.width, detector.height, limits.edge_rows, limits.edge_columns
    frame = [
        Box(0, 0, columns, height),
        Box(width - columns, 0, width, height),
        Box(columns, 0, width - columns, rows),
        Box(columns, height - rows, width - columns, height),
    ]
    return [box for box in frame if box.width > 0 and box.height > 0]


def _require_fit(detector: Detector, rate: Any, flat: Any, variance: Any) -> None:
    if rate is None and flat is None:
        raise ValueError(f"Defects of {detector.name} need a dark, a flat or both: none came.")
    expected = detector.height, detector.width
    for name, image in (("dark", rate), ("flat", flat), ("dark's variance", variance)):
        if image is not None and image.shape != expected:
            raise ValueError(f"The {name} is not of {detector.name}: its shape is {image.shape}, expected {expected}.")
