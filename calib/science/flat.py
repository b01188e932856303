"""What a flat's light says of one amplifier: how much of it there is, and which pixels do not answer."""

import numpy as np

from calib.science.distribution import Distribution
from calib.science.overscan import Overscan

DEAD_RESPONSE = 0.5  # of the amplifier's median; LSST masks defects from 0.8 on, a dead pixel is beyond doubt
COLD_RESPONSE = 0.8  # of the amplifier's median: cp_pipe's default, and a dark pixel of SITCOMTN-148
LIT_SIGMA = 10.0  # a flat whose median is not this many read noises above the overscan is dark: nothing can be dead
UNLIT = {"dead_fraction": np.nan, "cold_pixels": np.nan, "flat_level": np.nan, "flat_snr": np.nan}


def measure_flat(image: Distribution, overscan: Overscan | None, gain: float, exposure_s: float) -> dict[str, float]:
    """The metrics that only a flat has, by name. `gain` in e⁻/ADU.

    Without overscan the signal is unknown, and all are NaN; dead and cold pixels are also where there is no light.
    """
    if overscan is None:
        return UNLIT
    signal = image.median - overscan.level
    lit = signal > LIT_SIGMA * overscan.noise  # not so where either is NaN
    return {
        "dead_fraction": image.below(overscan.level + DEAD_RESPONSE * signal) / image.count if lit else np.nan,
        "cold_pixels": float(image.below(overscan.level + COLD_RESPONSE * signal)) if lit else np.nan,
        "flat_level": signal * gain / exposure_s if exposure_s > 0 else np.nan,
        "flat_snr": signal / image.robust_sigma if image.robust_sigma > 0 else np.nan,
    }


def amplifier_scatter(signals_e: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Standard deviation over mean of the amplifiers' signals; NaN unless two are known and their mean is positive."""
    known = signals_e[np.isfinite(signals_e)]
    return float(known.std() / known.mean()) if len(known) > 1 and known.mean() > 0 else np.nan
