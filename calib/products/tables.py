"""Products that are tables, as ECSV files: defects, photon transfer curves, linearity and crosstalk.

Astropy writes the column's units and types into the file; the same table gives the same bytes.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Table

from calib.science.defects import DefectBox
from calib.science.mask_planes import Mask, Plane
from dayops.camera import Detector

Values = npt.NDArray[np.float64]
_BITS = {
    "HOT": Plane.HOT | Plane.BAD,
    "COLD": Plane.COLD | Plane.BAD,
    "BRIGHT_COLUMN": Plane.COLUMN | Plane.HOT | Plane.BAD,
    "DARK_COLUMN": Plane.COLUMN | Plane.COLD | Plane.BAD,
    "NO_DATA": Plane.NO_DATA,
    "EDGE": Plane.EDGE,
}


def to_bytes(table: Table, meta: Mapping[str, Any]) -> bytes:
    """The ECSV file of `table`, with `meta` in its header."""
    table.meta.update(meta)
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def read(path: Path) -> Table:
    """The table in an ECSV file. Raises ValueError where it is none."""
    try:
        return Table.read(path, format="ascii.ecsv")
    except Exception as error:  # astropy raises many kinds for a file that is not a table
        raise ValueError(f"{path.name} is no ECSV table: {error}") from error


def defects_table(boxes: Sequence[DefectBox]) -> Table:
    columns = ("x0", "y0", "width", "height", "kind", "value")
    rows = [[getattr(box, name) for name in columns] for box in boxes]
    table = Table(rows=rows or None, names=columns, dtype=("i4", "i4", "i4", "i4", "U16", "f8"))
    for name in columns[:4]:
        table[name].unit = "pix"
    table["value"].description = "dark current, electrons a second, or share of the sensitivity around it"
    return table


def mask_of(table: Table, detector: Detector) -> Mask:
    """The bit planes that the boxes of a defects table stand for, (height, width)."""
    mask = np.zeros((detector.height, detector.width), dtype=np.int32)
    for row in table:
        x0, y0 = int(row["x0"]), int(row["y0"])
        mask[y0 : y0 + int(row["height"]), x0 : x0 + int(row["width"])] |= np.int32(_BITS[str(row["kind"])])
    return mask


def curve_table(detector: Detector, columns: Mapping[str, Values], units: Mapping[str, str]) -> Table:
    """One row for each amplifier and level: `columns` are (n, k)."""
    names = [amplifier.name for amplifier in detector.amplifiers]
    levels = next(iter(columns.values())).shape[1]
    table = Table({"amplifier": np.repeat(names, levels)})
    for name, values in columns.items():
        table[name] = np.asarray(values, dtype=np.float64).ravel()
        table[name].unit = units.get(name) or None
    return table


def amplifier_table(detector: Detector, columns: Mapping[str, Values], units: Mapping[str, str]) -> Table:
    """One row for each amplifier: `columns` are (n,)."""
    table = Table({"amplifier": [amplifier.name for amplifier in detector.amplifiers]})
    for name, values in columns.items():
        table[name] = np.asarray(values, dtype=np.float64)
        table[name].unit = units.get(name) or None
    return table


def crosstalk_table(detector: Detector, coefficients: Values, errors: Values, pixels: npt.NDArray[np.int64]) -> Table:
    """One row for each pair of amplifiers: what the victim gets of the aggressor's ADU."""
    names = np.array([amplifier.name for amplifier in detector.amplifiers])
    victim, aggressor = np.nonzero(~np.eye(len(names), dtype=np.bool_))
    return Table(
        {
            "victim": names[victim],
            "aggressor": names[aggressor],
            "coefficient": coefficients[victim, aggressor],
            "error": errors[victim, aggressor],
            "pixels": pixels[victim, aggressor],
        }
    )
