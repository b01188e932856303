"""A quick orbit for a handful of places: two bodies, Levenberg–Marquardt, microseconds.

Over a fortnight the planets move an asteroid by some hundredths of an arcsecond, most of which the orbit takes up; that
is enough to tell whether tracklets belong together, and the N-body fit has the last word.

The unknowns are what the Earth sees at the reference time: direction, its rate, the logarithm of the distance and its
rate (the attributable and what it lacks: Milani et al. 2004, Icarus 171). A wrong distance then leaves the motion on
the sky as it was, so that the fit does not creep along a valley. The residuals are exact, the partial derivatives those
of motion with a constant gradient of gravity, right to some per cent. Three short nights hardly tell the distance: a
weak prior holds it, and its rate, near the start.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from mops.science.constants import ARCSEC, C_AU_PER_DAY, GM_SUN
from mops.science.detections import Detections
from mops.science.kepler import propagate_one
from mops.science.linking.states import Floats, Ints
from mops.science.time_scales import tdb_from_tai

MODEL_ARCSEC = 0.01  # added in square to every sigma: the planets
_ITERATIONS = 15
_PRIOR_DISTANCE = 1.0  # of the logarithm
_PRIOR_ENERGY = 0.5  # kinetic over that of escape: a circle's
_PRIOR_ENERGY_SIGMA = 0.25
_FARTHEST_STEP = 0.4  # of the logarithm of the distance


class Work(NamedTuple):
    """Scratch of one fit of up to `m` places; `normal`, `right` and `chi2` are those of the orbit accepted last."""

    reference: Floats  # (6,) the Earth at the reference time
    earth: Floats  # (6,) and at the middle of the places, where the unknowns hold
    middle: Floats  # (1,) days since the reference
    here: Floats  # (6,) the orbit fitted last, at the middle
    normal: Floats  # (6, 6) lower triangle, of the unknowns, prior included
    right: Floats  # (6,)
    chi2: Floats  # (m,) of each place
    new_normal: Floats
    new_right: Floats
    new_chi2: Floats
    factor: Floats  # (6, 6)
    step: Floats  # (6,)
    trial: Floats  # (6,) an orbit
    basis: Floats  # (6, 6) d(state)/d(unknowns), one unknown a row


def places(detections: Detections, which: Ints, reference_mjd_tdb: float) -> Floats:
    """Rows (m, 9): days since the reference, direction (3), observer (3), sigma to the east and north (radians)."""
    ra, dec = np.radians(detections.ra[which]), np.radians(detections.dec[which])
    rows = np.empty((len(which), 9))
    rows[:, 0] = tdb_from_tai(detections.mjd_tai[which]) - reference_mjd_tdb
    rows[:, 1:4] = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    rows[:, 4:7] = detections.observer[which]
    rows[:, 7] = np.hypot(detections.sigma_ra[which], MODEL_ARCSEC) * ARCSEC
    rows[:, 8] = np.hypot(detections.sigma_dec[which], MODEL_ARCSEC) * ARCSEC
    return rows


@numba.njit(cache=True, nogil=True)
def work(earth: Floats, most: int) -> Work:
    """Scratch for `most` places; `earth` (6,) is its state at the reference time."""
    square, six = (6, 6), 6
    reference, middle = earth.copy(), np.zeros(1)
    normal, new_normal, factor, basis = np.empty(square), np.empty(square), np.empty(square), np.empty(square)
    here, right, new_right, step, trial = np.empty(six), np.empty(six), np.empty(six), np.empty(six), np.empty(six)
    chi2, new_chi2 = np.empty(most), np.empty(most)
    return Work(
        reference, earth.copy(), middle, here, normal, right, chi2, new_normal, new_right, new_chi2,
        factor, step, trial, basis,
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def fit(rows: Floats, which: Ints, orbit: Floats, own: Work) -> float:
    """Fit the places `which` of `rows`, from and into `orbit` (6,) at the reference; χ² of the places, NaN for none."""
    at_middle(rows, which, own)
    moved = orbit.copy()
    propagate_one(moved, own.middle[0], orbit)
    total = _fit_here(rows, which, orbit, own)
    own.here[:] = orbit
    moved[:] = orbit
    propagate_one(moved, -own.middle[0], orbit)
    return total


@numba.njit(cache=True, nogil=True)
def at_middle(rows: Floats, which: Ints, own: Work) -> None:
    """Move the frame of the unknowns to the mean time of the places; the Earth on its ellipse is near enough."""
    own.middle[0] = 0.0
    for m in which:
        own.middle[0] += rows[m, 0] / len(which)
    propagate_one(own.reference, own.middle[0], own.earth)


@numba.njit(cache=True, nogil=True)
def _fit_here(rows: Floats, which: Ints, orbit: Floats, own: Work) -> float:
    prior, _, _ = _distance(orbit, own.earth)
    best = _normal(rows, which, orbit, prior, own)
    _take(len(which), own)
    damping = 1e-6
    for _ in range(_ITERATIONS):
        if not math.isfinite(best) or not _solve(own, damping):
            break
        _move(orbit, own)
        now = _normal(rows, which, own.trial, prior, own)
        if now <= best:
            gained = best - now
            orbit[:] = own.trial
            best = now
            _take(len(which), own)
            damping *= 0.02
            if gained < 1e-2:
                break
        else:
            damping = max(damping * 50.0, 1e-3)
            if damping > 1e5:
                break
    return own.chi2[: len(which)].sum() if math.isfinite(best) else math.nan


@numba.njit(cache=True, nogil=True)
def see(orbit: Floats, since: float, row: Floats, moved: Floats, seen: Floats) -> float:
    """Direction (3,) in which the observer of a row sees, with light time, an orbit; the distance, au.

    The orbit is that of `since` days after the reference; `moved` (6,) becomes its state when the light left.
    """
    x, y, z = orbit[0] - row[4], orbit[1] - row[5], orbit[2] - row[6]
    light = math.sqrt(x * x + y * y + z * z) / C_AU_PER_DAY
    propagate_one(orbit, row[0] - since - light, moved)
    for _ in range(2):
        x, y, z = moved[0] - row[4], moved[1] - row[5], moved[2] - row[6]
        off = light - math.sqrt(x * x + y * y + z * z) / C_AU_PER_DAY
        for c in range(3):
            moved[c] += moved[3 + c] * off
        light -= off
    x, y, z = moved[0] - row[4], moved[1] - row[5], moved[2] - row[6]
    distance = math.sqrt(x * x + y * y + z * z)
    seen[0], seen[1], seen[2] = x / distance, y / distance, z / distance
    return float(distance)


@numba.njit(cache=True, nogil=True)
def axes(row: Floats) -> tuple[float, float, float, float, float]:
    """East (x, y; no z) and north (x, y, z) at the direction of a row."""
    across = math.sqrt(row[1] * row[1] + row[2] * row[2]) + 1e-12
    east_x, east_y = -row[2] / across, row[1] / across
    return east_x, east_y, -row[3] * east_y, row[3] * east_x, across


@numba.njit(cache=True, nogil=True)
def partials(row: Floats, orbit: Floats, moved: Floats, distance: float, own: Work, partial: Floats) -> None:
    """d(place)/d(unknowns) in radians, to the east and north: partial (2, 6); `own.basis` must be that of the orbit."""
    east_x, east_y, north_x, north_y, north_z = axes(row)
    t = row[0] - own.middle[0] - distance / C_AU_PER_DAY
    x, y, z = 0.5 * (orbit[0] + moved[0]), 0.5 * (orbit[1] + moved[1]), 0.5 * (orbit[2] + moved[2])
    squared = x * x + y * y + z * z
    pull = GM_SUN / (squared * math.sqrt(squared))
    for k in range(2):
        a, b, c = (east_x, east_y, 0.0) if k == 0 else (north_x, north_y, north_z)
        radial = 3.0 * (a * x + b * y + c * z) / squared
        bent_x, bent_y, bent_z = pull * (radial * x - a), pull * (radial * y - b), pull * (radial * z - c)
        half, sixth = 0.5 * t * t, t * t * t / 6.0
        p, q, r = a + half * bent_x, b + half * bent_y, c + half * bent_z
        u, v, w = t * a + sixth * bent_x, t * b + sixth * bent_y, t * c + sixth * bent_z
        for m in range(6):
            d = own.basis[m]
            partial[k, m] = (p * d[0] + q * d[1] + r * d[2] + u * d[3] + v * d[4] + w * d[5]) / distance


@numba.njit(cache=True, nogil=True)
def _normal(rows: Floats, which: Ints, orbit: Floats, prior: float, own: Work) -> float:
    """Fill the new normal equations at `orbit`; χ² of places and prior."""
    own.new_normal[:] = 0.0
    own.new_right[:] = 0.0
    set_basis(orbit, own)
    moved, seen, partial = np.empty(6), np.empty(3), np.empty((2, 6))
    off = np.empty(2)
    total = 0.0
    for m in range(len(which)):
        row = rows[which[m]]
        distance = see(orbit, own.middle[0], row, moved, seen)
        partials(row, orbit, moved, distance, own, partial)
        residuals(row, seen, off)
        own.new_chi2[m] = (off[0] / row[7]) ** 2 + (off[1] / row[8]) ** 2
        total += own.new_chi2[m]
        for k in range(2):
            weight = 1.0 / (row[7 + k] * row[7 + k])
            for a in range(6):
                own.new_right[a] += weight * partial[k, a] * off[k]
                for b in range(a + 1):
                    own.new_normal[a, b] += weight * partial[k, a] * partial[k, b]
    return total + _add_prior(orbit, prior, own)


@numba.njit(cache=True, nogil=True)
def _add_prior(orbit: Floats, prior: float, own: Work) -> float:
    """The distance near the start's, and a speed near the circular one, from rest to just beyond escape."""
    log_distance, _, _ = _distance(orbit, own.earth)
    off = (prior - log_distance) / _PRIOR_DISTANCE
    own.new_normal[4, 4] += 1.0 / _PRIOR_DISTANCE**2
    own.new_right[4] += off / _PRIOR_DISTANCE
    r = math.sqrt(orbit[0] ** 2 + orbit[1] ** 2 + orbit[2] ** 2)
    kinetic = 0.5 * (orbit[3] ** 2 + orbit[4] ** 2 + orbit[5] ** 2) / GM_SUN
    missing = (_PRIOR_ENERGY - r * kinetic) / _PRIOR_ENERGY_SIGMA
    slope = np.empty(6)
    for a in range(6):
        d = own.basis[a]
        outward = (orbit[0] * d[0] + orbit[1] * d[1] + orbit[2] * d[2]) / r
        faster = (orbit[3] * d[3] + orbit[4] * d[4] + orbit[5] * d[5]) / GM_SUN
        slope[a] = (outward * kinetic + r * faster) / _PRIOR_ENERGY_SIGMA
        own.new_right[a] += missing * slope[a]
        for b in range(a + 1):
            own.new_normal[a, b] += slope[a] * slope[b]
    return float(off**2 + missing**2)


