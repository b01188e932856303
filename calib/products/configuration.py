"""How masters are made: named configurations, and what a command may change of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dayops.named_values import NamedValues

# what lies beyond makes masters that no test would refuse: a limit that finds no defect leaves an empty, faultless map
_RANGES: dict[str, tuple[float, float]] = {
    "days": (1, 60),
    "minimum_frames": (2, 100),
    "maximum_frames": (2, 200),
    "clip_sigma": (3.0, 6.0),
    "temperature_tolerance_c": (0.01, 20.0),
    "hot_e_s": (1.0, 20.0),
    "cold": (0.5, 0.95),
}
_WHOLE = {"days", "minimum_frames", "maximum_frames"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that decides how masters are made of given frames; kept whole with each set.

    days : how far back frames are taken from, the dayObs of the command included.  minimum_frames, maximum_frames :
    that one master is made of, the held-out one not counted.  clip_sigma : where a value counts as an outlier, in known
    noise.  temperature_tolerance_c : largest difference from the usual temperature of the sensor, °C.  hot_e_s, cold :
    limits of defects, e⁻/s and share of the sensitivity.  collection : where masters are certified.
    """

    name: str
    title: str
    days: int
    minimum_frames: int
    maximum_frames: int
    clip_sigma: float
    temperature_tolerance_c: float
    hot_e_s: float
    cold: float
    collection: str

    @property
    def parameters(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in {"name", "title"}}


_NAMED = NamedValues(Path(__file__).with_name("configurations.toml"), _RANGES, _WHOLE)


def names() -> list[str]:
    return _NAMED.names()


def configuration(name: str, changes: Mapping[str, Any] | None = None) -> Configuration:
    """The configuration called `name` with `changes`. Raises ValueError, in a sentence, for what is not allowed."""
    found = Configuration(name=name, **_NAMED.values(name, changes))
    if found.minimum_frames > found.maximum_frames:
        raise ValueError(f"minimum_frames {found.minimum_frames} is above maximum_frames {found.maximum_frames}.")
    return found
