"""What a step leaves: arrays for the next one, and numbers for people."""

from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Left:
    """arrays : by name, for the file.  rows : how many things they hold.  counts : JSON, for the task's result."""

    arrays: dict[str, npt.NDArray[Any]]
    rows: int
    counts: dict[str, Any] = field(default_factory=dict)