@numba.njit(cache=True, nogil=True)
def residuals(row: Floats, seen: Floats, off: Floats) -> None:
    """Observed less computed, radians, to the east and north; far beyond any sigma on the other side of the sky."""
    east_x, east_y, north_x, north_y, north_z = axes(row)
    off[0] = -(seen[0] * east_x + seen[1] * east_y)
    off[1] = -(seen[0] * north_x + seen[1] * north_y + seen[2] * north_z)
    if seen[0] * row[1] + seen[1] * row[2] + seen[2] * row[3] < 0.5:
        off[0] = off[1] = 1.0


@numba.njit(cache=True, nogil=True)
def _distance(orbit: Floats, earth: Floats) -> tuple[float, float, float]:
    """Logarithm of the distance from the Earth, its rate, and the distance."""
    squared = along = 0.0
    for c in range(3):
        squared += (orbit[c] - earth[c]) ** 2
        along += (orbit[c] - earth[c]) * (orbit[3 + c] - earth[3 + c])
    return 0.5 * math.log(squared), along / squared, math.sqrt(squared)


@numba.njit(cache=True, nogil=True)
def set_basis(orbit: Floats, own: Work) -> None:
    """d(state)/d(unknowns): direction along two axes (a, b), rate along them, log distance, its rate."""
    _, rate, distance = _distance(orbit, own.earth)
    n, a, b, moves = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    for c in range(3):
        n[c] = (orbit[c] - own.earth[c]) / distance
        moves[c] = (orbit[3 + c] - own.earth[3 + c]) / distance - rate * n[c]
    _across(n, a, b)
    along_a = moves[0] * a[0] + moves[1] * a[1] + moves[2] * a[2]
    along_b = moves[0] * b[0] + moves[1] * b[1] + moves[2] * b[2]
    for c in range(3):
        own.basis[0, c], own.basis[0, 3 + c] = distance * a[c], distance * (rate * a[c] - along_a * n[c])
        own.basis[1, c], own.basis[1, 3 + c] = distance * b[c], distance * (rate * b[c] - along_b * n[c])
        own.basis[2, c], own.basis[2, 3 + c] = 0.0, distance * a[c]
        own.basis[3, c], own.basis[3, 3 + c] = 0.0, distance * b[c]
        own.basis[4, c], own.basis[4, 3 + c] = distance * n[c], distance * (rate * n[c] + moves[c])
        own.basis[5, c], own.basis[5, 3 + c] = 0.0, distance * n[c]


