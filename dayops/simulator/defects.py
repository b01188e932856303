"""Pixels that are not as they should be: hot and dead ones, bright and dark columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Box, Detector
from dayops.simulator import spread


@dataclass(frozen=True, eq=False)
class Defects:
    """Where a detector is bad: single pixels (masks of height × width) and boxes one pixel wide."""

    hot: NDArray[np.bool_]
    dead: NDArray[np.bool_]
    bright_columns: tuple[Box, ...]
    dark_columns: tuple[Box, ...]


def draw_defects(
    detector: Detector, rng: np.random.Generator
) -> tuple[Defects, NDArray[np.float32], NDArray[np.float32]]:
    """Defects of one detector, at the rates of `dayops.simulator.spread`, and what they do.

    The second value is the dark current above the normal in e⁻/s, the third the sensitivity (1 where good), both
    (height, width).
    """
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
    return Defects(hot, dead, bright, dark), extra_e_s, response


def _column(detector: Detector, rng: np.random.Generator) -> Box:
    """A flaw spoils its column from where it lies to the end of the segment that is read out last."""
    amplifier = detector.amplifiers[rng.integers(len(detector.amplifiers))]
    place = amplifier.place
    x, y = int(rng.integers(place.x0, place.x1)), int(rng.integers(place.y0, place.y1))
    return Box(x, place.y0, x + 1, y + 1) if amplifier.flip_y else Box(x, y, x + 1, place.y1)
