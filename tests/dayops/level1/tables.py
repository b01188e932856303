"""Tables of sources to load."""

from typing import Any

import numpy as np

from dayops.level1.columns import Columns

NIGHT = 20261120
MJD = 61_365.1  # in the night of NIGHT


def sources(number: int = 10, *, first_id: int = 1, seed: int = 1, **changed: Any) -> Columns:
    """`number` DiaSources of NIGHT at random places, with every required column and some others."""
    chance = np.random.default_rng(seed)
    made: Columns = {
        "diaSourceId": np.arange(first_id, first_id + number),
        "visit": np.full(number, 2026112000001),
        "detector": (np.arange(number) % 189).astype(np.int16),
        "diaObjectId": np.arange(number) * 7,
        "midpointMjdTai": np.full(number, MJD) + np.arange(number) * 1e-7,
        "ra": chance.uniform(0, 360, number),
        "dec": np.degrees(np.arcsin(chance.uniform(-1, 1, number))),
        "raErr": np.full(number, 1e-5, np.float32),
        "x": chance.uniform(0, 4000, number).astype(np.float32),
        "y": chance.uniform(0, 4000, number).astype(np.float32),
        "psfFlux": chance.normal(1000, 10, number).astype(np.float32),
        "isNegative": np.arange(number) % 2 == 0,
        "band": np.array(list("ugrizy"))[np.arange(number) % 6],
        "timeProcessedMjdTai": np.full(number, MJD + 0.001),
        "bboxSize": np.full(number, 12, np.int32),
    }
    return made | {name: np.asarray(values) for name, values in changed.items()}
