"""Absolute magnitudes and slopes: how an object's brightness, reduced to 1 au, falls with the phase angle.

(H, G): Bowell et al. 1989, in Asteroids II, 524, equation A4. (H, G12): Muinonen et al. 2010, Icarus 209, 542, with the
basis splines of its Tables 3 and 4 and the linear G12 of Penttilä et al. 2016, Planet. Space Sci. 123, 117, which is
what APDB's SSObject holds. As in Rubin's catalogues, a slope outside [0, 1] is no slope: `slope_fit_failed`, and H is
fitted with a fiducial one.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

import numba
import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from mops.science.detections import BANDS

Model = Literal["HG", "HG12"]
FIDUCIAL = {"HG": 0.15, "HG12": 0.5}  # IAU's G where none is known; the middle of Penttilä's G12
MIN_POINTS = 3  # for two parameters and a χ²
MIN_PHASE_RANGE_DEG = 2.0  # below it H and the slope are one number
MAG_FLOOR = 0.05  # added in quadrature: light curves scatter more than photometry
OUTLIER_MAG = 1.5  # from the median: beyond nearly every light curve's amplitude

# To V, for the (H, G) of mpc_orbits: the Minor Planet Center's band conversions, in the order of `BANDS`.
V_MINUS_BAND = np.array([-2.5, -0.35, 0.14, 0.32, 0.26, 0.32])

Floats = npt.NDArray[np.float64]


def _spline(degrees: list[float], values: list[float], slopes: tuple[float, float]) -> tuple[Floats, Floats]:
    spline = CubicSpline(np.radians(degrees), values, bc_type=((1, slopes[0]), (1, slopes[1])))
    return spline.x, np.ascontiguousarray(spline.c.T)


# Muinonen et al. 2010, Tables 3 and 4: knots, values there and slopes (1/rad) at both ends.
_KNOTS, _PHI1 = _spline(
    [7.5, 30, 60, 90, 120, 150],
    [7.5e-1, 3.3486016e-1, 1.3410560e-1, 5.1104756e-2, 2.1465687e-2, 3.6396989e-3],
    (-1.9098593, -9.1328612e-2),
)
_PHI2 = _spline(
    [7.5, 30, 60, 90, 120, 150],
    [9.25e-1, 6.2884169e-1, 3.1755495e-1, 1.2716367e-1, 2.2373903e-2, 1.6505689e-4],
    (-5.7295780e-1, -8.6573138e-8),
)[1]
_KNOTS3, _PHI3 = _spline(
    [0, 0.3, 1, 2, 4, 8, 12, 20, 30],
    [1, 8.3381185e-1, 5.7735424e-1, 4.2144772e-1, 2.3174230e-1, 1.0348178e-1, 6.1733473e-2, 1.6107006e-2, 0],
    (-1.0630097, 0),
)
_G1, _G2 = 0.84293649, 0.53513350  # Penttilä et al. 2016, equation 8: G1 = 0.843 G12, G2 = 0.535 (1 − G12)


@dataclass(frozen=True, slots=True)
class PhaseCurves:
    """One fit for each of `k` groups of points; the names are those of SSObject, without their band.

    H, HErr : (k,), mag.  G, GErr : (k,), G or G12.  H_G_Cov : (k,), mag.  Chi2 : (k,).  nObs, nObsUsed : int64 (k,), of
    a finite magnitude and distance; of those, in the fit.  phaseAngleMin, phaseAngleMax : (k,), degrees, of those used.
    slope_fit_failed : bool (k,): G is the fiducial one, its error and covariance NaN. All NaN where no point is usable.
    """

    H: Floats
    HErr: Floats
    G: Floats
    GErr: Floats
    H_G_Cov: Floats
    Chi2: Floats
    nObs: npt.NDArray[np.int64]
    nObsUsed: npt.NDArray[np.int64]
    phaseAngleMin: Floats
    phaseAngleMax: Floats
    slope_fit_failed: npt.NDArray[np.bool_]

    def take(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "PhaseCurves":
        """Those that `which` names."""
        return PhaseCurves(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def reduced_magnitude(mag: Floats, helio_range: Floats, topo_range: Floats) -> Floats:
    """`mag` as at 1 au from Sun and observer; distances in au. NaN where a distance is not above 0."""
    distances = np.asarray(helio_range * topo_range, np.float64)
    reduced: Floats = mag - 5 * np.log10(np.where(distances > 0, distances, np.nan))
    return reduced


def phase_magnitude(phase_angle: Floats, slope: float | Floats, model: Model = "HG12") -> Floats:
    """−2.5 log10 Φ(α): what a phase angle in degrees adds to H. NaN where α or the slope is."""
    angles, slopes = np.broadcast_arrays(np.asarray(phase_angle, np.float64), np.asarray(slope, np.float64))
    added = np.empty(angles.shape)
    _magnitudes(np.ravel(angles), np.ravel(slopes), model == "HG", *_BASIS, added.ravel())
    return added


def predicted_magnitude(
    H: Floats, G: Floats, helio_range: Floats, topo_range: Floats, phase_angle: Floats, model: Model = "HG"
) -> Floats:
    """Apparent magnitude from absolute; distances au, phase angle degrees, all (n,). G is 0.15 where it is NaN."""
    slope = np.where(np.isfinite(G), G, FIDUCIAL[model])
    predicted: Floats = H + 5 * np.log10(helio_range * topo_range) + phase_magnitude(phase_angle, slope, model)
    return predicted


def fit_phase_curves(
    first: npt.NDArray[np.int64], reduced: Floats, sigma: Floats, phase_angle: Floats, model: Model = "HG12"
) -> PhaseCurves:
    """Fit H and the slope to each group of points.

    Parameters
    ----------
    first : int64 (k+1,): group j has the points first[j]:first[j+1].
    reduced : (m,), reduced magnitudes.  sigma : (m,), mag; NaN counts as 0.1.  phase_angle : (m,), degrees.
    """
    first = np.asarray(first, np.int64)
    if len(first) == 0 or first[0] != 0 or np.any(np.diff(first) < 0) or first[-1] != len(reduced):
        raise ValueError(
            f"The groups must begin at 0, ascend and end at the number of points, {len(reduced)}; they are {first}."
        )
    results = np.full((len(first) - 1, 8), np.nan)
    counts = np.zeros((len(first) - 1, 3), np.int64)
    weight = 1 / (np.where(np.isfinite(sigma), sigma, 0.1) ** 2 + MAG_FLOOR**2)
    mag, weight, angle = (np.ascontiguousarray(each, np.float64) for each in (reduced, weight, phase_angle))
    _fit_all(first, mag, weight, angle, model == "HG", FIDUCIAL[model], *_BASIS, results, counts)
    h, h_err, g, g_err, covariance, chi2, nearest, farthest = results.T
    used, failed = counts[:, 1], counts[:, 2] == 1
    return PhaseCurves(h, h_err, g, g_err, covariance, chi2, counts[:, 0], used, nearest, farthest, failed)


def fit_bands(
    first: npt.NDArray[np.int64], band: npt.NDArray[np.int8], reduced: Floats, sigma: Floats, phase_angle: Floats
) -> dict[str, PhaseCurves]:
    """`fit_phase_curves` of each object in each band: objects as groups of `first` (k+1,), points with their `band`."""
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    fits = {}
    for index, name in enumerate(BANDS):
        chosen = np.flatnonzero(band == index)
        starts = np.searchsorted(owner[chosen], np.arange(len(first)))
        fits[name] = fit_phase_curves(starts, reduced[chosen], sigma[chosen], phase_angle[chosen])
    return fits


def colour(fits: dict[str, PhaseCurves], blue: str, red: str) -> tuple[Floats, Floats]:
    """H_blue − H_red and its error, mag, (k,) each: a colour free of the phase angles at which the bands were seen.

    It needs one point in each band: where a slope failed, H stands on the fiducial one, whose error `HErr` leaves out.
    """
    return fits[blue].H - fits[red].H, np.hypot(fits[blue].HErr, fits[red].HErr)


def to_v(mag: Floats, band: npt.NDArray[np.int8]) -> Floats:
    """Magnitudes in V by the Minor Planet Center's mean conversion; NaN where the band is unknown (−1)."""
    return np.where(band >= 0, mag + V_MINUS_BAND[band], np.nan)


