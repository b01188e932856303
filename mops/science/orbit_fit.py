"""Orbits of arcs: N-body least squares with covariance, and an honest status for each.

The forces are those of `mops.science.forces`; the method is in `orbit_solver`, the limits of belief in `orbit_status`.
Detections far from each other in time may be fitted as well as those of a night; close approaches shorten the steps,
and an orbit that cannot be followed ends DIVERGED. Nothing in the input raises or hangs: what is wrong with an arc is
its status.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science import ephemeris, orbit_solver, time_scales
from mops.science.detections import Detections
from mops.science.orbit_status import BELIEF, Belief, Status, judge
from mops.science.perturbers import perturbers

Array = npt.NDArray[np.float64]

STATUS = {status: status.sentence for status in Status}


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How to fit, and what to believe.

    tolerance : chi² that one more step may still gain.  reject_chi2, readmit_chi2 : of a detection's residual (two
    degrees of freedom; 14 is beaten by one good one in a thousand); 0 keeps all.  least_used, least_share : detections
    an orbit must keep.  energy_sigma : see `orbit_solver._suppose_bound`; 0 supposes nothing.
    """

    iterations: int = 30
    tolerance: float = 1e-3
    reject_chi2: float = 14.0
    readmit_chi2: float = 11.0
    least_used: int = 4
    least_share: float = 0.67
    energy_sigma: float = 0.0
    belief: Belief = BELIEF


# for arcs of weeks beyond Neptune: without it three in four of 15 days are UNCONSTRAINED, for they might be unbound
DISTANT = FitConfig(energy_sigma=0.4)
QUICK = FitConfig(iterations=10, tolerance=0.05, reject_chi2=0.0)


@dataclass(frozen=True, slots=True)
class Arcs:
    """`k` arcs of together `m` detections.

    first (k + 1,) cuts the flat arrays: mjd_tdb, ra, dec (degrees, ICRF), sigma_ra, sigma_dec (arcsec on the sky), and
    observer (m, 3), heliocentric au.
    """

    first: npt.NDArray[np.int64]
    mjd_tdb: Array
    ra: Array
    dec: Array
    sigma_ra: Array
    sigma_dec: Array
    observer: Array

    @classmethod
    def of(
        cls, detections: Detections, first: npt.NDArray[np.int64], members: npt.NDArray[np.int64] | npt.NDArray[np.intp]
    ) -> "Arcs":
        """Arcs of the detections that `members`, cut by `first`, names."""
        return cls(
            first=np.asarray(first, np.int64),
            mjd_tdb=time_scales.tdb_from_tai(detections.mjd_tai[members]),
            ra=detections.ra[members],
            dec=detections.dec[members],
            sigma_ra=detections.sigma_ra[members],
            sigma_dec=detections.sigma_dec[members],
            observer=detections.observer[members],
        )

    def __len__(self) -> int:
        return len(self.first) - 1

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Arcs":
        """The arcs that `which` (a mask or indices) names, in its order."""
        chosen = np.arange(len(self))[which]
        counts = np.diff(self.first)[chosen]
        first = np.concatenate([[0], np.cumsum(counts)])
        flat = np.repeat(self.first[chosen] - first[:-1], counts) + np.arange(first[-1])
        return Arcs(first, *(getattr(self, name)[flat] for name in _FLAT))


_FLAT = ("mjd_tdb", "ra", "dec", "sigma_ra", "sigma_dec", "observer")


@dataclass(frozen=True, slots=True)
class Orbits:
    """Of `k` arcs; NaN where there is no orbit.

    epoch_mjd_tdb (k,), state (k, 6), covariance (k, 6, 6) au and au/day; chi2 and degrees_of_freedom (k,) of the
    detections used; rms_arcsec (k,) of both coordinates; used (m,), residual_ra, residual_dec (m,) arcsec on the sky,
    observed less computed; status (k,) int8 of `Status`; iterations (k,).
    """

    epoch_mjd_tdb: Array
    state: Array
    covariance: Array
    chi2: Array
    degrees_of_freedom: npt.NDArray[np.int64]
    rms_arcsec: Array
    used: npt.NDArray[np.bool_]
    residual_ra: Array
    residual_dec: Array
    status: npt.NDArray[np.int8]
    iterations: npt.NDArray[np.int64]