@numba.njit(cache=True, nogil=True)
def _across(n: Floats, a: Floats, b: Floats) -> None:
    """Two axes at right angles to a direction and each other."""
    least = 0 if abs(n[0]) <= min(abs(n[1]), abs(n[2])) else (1 if abs(n[1]) <= abs(n[2]) else 2)
    a[:] = -n[least] * n
    a[least] += 1.0
    a /= math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
    b[0], b[1], b[2] = n[1] * a[2] - n[2] * a[1], n[2] * a[0] - n[0] * a[2], n[0] * a[1] - n[1] * a[0]


@numba.njit(cache=True, nogil=True)
def _move(orbit: Floats, own: Work) -> None:
    """The orbit after `own.step` in the unknowns, into `own.trial`: exact in the distance, not only to first order."""
    set_basis(orbit, own)
    _, rate, distance = _distance(orbit, own.earth)
    step = own.step
    if abs(step[4]) > _FARTHEST_STEP:
        step *= _FARTHEST_STEP / abs(step[4])
    n, moves = np.empty(3), np.empty(3)
    for c in range(3):
        n[c] = (orbit[c] - own.earth[c]) / distance
        moves[c] = (orbit[3 + c] - own.earth[3 + c]) / distance - rate * n[c]
        n[c] += (own.basis[0, c] * step[0] + own.basis[1, c] * step[1]) / distance
        moves[c] += (own.basis[2, 3 + c] * step[2] + own.basis[3, 3 + c] * step[3]) / distance
    n /= math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
    moves -= (moves[0] * n[0] + moves[1] * n[1] + moves[2] * n[2]) * n
    distance *= math.exp(step[4])
    rate += step[5]
    for c in range(3):
        own.trial[c] = own.earth[c] + distance * n[c]
        own.trial[3 + c] = own.earth[3 + c] + distance * (rate * n[c] + moves[c])