def warm_up() -> None:
    """Compile, so that no night waits for it."""
    fit_phase_curves(np.array([0, 3]), np.array([15.0, 15.2, 15.4]), np.full(3, 0.1), np.array([1.0, 8.0, 15.0]))
    phase_magnitude(np.array([1.0]), 0.15, "HG")


_BASIS = _KNOTS, _PHI1, _PHI2, _KNOTS3, _PHI3


@numba.njit(cache=True, nogil=True)
def _cubic(x: float, knots: Any, pieces: Any) -> Any:
    piece = min(max(np.searchsorted(knots, x, side="right") - 1, 0), len(pieces) - 1)
    t, c = x - knots[piece], pieces[piece]
    return max(((c[0] * t + c[1]) * t + c[2]) * t + c[3], 0.0)


@numba.njit(cache=True, nogil=True)
def _line(alpha: float, bowell: bool, knots: Any, phi1: Any, phi2: Any, knots3: Any, phi3: Any) -> tuple[Any, Any]:
    """Φ = `constant` + slope × `change`: both models are linear in their slope. alpha in radians."""
    if bowell:
        sin, tan = np.sin(alpha), np.tan(0.5 * alpha)
        near = np.exp(-90.56 * tan * tan)
        small = sin / (0.119 + 1.341 * sin - 0.754 * sin * sin)
        one = near * (1 - 0.986 * small) + (1 - near) * np.exp(-3.332 * tan**0.631)
        two = near * (1 - 0.238 * small) + (1 - near) * np.exp(-1.862 * tan**1.218)
        return one, two - one
    edge, last = knots[0], knots[-1]
    one = 1 - 6 * alpha / np.pi if alpha < edge else _cubic(min(alpha, last), knots, phi1)
    two = 1 - 9 * alpha / (5 * np.pi) if alpha < edge else _cubic(min(alpha, last), knots, phi2)
    three = _cubic(alpha, knots3, phi3) if alpha < knots3[-1] else 0.0
    return _G2 * two + (1 - _G2) * three, _G1 * (one - three) - _G2 * (two - three)


