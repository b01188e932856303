"""How nights are searched: named configurations, and what a person may change of them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dayops.named_values import NamedValues

USUAL = "usual"
_RANGES: dict[str, tuple[float, float]] = {
    "window_nights": (3, 30),
    "blocks": (1, 60),
    "attribution_arcsec": (0.1, 10.0),
    "attribution_sigmas": (1.0, 10.0),
    "tracklet_min_arcsec": (0.1, 60.0),
    "tracklet_max_hours": (0.1, 12.0),
    "tracklet_max_deg_per_day": (0.01, 10.0),
    "minimum_nights": (3, 10),
    "minimum_reliability": (0.0, 1.0),
    "worse_count_share": (0.0, 1.0),
    "worse_rms_factor": (1.0, 100.0),
    "submission_rms_arcsec": (0.01, 5.0),
}
_WHOLE = {"window_nights", "blocks", "minimum_nights"}
_OF_TRACKLETS = ("minimum_reliability", "tracklet_min_arcsec", "tracklet_max_hours", "tracklet_max_deg_per_day")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that decides what is found in given detections; kept whole with each night.

    window_nights : nights that are linked together, the newest included.  blocks : into how many tasks the first look's
    hypotheses are cut.  attribution_arcsec, attribution_sigmas : how near a known object's
    predicted place a detection must be.  tracklet_min_arcsec, tracklet_max_hours, tracklet_max_deg_per_day : limits of
    a tracklet.  minimum_nights : of a linkage.  minimum_reliability : of a DiaSource, where it has one.
    worse_count_share, worse_rms_factor : a new catalogue with fewer accepted linkages than this share of the last one,
    or with a larger median rms by this factor, is refused.  submission_rms_arcsec : worst rms that is reported.
    """

    name: str
    title: str
    window_nights: int
    blocks: int
    attribution_arcsec: float
    attribution_sigmas: float
    tracklet_min_arcsec: float
    tracklet_max_hours: float
    tracklet_max_deg_per_day: float
    minimum_nights: int
    minimum_reliability: float
    worse_count_share: float
    worse_rms_factor: float
    submission_rms_arcsec: float

    @property
    def parameters(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key not in {"name", "title"}}

    @property
    def of_tracklets(self) -> str:
        """SHA-256 of what decides which tracklets a night has: those made with the same are used again."""
        decides = {key: getattr(self, key) for key in _OF_TRACKLETS}
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


_NAMED = NamedValues(Path(__file__).with_name("configurations.toml"), _RANGES, _WHOLE, based_on=USUAL)


def names() -> list[str]:
    return _NAMED.names()


def configuration(name: str, changes: Mapping[str, Any] | None = None) -> Configuration:
    """The configuration called `name` with `changes`. Raises ValueError, in a sentence, for what is not allowed."""
    return _made(name, _NAMED.values(name, changes))


def of_parameters(name: str, parameters: Mapping[str, Any]) -> Configuration:
    """The configuration that a night kept."""
    return _made(name, {"title": "", **parameters})


def _made(name: str, values: Mapping[str, Any]) -> Configuration:
    known = {field.name for field in fields(Configuration)} - {"name"}
    return Configuration(name=name, **{key: values[key] for key in known})
