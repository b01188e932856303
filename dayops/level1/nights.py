"""The night of a time, for millions of times at once."""

from typing import Any

import numpy as np
import numpy.typing as npt

_MJD_EPOCH = np.datetime64("1858-11-17", "D")


def day_obs(mjd_tai: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """dayObs of each MJD TAI: the date of TAI − 12 h, as `dayops.observing_day`; int32 (n,)."""
    days, which = np.unique(np.floor(mjd_tai - 0.5).astype(np.int64), return_inverse=True)
    dates: Any = _MJD_EPOCH + days
    month = dates.astype("M8[M]").astype(np.int64)
    day = (dates - dates.astype("M8[M]")).astype(np.int64) + 1
    numbers = (1970 + month // 12) * 10_000 + (month % 12 + 1) * 100 + day
    return np.asarray(numbers[which], np.int32)
