"""How far the simulated amplifiers lie apart: quantiles, most of them measured on LSSTCam.

Gain and read noise are given as ratios to the camera's nominal value, so that any camera gets LSSTCam's spread. They
are the median, 5 % and 95 % points of the 3,216 amplifiers in obs_lsst's camera policy (gain 1.508, 1.388–1.733 e⁻/ADU;
read noise 5.68, 5.19–10.4 e⁻). The 90 % point of the read noise and all end points are ours. Limits of the others are
LSST's acceptance limits (LCA-128: non-linearity < 2 %, serial CTI < 5e-6, parallel CTI < 3e-6, crosstalk < 0.19 %,
dark current < 0.2 e⁻/s).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution given by `values` at `probabilities` (0 … 1), linear in between."""

    probabilities: tuple[float, ...]
    values: tuple[float, ...]

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        return np.interp(rng.random(count), self.probabilities, self.values).astype(np.float32)


GAIN_RATIO = Spread((0.0, 0.05, 0.5, 0.95, 1.0), (0.88, 0.920, 1.0, 1.149, 1.20))
READ_NOISE_RATIO = Spread((0.0, 0.05, 0.5, 0.90, 0.95, 1.0), (0.88, 0.914, 1.0, 1.12, 1.831, 2.1))
BIAS_ADU = Spread((0.0, 1.0), (20_000.0, 26_000.0))
FULL_WELL_RATIO = Spread((0.0, 1.0), (1.01, 1.08))  # of the nominal saturation, above which pixels count as saturated
DARK_E_S = Spread((0.0, 0.5, 0.95, 1.0), (0.008, 0.02, 0.04, 0.06))
NONLINEARITY = Spread((0.0, 1.0), (0.002, 0.015))  # lost at 100,000 e⁻
SERIAL_CTI = Spread((0.0, 0.5, 1.0), (5e-7, 1.5e-6, 5e-6))
PARALLEL_CTI = Spread((0.0, 0.5, 1.0), (1e-7, 5e-7, 2e-6))
CROSSTALK_NEIGHBOUR = Spread((0.0, 0.5, 1.0), (1e-4, 3e-4, 9e-4))
HOT_E_S = Spread((0.0, 0.5, 0.9, 1.0), (6.0, 20.0, 100.0, 400.0))
DEAD_RESPONSE = Spread((0.0, 1.0), (0.0, 0.3))

HOT_FRACTION = 2e-4  # with dead pixels well below the 0.5 % of LSST's acceptance
DEAD_FRACTION = 1e-4
