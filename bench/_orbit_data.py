"""Real observations and JPL's answers, read for ``python -m bench orbits`` and the tests of orbits."""

import csv
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mops.science import ephemeris, observers, time_scales, weights
from mops.science.constants import OBLIQUITY
from mops.science.orbit_fit import Arcs

Array = npt.NDArray[np.float64]

_HORIZONS = Path("moving_objects", "jpl_horizons")
_MPC = Path("moving_objects", "mpc_observations")
_MJD = 2_400_000.5


@dataclass(frozen=True, slots=True)
class HorizonsObject:
    """JPL's heliocentric ICRF state (6,) of an object and its places: station, MJD UTC, degrees, each (n,)."""

    name: str
    state: Array
    epoch_mjd_tdb: float
    station: npt.NDArray[np.str_]
    mjd_utc: Array
    ra: Array
    dec: Array


@dataclass(frozen=True, slots=True)
class Observed:
    """Objects' names and their arcs, the stations (m,), and the number of observations without a place on the Earth."""

    names: list[str]
    arcs: Arcs
    station: npt.NDArray[np.str_]
    left_out: int


def horizons(folder: Path) -> list[HorizonsObject]:
    """The 14 objects of `folder`; names as both files spell them."""
    seen: dict[str, list[dict[str, str]]] = {}
    for row in _rows(folder / _HORIZONS / "ephemeris.csv"):
        seen.setdefault(_designation(row["targetname"]), []).append(row)
    objects = []
    for row in _rows(folder / _HORIZONS / "elements_sun_ecliptic.csv"):
        places = seen.get(_designation(row["targetname"]), [])
        state = np.array([float(row[axis]) for axis in ("x", "y", "z", "vx", "vy", "vz")])
        columns = [[float(place[name]) for place in places] for name in ("mjd_utc", "RA", "DEC")]
        station = np.array([place["observatory_code"] for place in places])
        objects.append(
            HorizonsObject(row["targetname"], _icrf(state), float(row["mjd_tdb"]), station, *map(np.array, columns))
        )
    return objects


def observed(folder: Path, name: str) -> Observed:
    """The observations of one of the MPC's files, by object and time, sigmas by observatory (`weights`)."""
    rows = list(_rows(folder / _MPC / name))
    kept = [row for row in rows if observers.known(row["stn"])]
    utc = np.array([row["obsTime"].rstrip("Z") for row in kept], "datetime64[ns]").astype(np.int64) / 86_400e9 + 40_587
    names = np.array([row["provID"] for row in kept])
    order = np.lexsort((utc, names))
    station, tai = np.array([row["stn"] for row in kept])[order], time_scales.tai_from_utc(utc[order])
    objects, first = np.unique(names[order], return_index=True)
    first = np.append(first, len(kept)).astype(np.int64)
    sigma = weights.sigma_arcsec(station, tai)
    for a, b in pairwise(first):
        sigma[a:b] = weights.shared(sigma[a:b], station[a:b], tai[a:b])
    ra, dec = (np.array([float(row[axis]) for row in kept])[order] for axis in ("ra", "dec"))
    place = observers.heliocentric(station, tai)[0]
    arcs = Arcs(first, time_scales.tdb_from_tai(tai), ra, dec, sigma, sigma, place)
    return Observed([str(each) for each in objects], arcs, station, len(rows) - len(kept))


def jpl_states(folder: Path) -> dict[str, tuple[float, Array]]:
    """Epoch MJD TDB and heliocentric state (6,) of the objects for which JPL's is at hand."""
    several = json.loads((folder / _MPC / "jpl_reference_states.json").read_text())["objects"]
    atlas = json.loads((folder / _MPC / "jpl_reference_3I_ATLAS.json").read_text())
    states = {}
    for name, given in {**several, "A11pl3Z": atlas}.items():
        epoch = given["epoch_jd_tdb"] - _MJD
        sun = np.concatenate(ephemeris.barycentric("sun", epoch), axis=1)[0]
        states[name] = (epoch, np.array(given["state_au_au_per_day"]) - sun)
    return states


def _designation(name: str) -> str:
    return name.split("(")[-1].rstrip(")")


def _rows(path: Path) -> "csv.DictReader[str]":
    return csv.DictReader(path.read_text().splitlines())


def _icrf(state: Array) -> Array:
    cos, sin = np.cos(OBLIQUITY), np.sin(OBLIQUITY)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return np.concatenate([turn @ state[:3], turn @ state[3:]])
