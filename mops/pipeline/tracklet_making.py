"""The tracklets of one night, of the detections that no known object explains."""

import numpy as np

from mops.models import KeptArrays, Night
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.known_objects import taken_sources
from mops.pipeline.left import Left
from mops.pipeline.packing import packed
from mops.pipeline.reading import detections_of
from mops.science.detections import Detections
from mops.science.tracklets import TrackletConfig, Tracklets, make_tracklets


def make(night: Night, day_obs: int, wanted: Configuration) -> Left:
    """Tracklets of `day_obs`, and the detections that are in one. Raises Flood, with the figure, for too many."""
    detections = detections_of(
        [day_obs], as_of_mjd_tai=night.as_of_mjd_tai, minimum_reliability=wanted.minimum_reliability
    )
    taken = _attributed_now(night) if day_obs == night.day_obs else taken_sources(night, [day_obs])
    detections = detections.take(~np.isin(detections.id, taken))
    made = make_tracklets(detections, limits(wanted))
    used, tracklets = only_used(detections, made.tracklets)
    counts = {"detections": len(detections), "tracklets": len(tracklets), **made.counts}
    return Left(packed(detections=used, tracklets=tracklets), len(tracklets), counts)


def limits(wanted: Configuration) -> TrackletConfig:
    return TrackletConfig(
        min_arcsec=wanted.tracklet_min_arcsec,
        max_hours=wanted.tracklet_max_hours,
        max_deg_per_day=wanted.tracklet_max_deg_per_day,
    )


def only_used(detections: Detections, tracklets: Tracklets) -> tuple[Detections, Tracklets]:
    """The detections that are in a tracklet, and the tracklets with members that count in them."""
    used, members = np.unique(tracklets.members, return_inverse=True)
    values = {name: getattr(tracklets, name) for name in Tracklets.__slots__}
    return detections.take(used), Tracklets(**{**values, "members": members.astype(np.int64)})


def _attributed_now(night: Night) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    row = KeptArrays.objects.get(night=night, kind=KeptArrays.Kind.ATTRIBUTIONS)
    return kept.get(row.sha256)["dia_source_id"]