@numba.njit(cache=True, nogil=True)
def _magnitudes(
    angle: Any, slope: Any, bowell: bool, knots: Any, phi1: Any, phi2: Any, knots3: Any, phi3: Any, added: Any
) -> None:
    for index in range(len(angle)):
        constant, change = _line(np.radians(angle[index]), bowell, knots, phi1, phi2, knots3, phi3)
        phi = constant + slope[index] * change
        added[index] = -2.5 * np.log10(phi) if phi > 0 else np.nan


@numba.njit(cache=True, nogil=True)
def _fit_all(
    first: Any, mag: Any, weight: Any, angle: Any, bowell: bool, fiducial: float,
    knots: Any, phi1: Any, phi2: Any, knots3: Any, phi3: Any, results: Any, counts: Any,
) -> None:  # fmt: skip
    for group in range(len(first) - 1):
        inside = slice(first[group], first[group + 1])
        usable = np.isfinite(mag[inside]) & np.isfinite(angle[inside])
        m, w, a = mag[inside][usable], weight[inside][usable], angle[inside][usable]
        counts[group, 0], counts[group, 2] = len(m), 1
        if len(m) == 0:
            continue
        constant, change = np.empty(len(m)), np.empty(len(m))
        for index in range(len(m)):
            constant[index], change[index] = _line(np.radians(a[index]), bowell, knots, phi1, phi2, knots3, phi3)
        level = m + 2.5 * np.log10(constant + fiducial * change)
        kept = np.abs(level - np.median(level)) <= OUTLIER_MAG
        m, w, a, constant, change = m[kept], w[kept], a[kept], constant[kept], change[kept]
        counts[group, 1] = len(m)
        if len(m) == 0:  # two that disagree: neither is the outlier
            continue
        results[group, 6], results[group, 7] = a.min(), a.max()
        free = len(m) >= MIN_POINTS and results[group, 7] - results[group, 6] >= MIN_PHASE_RANGE_DEG
        if not (free and _two_parameters(m, w, constant, change, fiducial, results[group])):
            _one_parameter(m, w, constant, change, fiducial, results[group])
        else:
            counts[group, 2] = 0


@numba.njit(cache=True, nogil=True)
def _one_parameter(m: Any, w: Any, constant: Any, change: Any, slope: float, result: Any) -> None:
    level, total = m + 2.5 * np.log10(constant + slope * change), w.sum()
    h = (w * level).sum() / total
    result[0], result[1], result[2], result[3], result[4] = h, total**-0.5, slope, np.nan, np.nan
    result[5] = (w * (level - h) ** 2).sum()


@numba.njit(cache=True, nogil=True)
def _two_parameters(m: Any, w: Any, constant: Any, change: Any, start: float, result: Any) -> bool:
    """Gauss and Newton on the slope, H following it at each step; False where no slope in [0, 1] is the best."""
    slope = start
    for _ in range(60):
        phi = constant + slope * change
        if not phi.min() > 0:
            return False
        level, tilt = m + 2.5 * np.log10(phi), 2.5 / np.log(10.0) * change / phi
        total, t = w.sum(), (w * tilt).sum()
        tt, h = (w * tilt * tilt).sum(), (w * level).sum() / total
        determinant = tt - t * t / total
        if not determinant > 1e-12 * tt:
            return False
        step = -(w * tilt * (level - h)).sum() / determinant
        slope += min(max(step, -0.25), 0.25)
        if not -0.5 <= slope <= 1.5:
            return False
        if abs(step) < 1e-9:
            break
    level = m + 2.5 * np.log10(constant + slope * change)
    h = (w * level).sum() / total
    result[0], result[1], result[2], result[3] = h, np.sqrt(tt / determinant / total), slope, determinant**-0.5
    result[4], result[5] = t / (total * determinant), (w * (level - h) ** 2).sum()
    return abs(step) < 1e-6 and 0 <= slope <= 1
