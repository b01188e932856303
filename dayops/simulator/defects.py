"""Pixels that are not as they should be: hot and dead ones, bright and dark columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Box, Detector
from dayops.simulator import spread


@dataclass(frozen=True, eq=False)
class Defects:
    """Truth about bad pixels, each array (height, width) on the assembled detector.

    hot, dead : single bad pixels.  bright_columns, dark_columns : boxes one pixel wide.
    extra_e_s : dark current above the normal, e⁻/s.  response : sensitivity, 1 where good.
    """

    hot: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    bright_columns: tuple[Box, ...]
    dark_columns: tuple[Box, ...]
    extra_e_s: NDArray[np.float32]
    response: NDArray[np.float32]


def draw_defects(detector: Detector, rng: np.random.Generator) -> Defects:
    """Defects of one detector, at the rates of `dayops.simulator.spread`."""
    shape = (detector.height, detector.width)
    hot, dead = (rng.random(shape, dtype=np.float32) < f for f in (spread.HOT_FRACTION, spread.DEAD_FRACTION))
    extra_e_s, response = np.zeros(shape, dtype=np.float32), np.ones(shape, dtype=np.float32)
    extra_e_s[hot] = spread.HOT_E_S.draw(rng, int(hot.sum()))
    response[dead] = spread.DEAD_RESPONSE.draw(rng, int(dead.sum()))
    bright, dark = (tuple(_column(detector, rng) for _ in range(rng.poisson(0.8))) for _ in range(2))
    for box in bright:
        extra_e_s[box.slices] += rng.uniform(8.0, 30.0)
    for box in dark:
        response[box.slices] *= rng.uniform(0.3, 0.7)
    return Defects(hot, dead, bright, dark, extra_e_s, response)


def _column(detector: Detector, rng: np.random.Generator) -> Box:
    """A flaw spoils its column from where it lies to the end of the segment that is read out last."""
    amplifier = detector.amplifiers[rng.integers(len(detector.amplifiers))]
    place = amplifier.place
    x, y = int(rng.integers(place.x0, place.x1)), int(rng.integers(place.y0, place.y1))
    return Box(x, place.y0, x + 1, y + 1) if amplifier.flip_y else Box(x, y, x + 1, place.y1)
