"""Where the defects of a detector are, and what came and went since the certified map."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from calib.science.mask_planes import Mask
from dayops.camera import Detector
from dayops.web.figures import OKABE_ITO, new_figure

NEW, KEPT, VANISHED, FOUND = "new", "kept", "vanished", "found"
_LOOKS = {
    FOUND: (OKABE_ITO[7], "square"),
    KEPT: (OKABE_ITO[7], "square"),
    NEW: (OKABE_ITO[4], "triangle-up"),
    VANISHED: (OKABE_ITO[0], "x"),
}
UNITS = {"HOT": "e⁻/s", "BRIGHT_COLUMN": "e⁻/s"}


@dataclass(frozen=True, slots=True)
class Defect:
    """A box of bad pixels and its fate: new, kept, or vanished since the certified map; found where there is none."""

    fate: str
    kind: str
    x0: int
    y0: int
    width: int
    height: int
    value: float
    amplifier: str

    @property
    def unit(self) -> str:
        return UNITS.get(self.kind, "")


def defects_of(
    new: Iterable[Any], old: Iterable[Any], now: Mask, before: Mask | None, detector: Detector
) -> list[Defect]:
    """The rows of two tables of defects as one list, new ones first, then what vanished, then what is kept.

    A box is new where the old mask has none of its pixels, and vanished where the new one has none. Without an old
    mask all are just found.
    """

    def fate(row: Any) -> str:
        return FOUND if before is None else KEPT if _touches(row, before) else NEW

    found = [_defect(row, fate(row), detector) for row in new]
    found += [_defect(row, VANISHED, detector) for row in old if not _touches(row, now)]
    order = (NEW, VANISHED, KEPT, FOUND)
    return sorted(found, key=lambda each: (order.index(each.fate), each.y0, each.x0))


def defect_map(defects: Sequence[Defect], detector: Detector) -> go.Figure:
    """The boxes at their places in the detector's own axes; columns are drawn at their length."""
    figure = new_figure(x="x / pixels", y="y / pixels")
    for fate, (colour, symbol) in _LOOKS.items():
        chosen = [each for each in defects if each.fate == fate]
        if not chosen:
            continue
        figure.add_scatter(
            x=[_middle(each.x0, each.width) for each in chosen],
            y=[_middle(each.y0, each.height) for each in chosen],
            error_y={"type": "data", "array": [each.height / 2 for each in chosen], "width": 0, "thickness": 1.5},
            mode="markers", name=f"{len(chosen)} {fate}", marker={"color": colour, "symbol": symbol, "size": 5},
            hovertext=[_said(each) for each in chosen], hoverinfo="text",
        )  # fmt: skip
    for amplifier in detector.amplifiers:
        place = amplifier.place
        figure.add_shape(
            type="rect", x0=place.x0, x1=place.x1, y0=place.y0, y1=place.y1, line={"width": 0.5}, layer="below"
        )
    figure.update_xaxes(range=[0, detector.width], constrain="domain", showgrid=False)
    figure.update_yaxes(range=[0, detector.height], scaleanchor="x", constrain="domain", showgrid=False)
    figure.update_layout(height=560, showlegend=True)
    return figure


def _defect(row: Any, fate: str, detector: Detector) -> Defect:
    x0, y0 = int(row["x0"]), int(row["y0"])
    places = ((each.name, each.place) for each in detector.amplifiers)
    name = next((name for name, box in places if box.x0 <= x0 < box.x1 and box.y0 <= y0 < box.y1), "")
    width, height = int(row["width"]), int(row["height"])
    return Defect(fate, str(row["kind"]), x0, y0, width, height, float(row["value"]), name)


def _touches(row: Any, mask: Mask) -> bool:
    x0, y0 = int(row["x0"]), int(row["y0"])
    return bool(mask[y0 : y0 + int(row["height"]), x0 : x0 + int(row["width"])].any())


def _middle(begin: int, length: int) -> float:
    return begin + (length - 1) / 2


def _said(each: Defect) -> str:
    value = f", {each.value:.3g} {each.unit}".rstrip() if each.value == each.value else ""
    size = "" if each.width == each.height == 1 else f", {each.width} × {each.height} pixels"
    return f"{each.fate} {each.kind} in {each.amplifier} at ({each.x0}, {each.y0}){size}{value}"
