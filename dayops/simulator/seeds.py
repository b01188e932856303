"""Random numbers that depend on what they are for, never on the order in which they are asked for."""

import zlib

import numpy as np


def generator(*purpose: int | str) -> np.random.Generator:
    """A generator of its own for `purpose`, e.g. ``generator("frame", seed, day_obs, seq_num, detector)``.

    Equal purposes give equal numbers; different purposes give independent streams. Integers must not be negative.
    """
    entropy = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy)))
