"""JPL Horizons' orbits and astrometric places, as DayMOPS has them."""

import csv

import numpy as np

from mops.science import observers, time_scales
from mops.science.constants import OBLIQUITY
from mops.science.detections import Detections
from tests.mops.known_night import detections
from tests.real_data import real_file


def orbits() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, states (14, 6), heliocentric ICRF, and epochs (14,), MJD TDB."""
    with real_file("moving_objects", "jpl_horizons", "elements_sun_ecliptic.csv").open() as file:
        rows = list(csv.DictReader(file))
    cos, sin = np.cos(OBLIQUITY), np.sin(OBLIQUITY)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    vectors = np.array([[[float(row[f"{kind}{axis}"]) for axis in "xyz"] for kind in ("", "v")] for row in rows])
    epochs = np.array([float(row["mjd_tdb"]) for row in rows])
    return [row["targetname"] for row in rows], (vectors @ turn.T).reshape(-1, 6), epochs


def rows() -> list[dict[str, str]]:
    """Horizons' own table of places: ninety of each object, over four weeks."""
    with real_file("moving_objects", "jpl_horizons", "ephemeris.csv").open() as file:
        return list(csv.DictReader(file))


def places(names: list[str]) -> tuple[Detections, np.ndarray]:
    """Each place as a detection in a visit of its own, and the index of its object."""
    table = rows()
    times = time_scales.tai_from_utc(np.array([float(row["mjd_utc"]) for row in table]))
    observer, _ = observers.heliocentric(np.array([row["observatory_code"] for row in table]), times)
    ra, dec = (np.array([float(row[name]) for row in table]) for name in ("RA", "DEC"))
    whose = [next(i for i, name in enumerate(names) if name.endswith(row["targetname"])) for row in table]
    return detections(ra, dec, times, observer, visit=np.arange(len(table))), np.array(whose)
