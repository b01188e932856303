"""Dataclasses of parallel arrays as the flat arrays of one file, and back."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
Arrays = dict[str, npt.NDArray[Any]]


def packed(**parts: Any) -> Arrays:
    """``packed(detections=…, tracklets=…)`` → arrays called ``detections.id`` …; nested dataclasses likewise."""
    found: Arrays = {}
    for name, part in parts.items():
        if not is_dataclass(part):
            found[name] = np.asarray(part)
            continue
        values = {f"{name}.{field.name}": getattr(part, field.name) for field in fields(part)}
        found.update(packed(**values))
    return found


def unpacked(kind: type[T], name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> T:
    """The dataclass that was packed under `name`. Raises KeyError where it was not."""
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        key = f"{name}.{field.name}"
        inner = _type_of(kind, field.name)
        values[field.name] = unpacked(inner, key, arrays) if is_dataclass(inner) else arrays[key]
    return kind(**values)


def _type_of(kind: type[Any], name: str) -> type[Any]:
    found: type[Any] = get_type_hints(kind)[name]
    return found
