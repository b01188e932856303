"""Cosmic rays: straight tracks of charge at random places and angles."""

import numpy as np

from dayops.simulator.truth import FloatArray

RATE_CM2_MINUTE = 4.0  # muons and radioactivity of the surroundings, as in thick CCDs on mountains
_MEAN_LENGTH_PIXELS = 12.0
_ELECTRONS_A_PIXEL = 1200.0


def add_cosmic_rays(electrons: FloatArray, pixel_um: float, time_s: float, rng: np.random.Generator) -> int:
    """Add the tracks of `time_s` seconds to `electrons` (height, width), in place; returns how many."""
    height, width = electrons.shape
    area_cm2 = height * width * (pixel_um * 1e-4) ** 2
    count = int(rng.poisson(RATE_CM2_MINUTE * area_cm2 * time_s / 60.0))
    for _ in range(count):
        steps = np.arange(1 + rng.exponential(_MEAN_LENGTH_PIXELS))
        angle = rng.uniform(0.0, 2 * np.pi)
        y = np.rint(rng.uniform(0, height - 1) + steps * np.sin(angle)).astype(int)
        x = np.rint(rng.uniform(0, width - 1) + steps * np.cos(angle)).astype(int)
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        deposit = rng.exponential(_ELECTRONS_A_PIXEL, len(steps)).astype(np.float32)
        np.add.at(electrons, (y[inside], x[inside]), deposit[inside])
    return count
