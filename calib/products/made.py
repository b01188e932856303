"""What a stage hands over: a product as it will be kept, or the sentence why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from calib.models import Product
from dayops.models import RawFrame


class CannotBeMade(Exception):
    """This product cannot be made of these frames; the message says why and what to do. The incumbent stays."""


@dataclass(frozen=True)
class Made:
    """One product before it is kept. `content` are the bytes of its file, `statistics` its numbers."""

    content: bytes
    statistics: Mapping[str, Any]
    provenance: Mapping[str, Any]
    inputs: Sequence[RawFrame]
    held_out: Sequence[RawFrame] = ()
    calibrations: Sequence[Product] = field(default=())


def storable(value: Any) -> Any:
    """`value` as JSON can keep it: arrays as lists, NaN as null, numbers to seven digits."""
    if isinstance(value, Mapping):
        return {str(key): storable(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return storable(value.tolist())
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    if isinstance(value, np.generic):
        return storable(value.item())
    if isinstance(value, float):
        return float(f"{value:.7g}") if np.isfinite(value) else None
    return value


def numbers(statistics: Mapping[str, Any], name: str) -> "np.typing.NDArray[np.float64]":
    """The stored numbers called `name` as an array; what was NaN is NaN again."""
    return np.array(statistics[name], dtype=np.float64)
