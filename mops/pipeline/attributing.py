"""The night's detections of known objects, found by where these are predicted, before anything is linked."""

import numpy as np

from mops.models import Night
from mops.pipeline.configuration import Configuration
from mops.pipeline.known_objects import known_objects
from mops.pipeline.left import Left
from mops.pipeline.reading import detections_of
from mops.science.attribution import AttributionConfig, attribute


def attribute_night(night: Night, wanted: Configuration) -> Left:
    """Which detection is of which object. Nothing is written to the catalogue before the night is published."""
    detections = detections_of(
        [night.day_obs], as_of_mjd_tai=night.as_of_mjd_tai, minimum_reliability=wanted.minimum_reliability
    )
    known = known_objects(night)
    config = AttributionConfig(radius_arcsec=wanted.attribution_arcsec, sigmas=wanted.attribution_sigmas)
    matches = attribute(detections, known.state, known.epoch_mjd_tdb, known.covariance, config)
    won = matches.won
    arrays = {
        "dia_source_id": detections.id[won.detection],
        "object_id": known.object_id[won.object],
        "linkage": known.linkage[won.object],
        "separation_arcsec": won.separation,
        "mahalanobis": won.mahalanobis,
        "along_arcsec": won.along,
        "across_arcsec": won.across,
    }
    counts = {
        "detections": len(detections),
        "known": len(known),
        "attributed": len(won),
        "objects_seen": len(np.unique(won.object)),
        "contested": len(matches.lost),
        "uncertain": len(matches.uncertain),
    }
    return Left(arrays, len(won), counts)
