"""Where each amplifier lies on the focal plane, and the grid that draws them all at once.

Coordinates are millimetres in the camera's system (`dayops.camera.geometry.Detector`): x to the right, y upwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Amplifier, Detector

_TURNS = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}  # cosine and sine
_DECIMALS = 6  # nanometres: edges that differ by less are the same edge


@dataclass(frozen=True, slots=True)
class Footprint:
    """One amplifier's rectangle on the focal plane."""

    detector: Detector
    amplifier: Amplifier
    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        """Square millimetres."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells between every edge there is. `owner[row, column]` is the index of a cell's footprint, −1 in gaps."""

    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    owner: NDArray[np.intp]

    def painted(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """`values`, one for each footprint, as cells of shape (rows, columns); NaN in gaps."""
        return np.append(values, np.nan).astype(np.float32)[self.owner]


def footprints(detectors: Iterable[Detector]) -> tuple[Footprint, ...]:
    """The rectangles of all amplifiers: detectors in their order, amplifiers in theirs."""
    return tuple(_footprint(detector, amplifier) for detector in detectors for amplifier in detector.amplifiers)


def outline(detector: Detector) -> tuple[float, float, float, float]:
    """The detector's rectangle as x0, y0, x1, y1."""
    return _rectangle(detector, 0, 0, detector.width, detector.height)


def grid(rectangles: Sequence[Footprint]) -> Grid:
    """The union grid of the edges of `rectangles`. Where two overlap, the later one is drawn."""
    x_edges = np.unique([edge for each in rectangles for edge in (each.x0, each.x1)])
    y_edges = np.unique([edge for each in rectangles for edge in (each.y0, each.y1)])
    owner = np.full((max(len(y_edges) - 1, 0), max(len(x_edges) - 1, 0)), -1, dtype=np.intp)
    for index, each in enumerate(rectangles):
        left, right = np.searchsorted(x_edges, [each.x0, each.x1])
        bottom, top = np.searchsorted(y_edges, [each.y0, each.y1])
        owner[bottom:top, left:right] = index
    return Grid(x_edges, y_edges, owner)


def _footprint(detector: Detector, amplifier: Amplifier) -> Footprint:
    place = amplifier.place
    return Footprint(detector, amplifier, *_rectangle(detector, place.x0, place.y0, place.x1, place.y1))


def _rectangle(detector: Detector, x0: int, y0: int, x1: int, y1: int) -> tuple[float, float, float, float]:
    (ax, ay), (bx, by) = _millimetres(detector, x0, y0), _millimetres(detector, x1, y1)
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def _millimetres(detector: Detector, x: int, y: int) -> tuple[float, float]:
    """The focal-plane place of the lower left corner of pixel (x, y)."""
    cosine, sine = _TURNS[detector.rotation_deg]
    u, v = (x - detector.width / 2) * detector.pixel_um / 1000, (y - detector.height / 2) * detector.pixel_um / 1000
    return (
        round(detector.x_mm + cosine * u - sine * v, _DECIMALS),
        round(detector.y_mm + sine * u + cosine * v, _DECIMALS),
    )