@numba.njit(cache=True, nogil=True)
def _take(count: int, own: Work) -> None:
    own.normal[:] = own.new_normal
    own.right[:] = own.new_right
    own.chi2[:count] = own.new_chi2[:count]


@numba.njit(cache=True, nogil=True)
def _solve(own: Work, damping: float) -> bool:
    if not factorise(own.normal, damping, own.factor):
        return False
    substitute(own.factor, own.right, own.step)
    for a in range(5, -1, -1):
        value = own.step[a]
        for b in range(a + 1, 6):
            value -= own.factor[b, a] * own.step[b]
        own.step[a] = value / own.factor[a, a]
    return True


@numba.njit(cache=True, nogil=True)
def factorise(normal: Floats, damping: float, factor: Floats) -> bool:
    """Cholesky's lower factor of a normal matrix with its diagonal raised; False where it is not positive."""
    for a in range(6):
        for b in range(a + 1):
            value = normal[a, b] * (1.0 + damping) if a == b else normal[a, b]
            for c in range(b):
                value -= factor[a, c] * factor[b, c]
            if a != b:
                factor[a, b] = value / factor[b, b]
            elif value > 0.0:
                factor[a, a] = math.sqrt(value)
            else:
                return False
    return True


@numba.njit(cache=True, nogil=True)
def substitute(factor: Floats, right: Floats, out: Floats) -> None:
    """Solve L out = right for a lower triangle (6, 6)."""
    for a in range(6):
        value = right[a]
        for b in range(a):
            value -= factor[a, b] * out[b]
        out[a] = value / factor[a, a]
