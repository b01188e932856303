"""The second line of a satellite's 80-column record: where the satellite was.

Columns 33 the unit (1 km, 2 au), 35–45, 47–57, 59–69 the geocentric place along the equatorial axes of J2000, each
with its sign first. Source: Minor Planet Center, "Satellite Observations".
"""

import re

from mops.science.constants import AU_KM

_UNITS_KM = {"1": 1.0, "2": AU_KM}
_AXES = {"X": slice(34, 45), "Y": slice(46, 57), "Z": slice(58, 69)}
_SIGNED = re.compile(r"([+-]) *(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_FARTHEST_KM = 100.0 * AU_KM


def place_km(line: str) -> tuple[float, float, float]:
    """Geocentric place, km, ICRF axes, from the second line.

    Raises
    ------
    ValueError
        In a sentence, where unit or numbers cannot be read or lie inside the Earth's centre or beyond 100 au.
    """
    unit = _UNITS_KM.get(line[32:33])
    if unit is None:
        raise ValueError(f"the satellite's place has the unit {line[32:33]!r} in column 33; expected 1 (km) or 2 (au)")
    x, y, z = (unit * _axis(name, line[columns]) for name, columns in _AXES.items())
    if not 0.0 < x * x + y * y + z * z < _FARTHEST_KM**2:
        raise ValueError("the satellite's place is the Earth's centre or beyond 100 au")
    return x, y, z


def _axis(name: str, columns: str) -> float:
    match = _SIGNED.fullmatch(columns.strip())
    if match is None:
        raise ValueError(f"the satellite's {name} {columns.strip()!r} is no signed number in its columns")
    return float(match[2]) * (-1.0 if match[1] == "-" else 1.0)
