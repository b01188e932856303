"""How bright an object is, whether it is detected, and how well it is measured."""

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# V minus magnitude in u, g, r, i, z, y for C- and S-type reflectance: as in LSST's moving-object simulations (Veres &
# Chesley 2017, arXiv 1706.09397; Jones et al. 2018, Icarus 303, 181).
V_MINUS_BAND = np.array(
    [
        [-1.614, -0.302, 0.172, 0.291, 0.298, 0.303],
        [-1.927, -0.395, 0.255, 0.455, 0.401, 0.406],
    ]
)
FADING_WIDTH = 0.1  # mag, of the loss of detections about the limit (Veres & Chesley 2017, eq. 1)
FADED = 1.0  # mag below the limit nothing is detected: 5e-5 by the fading function
GAMMA = 0.039  # of a band's noise law, the value of all bands but u (Ivezić et al. 2019, ApJ 873, 111, table 2)


@numba.njit(cache=True, nogil=True)
def v_magnitude(h: float, g: float, r: float, delta: float, sun_observer: float) -> float:
    """Apparent V of the H, G system (Bowell et al. 1989, Asteroids II, eqs. A4 and A5, the exponential form).

    Parameters
    ----------
    h, g
        Absolute magnitude and slope parameter.
    r, delta, sun_observer
        Distances in au: Sun to object, observer to object, Sun to observer.

    Returns
    -------
    float
        Magnitude; the phase function is held at its value for 150° beyond that angle, where it was never fitted.
    """
    cosine = (r * r + delta * delta - sun_observer * sun_observer) / (2 * r * delta)
    phase = min(np.arccos(min(1.0, max(-1.0, cosine))), np.radians(150.0))
    tangent = np.tan(phase / 2)
    bright = (1 - g) * np.exp(-3.33 * tangent**0.63) + g * np.exp(-1.87 * tangent**1.22)
    return float(h + 5 * np.log10(r * delta) - 2.5 * np.log10(bright))


def detection_probability(mag: Array, m5: Array) -> Array:
    """Share of objects of a magnitude that are detected: half at the limit, none beyond `FADED` below it."""
    share = 1 / (1 + np.exp(np.clip((mag - m5) / FADING_WIDTH, -50, 50)))
    return np.where(mag - m5 < FADED, share, 0.0)


def signal_to_noise(mag: Array, m5: Array) -> Array:
    """Signal over noise of a point source, 5 at the limit (Ivezić et al. 2019, eq. 5)."""
    x = 10 ** (0.4 * (mag - m5))
    return np.asarray(1 / np.sqrt((0.04 - GAMMA) * x + GAMMA * x**2), dtype=np.float64)


def astrometric_sigma(snr: Array, seeing: Array, floor_arcsec: float) -> Array:
    """Error of each coordinate, arcsec: FWHM / (2.355 SNR) of a centroid and the atmosphere's floor, in quadrature.

    Ivezić et al. (2019, §3.1) give 10 mas for the floor; Rubin's first asteroids scatter by 46 mas.
    """
    return np.hypot(floor_arcsec, seeing / (2.3548 * snr))


def warm_up() -> None:
    """Compile the kernels."""
    v_magnitude(15.0, 0.15, 2.0, 1.0, 1.0)
