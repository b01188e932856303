"""How well an orbit is known: errors of its elements from the covariance, the Minor Planet Center's U, arc in words.

U: https://minorplanetcenter.net/iau/info/UValue.html: RUNOFF = (dT e + 10 dP / P) k₀ / P × 3600 × 3, arcseconds of
in-orbit longitude a decade, T and dP in days, P in years; U = INT(ln(RUNOFF) / (ln 648000 / 9)) + 1, held to 0…9.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN
from mops.science.elements import Elements, elements_from_states

GAUSSIAN_DEG = np.degrees(0.01720209895)  # k₀
DAYS_A_YEAR = 365.25
NO_U = -1  # an open orbit, or none with a covariance: the MPC gives comets a quality code instead
OPPOSITION_GAP_DAYS = 180.0
STEP = 1e-7  # of the state, for central differences: their error is then below 1e-6 of an element's error
FULL_TURN = {"node", "argperi", "mean_anomaly"}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ElementErrors:
    """One-sigma errors of `n` orbits, (n,) each, named and in units as mpc_orbits' `…_unc`; NaN where there is none.

    a, q : au.  e.  i, node, argperi, mean_anomaly : degrees.  peri_time, period : days.
    """

    a: Floats
    q: Floats
    e: Floats
    i: Floats
    node: Floats
    argperi: Floats
    mean_anomaly: Floats
    peri_time: Floats
    period: Floats


def element_errors(states: Floats, epoch_mjd_tdb: Floats, covariance: Floats) -> ElementErrors:
    """Errors of the elements: their derivatives by the state, on both sides of the covariance, to first order.

    Parameters
    ----------
    states : (n, 6), heliocentric, ICRF, au and au/day.  epoch_mjd_tdb : (n,).  covariance : (n, 6, 6) of the states.
    """
    states, epoch = np.asarray(states, np.float64).reshape(-1, 6), np.asarray(epoch_mjd_tdb, np.float64)
    size = np.repeat(np.linalg.norm(states.reshape(-1, 2, 3), axis=2), 3, axis=1)
    slopes: dict[str, list[Floats]] = {name: [] for name in ElementErrors.__slots__}
    for axis in range(6):
        step = np.where(np.arange(6) == axis, STEP * size, 0.0)
        ahead, behind = (_all_elements(states + sign * step, epoch) for sign in (1, -1))
        for name, rows in slopes.items():
            rows.append(_difference(name, ahead[name], behind[name]) / (2 * STEP * size[:, axis]))
    return ElementErrors(**{name: _sigma(np.stack(rows, axis=1), covariance) for name, rows in slopes.items()})


def u_parameter(elements: Elements, errors: ElementErrors) -> npt.NDArray[np.int8]:
    """The MPC's U, int8 (n,), 0 (known best) to 9; `NO_U` for an open orbit and for one without errors."""
    years = period_days(elements.a) / DAYS_A_YEAR
    with np.errstate(invalid="ignore", divide="ignore"):
        runoff = (errors.peri_time * elements.e + 10 / years * errors.period) * GAUSSIAN_DEG / years * 3600 * 3
        steps = np.log(runoff) / (np.log(648_000) / 9)
    known = (elements.e < 1) & (runoff >= 0)
    u = np.clip(np.floor(np.where(known, steps, 0)) + 1, 0, 9)
    return np.where(known, u, NO_U).astype(np.int8)


def period_days(a: Floats) -> Floats:
    """Of half axes in au; NaN where the orbit is open (a ≤ 0 or infinite)."""
    closed = np.where((a > 0) & np.isfinite(a), a, np.nan)
    days: Floats = 2 * np.pi * np.sqrt(closed**3 / GM_SUN)
    return days


def oppositions(mjd_tai: Floats) -> int:
    """In how many apparitions an object was seen: runs of observations parted by more than half a year."""
    times = np.sort(mjd_tai)
    return int(len(times) > 0) + int(np.count_nonzero(np.diff(times) > OPPOSITION_GAP_DAYS))


def arc_words(mjd_tai: Floats, nights: int) -> str:
    """The observed arc as people say it: "40 min", "9.1 days in 3 nights", "2 oppositions, 1.3 years"."""
    if len(mjd_tai) == 0:
        return "not observed"
    days, seen = float(np.ptp(mjd_tai)), oppositions(mjd_tai)
    if seen > 1:
        return f"{seen} oppositions, {days / DAYS_A_YEAR:.1f} years"
    if nights > 1:
        return f"{days:.1f} days in {nights} nights"
    return f"{days * 24:.1f} h" if days > 0.0625 else f"{days * 1440:.0f} min"


def _all_elements(states: Floats, epoch: Floats) -> dict[str, Floats]:
    elements = elements_from_states(states, epoch)
    period = period_days(elements.a)
    return {name: period if name == "period" else getattr(elements, name) for name in ElementErrors.__slots__}


def _difference(name: str, ahead: Floats, behind: Floats) -> Floats:
    """An angle's across 360° is the short way round."""
    difference = ahead - behind
    return (difference + 180) % 360 - 180 if name in FULL_TURN else difference


def _sigma(slope: Floats, covariance: Floats) -> Floats:
    variance = np.einsum("ni,nij,nj->n", slope, covariance, slope)
    return np.sqrt(np.where(variance >= 0, variance, np.nan))
