"""A camera with only some of its detectors, for drills and benchmarks that need one CCD and not 189."""

from collections.abc import Iterable
from dataclasses import replace

from dayops import camera
from dayops.camera import Camera


def narrowed(name: str, detectors: Iterable[str]) -> Camera:
    """The camera called `name` with the named detectors alone, as the simulator takes it.

    From now on this process, and those that it forks, expect masters of these alone. Raises KeyError for a detector
    that it lacks.
    """
    whole = camera.load(name)
    kept = tuple(whole.by_name[detector] for detector in detectors)
    vars(whole)["science_detectors"] = kept  # where its cached property keeps it
    return replace(whole, detectors=kept)