DEFAULT = FitConfig()


def fit(arcs: Arcs, seeds: Array, seed_epoch: Array, config: FitConfig = DEFAULT) -> Orbits:
    """Orbits of arcs from seed states (k, 6) at seed epochs (k,), MJD TDB, in one thread; they keep the seeds' epochs.

    Raises ValueError where the arrays do not belong together.
    """
    _check_shapes(arcs, seeds, seed_epoch)
    count, total = len(arcs), len(arcs.mjd_tdb)
    states, epochs = np.array(seeds, float).reshape(count, 6), np.asarray(seed_epoch, float)
    covariance, chi2 = np.full((count, 6, 6), np.nan), np.full(count, np.nan)
    used, residual = np.ones(total, np.bool_), np.full((total, 2), np.nan)
    iterations = np.zeros(count, np.int64)
    status = _bad_input(arcs, states, epochs, config.least_used)
    order = _in_time(arcs)
    good = np.flatnonzero(status == Status.OK)
    if len(good):
        _run(arcs, order, epochs, config, good, states, covariance, chi2, used, residual, status, iterations)
    used[order], residual[order] = used.copy(), residual.copy()
    status = judge(status, states, covariance, config.belief)
    return _orbits(arcs, epochs, states, covariance, chi2, used, residual, status, iterations)


def _check_shapes(arcs: Arcs, seeds: Array, seed_epoch: Array) -> None:
    count, total = len(arcs), len(arcs.mjd_tdb)
    if np.shape(seeds) != (count, 6) or np.shape(seed_epoch) != (count,):
        raise ValueError(
            f"{count} arcs need seeds of shape ({count}, 6) and seed epochs of shape ({count},), "
            f"not {np.shape(seeds)} and {np.shape(seed_epoch)}."
        )
    if (
        arcs.first[0] != 0
        or arcs.first[-1] != total
        or np.any(np.diff(arcs.first) < 0)
        or arcs.observer.shape != (total, 3)
    ):
        raise ValueError(
            f"The arcs' `first` must rise from 0 to the {total} detections, each with an observer's place."
        )


def _bad_input(arcs: Arcs, states: Array, epochs: Array, least_used: int) -> npt.NDArray[np.int8]:
    within = (arcs.mjd_tdb > ephemeris.FIRST_MJD_TDB) & (arcs.mjd_tdb < ephemeris.LAST_MJD_TDB)
    sound = within & np.isfinite(arcs.ra) & (np.abs(arcs.dec) <= 90) & np.isfinite(arcs.observer).all(axis=1)
    sound &= (arcs.sigma_ra > 0) & (arcs.sigma_dec > 0) & np.isfinite(arcs.sigma_ra) & np.isfinite(arcs.sigma_dec)
    wrong = np.concatenate([[0], np.cumsum(~sound)])
    bad = wrong[arcs.first[1:]] > wrong[arcs.first[:-1]]
    bad |= ~(np.abs(states) < 1e6).all(axis=1) | ~(np.abs(states[:, :3]) > 0).any(axis=1)
    bad |= ~((epochs > ephemeris.FIRST_MJD_TDB) & (epochs < ephemeris.LAST_MJD_TDB))
    few = np.diff(arcs.first) < least_used
    return np.select([few, bad], [Status.TOO_FEW, Status.BAD_INPUT], Status.OK).astype(np.int8)


def _in_time(arcs: Arcs) -> npt.NDArray[np.intp]:
    """The order of the detections by arc and time."""
    rising = np.diff(arcs.mjd_tdb) >= 0
    rising[arcs.first[1:-1][(arcs.first[1:-1] > 0) & (arcs.first[1:-1] < len(arcs.mjd_tdb))] - 1] = True
    if rising.all():
        return np.arange(len(arcs.mjd_tdb))
    return np.lexsort((arcs.mjd_tdb, np.repeat(np.arange(len(arcs)), np.diff(arcs.first))))


