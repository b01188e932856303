"""One block of a set of hypotheses, tried on the window's tracklets."""

from mops.models import Night
from mops.pipeline.configuration import Configuration
from mops.pipeline.left import Left
from mops.pipeline.packing import packed
from mops.pipeline.window import window_of
from mops.science.linking.hypotheses import SETS, blocks
from mops.science.linking.link import LinkConfig, link


def link_block(night: Night, wanted: Configuration, zone: str, block: int, of: int) -> Left:
    """Clusters under the block's hypotheses; only those with a tracklet of the night where the nights before are done.

    Raises Flood, with the figure, where there are too many.
    """
    detections, tracklets = window_of(night, wanted)
    hypotheses = blocks(SETS[zone](), of)[block]
    found = link(
        detections,
        tracklets,
        hypotheses,
        night.reference_mjd_tdb,
        limits(wanted),
        new_night=night.day_obs if is_increment(night) else None,
    )
    counts = {
        "clusters": len(found),
        "hypotheses": len(hypotheses),
        "detections": len(detections),
        "tracklets": len(tracklets),
    }
    return Left(packed(clusters=found), len(found), counts)


def limits(wanted: Configuration) -> LinkConfig:
    return LinkConfig(window_days=float(wanted.window_nights), nights=wanted.minimum_nights)


def is_increment(night: Night) -> bool:
    """Whether what lies wholly in the nights before was searched already, with the same parameters."""
    before = Night.objects.filter(day_obs__lt=night.day_obs, state=Night.State.PUBLISHED).order_by("-day_obs").first()
    return before is not None and before.parameters == night.parameters and before.decided_at is not None
