"""One block of the first look's hypotheses, tried on the window's tracklets."""

from dataclasses import replace

from dayops.engine import BadInput
from dayops.level1.models import Load
from dayops.level1.partitioning import nights_of
from mops.models import Night
from mops.pipeline.configuration import Configuration
from mops.pipeline.left import Left
from mops.pipeline.packing import packed
from mops.pipeline.start import window
from mops.pipeline.window import window_of
from mops.science.linking.hypotheses import SETS, blocks
from mops.science.linking.link import LinkConfig, link
from mops.science.linking.search import LOOKS

FIRST = LOOKS[0].hypotheses.__name__  # the set whose look is cut into tasks; what it leaves is little


def link_block(night: Night, wanted: Configuration, block: int, of: int) -> Left:
    """Clusters under a block of the first look's hypotheses; only those with a tracklet of the night where the nights
    before are done.

    Raises Flood, with the figure, where there are too many.
    """
    detections, tracklets = window_of(night, wanted)
    parts = blocks(SETS[FIRST](), of)
    if block >= len(parts):
        raise BadInput(
            f"There are {len(parts)} blocks of hypotheses and no number {block + 1}: start the search again."
        )
    hypotheses = parts[block]
    found = link(
        detections,
        tracklets,
        hypotheses,
        night.reference_mjd_tdb,
        replace(limits(wanted), nights=LOOKS[0].nights, radius_arcsec=LOOKS[0].radius_arcsec),
        new_night=night.day_obs if is_increment(night, wanted) else None,
    )
    counts = {
        "clusters": len(found),
        "hypotheses": len(hypotheses),
        "detections": len(detections),
        "tracklets": len(tracklets),
    }
    return Left(packed(clusters=found), len(found), counts)


def limits(wanted: Configuration) -> LinkConfig:
    return LinkConfig(window_days=float(wanted.window_nights))


def is_increment(night: Night, wanted: Configuration) -> bool:
    """Whether what lies wholly in earlier nights was searched already: only clusters with the new night are new then.

    It was, where the night before that has detections is published with the same parameters, and nothing was loaded
    into the window's earlier nights since. Otherwise the whole window is searched.
    """
    earlier = [day for day in nights_of("DiaSource") if day < night.day_obs]
    done = Night.objects.filter(day_obs=max(earlier, default=0), state=Night.State.PUBLISHED).first()
    if done is None or done.parameters != night.parameters:
        return False
    loaded_since = Load.objects.filter(
        table="DiaSource",
        knownFromMjdTai__gt=done.as_of_mjd_tai,
        knownFromMjdTai__lte=night.as_of_mjd_tai,
        nights__overlap=window(night.day_obs, wanted)[:-1],
    )
    return not loaded_since.exists()