def _run(
    arcs: Arcs,
    order: npt.NDArray[np.intp],
    epochs: Array,
    config: FitConfig,
    good: npt.NDArray[np.intp],
    states: Array,
    covariance: Array,
    chi2: Array,
    used: npt.NDArray[np.bool_],
    residual: Array,
    status: npt.NDArray[np.int8],
    iterations: npt.NDArray[np.int64],
) -> None:
    times = arcs.mjd_tdb[order]
    sound = np.zeros(len(times), np.bool_)
    for k in good:
        sound[arcs.first[k] : arcs.first[k + 1]] = True
    if not sound.any():
        status[good] = Status.TOO_FEW
        return
    dates = np.where(sound, times, times[sound][0])
    table = perturbers(min(dates.min(), epochs[good].min()), max(dates.max(), epochs[good].max()))
    sigma = np.stack([arcs.sigma_ra[order], arcs.sigma_dec[order]], axis=1)
    rules = orbit_solver.Rules(
        config.iterations,
        config.tolerance,
        config.reject_chi2,
        config.readmit_chi2,
        config.least_used,
        config.least_share,
        config.energy_sigma,
    )
    orbit_solver.fit_all(
        arcs.first,
        times,
        sky_axes(np.where(sound, arcs.ra[order], 0.0), np.where(sound, arcs.dec[order], 0.0)),
        sigma,
        np.ascontiguousarray(arcs.observer[order]),
        ephemeris.barycentric("sun", dates)[1],
        epochs,
        table.first_mjd_tdb,
        table.coefficients,
        rules,
        states,
        covariance,
        chi2,
        used,
        residual,
        status,
        iterations,
    )


def sky_axes(ra: Array, dec: Array) -> Array:
    """Unit vectors (n, 3, 3) east, north and outward at ra, dec in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    zero = np.zeros_like(a)
    east = np.stack([-np.sin(a), np.cos(a), zero], axis=1)
    north = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)], axis=1)
    outward = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)
    return np.stack([east, north, outward], axis=1)


def _orbits(
    arcs: Arcs,
    epochs: Array,
    states: Array,
    covariance: Array,
    chi2: Array,
    used: npt.NDArray[np.bool_],
    residual: Array,
    status: npt.NDArray[np.int8],
    iterations: npt.NDArray[np.int64],
) -> Orbits:
    none = np.isin(status, [Status.BAD_INPUT, Status.TOO_FEW, Status.DIVERGED])
    states[none], covariance[none], chi2[none] = np.nan, np.nan, np.nan
    which = np.repeat(np.arange(len(arcs)), np.diff(arcs.first))
    squares = np.where(used, np.sum(residual**2, axis=1), 0.0)
    counts = np.bincount(which, used, minlength=len(arcs))
    rms = np.sqrt(np.bincount(which, squares, minlength=len(arcs)) / np.maximum(2 * counts, 1))
    return Orbits(
        epoch_mjd_tdb=epochs,
        state=states,
        covariance=covariance,
        chi2=chi2,
        degrees_of_freedom=(2 * counts - 6).astype(np.int64),
        rms_arcsec=np.where(none, np.nan, rms),
        used=used,
        residual_ra=residual[:, 0],
        residual_dec=residual[:, 1],
        status=status,
        iterations=iterations,
    )


def warm_up() -> None:
    """Compile the fit."""
    times, line, one = np.arange(60_000.0, 60_004.0), np.array([10.0, 10.2, 10.4, 10.6]), np.ones(4)
    arcs = Arcs(np.array([0, 4]), times, line, np.zeros(4), one, one, ephemeris.earth(times)[0])
    fit(arcs, np.array([[2.0, 0.5, 0.0, -0.003, 0.011, 0.0]]), np.array([60_002.0]))
