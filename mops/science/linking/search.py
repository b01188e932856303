"""The whole search of a window: several looks, each at the tracklets that the looks before have left.

1. Clusters of three nights among all tracklets, hypotheses of the main belt: most of what there is.
2. Of three nights, Trojans and beyond.
3. Of two nights, looser: a third whose rate is poor (two exposures a minute apart) lies where the orbit of two says.
4. Near the Earth: fine steps of distance, only for rates that the main belt does not make.
After each the linkages are grown by what fits them, so that a look has less to see than the one before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from mops.science.detections import Detections
from mops.science.kepler import propagate
from mops.science.linking import hypotheses
from mops.science.linking.growth import ALL_NIGHTS
from mops.science.linking.hypotheses import HypothesisSet
from mops.science.linking.link import Clusters, LinkConfig, link, reference_time
from mops.science.linking.near_earth import moves_like_the_main_belt
from mops.science.linking.pool import Pool, PurifyConfig
from mops.science.linking.purify import Linkages, finished
from mops.science.tracklets import Tracklets


@dataclass(frozen=True, slots=True)
class Look:
    """One look: a set of hypotheses, the nights and the radius of its clusters."""

    hypotheses: Callable[[], HypothesisSet]
    nights: int
    radius_arcsec: float
    near_earth: bool = False


LOOKS = (
    Look(hypotheses.main_belt, 3, 150.0),
    Look(hypotheses.beyond, 3, 150.0),
    Look(hypotheses.everywhere, 2, 200.0),
    Look(hypotheses.neo, 2, 250.0, near_earth=True),
)


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """The looks in their order, and the limits of clusters and linkages."""

    looks: tuple[Look, ...] = LOOKS
    link: LinkConfig = field(default_factory=LinkConfig)
    purify: PurifyConfig = field(default_factory=PurifyConfig)


_DEFAULT = SearchConfig()


def search(
    detections: Detections,
    tracklets: Tracklets,
    config: SearchConfig = _DEFAULT,
    *,
    first: Clusters | None = None,
    new_night: int | None = None,
    known: Linkages | None = None,
    progress: Callable[[Look, int, int, int], None] | None = None,
) -> Linkages:
    """All linkages of a window's tracklets.

    Parameters
    ----------
    first
        What the first look gives, where its blocks were linked elsewhere: by `link` with `first_look`, and `merged`.
    new_night
        Only linkages with a tracklet of this dayObs: the nightly increment.
    known
        Linkages of earlier nights, with the indices of these tracklets: they are grown first, on the new night if that
        is given, and their tracklets are not looked at again. Those that have not changed are returned as well, unless
        `new_night` is given.
    progress
        Is told each look, the tracklets it had, its clusters, and how many linkages there are now.

    Raises
    ------
    Flood
        More clusters than allowed.
    """
    reference = reference_time(detections) if first is None else first.reference_mjd_tdb
    pool = Pool(detections, tracklets, reference, config.purify)
    if known is not None:
        states = propagate(known.orbits.state, reference - known.orbits.epoch_mjd_tdb)
        pool.adopt(known.tracklet_first, known.tracklet_members, states, known.hypothesis, known.zone)
        pool.grow(ALL_NIGHTS if new_night is None else pool.night_mask(new_night))
    for number, look in enumerate(config.looks):
        among = pool.free
        if look.near_earth:
            among &= ~moves_like_the_main_belt(detections, tracklets, reference)
        if number or first is None:
            limits = replace(config.link, nights=look.nights, radius_arcsec=look.radius_arcsec)
            clusters = link(
                detections, tracklets, look.hypotheses(), reference, limits, new_night=new_night, among=among
            )
        else:
            clusters = first
        pool.judge(clusters, look.nights)
        pool.grow()
        if progress:
            progress(look, int(among.sum()), len(clusters), len(pool.linked()[0]))
    return finished(pool, new_night)


def first_look(detections: Detections, config: SearchConfig = _DEFAULT) -> tuple[HypothesisSet, float, LinkConfig]:
    """What `link` needs to make the first look in blocks: the whole set, the reference time and the limits."""
    look = config.looks[0]
    limits = replace(config.link, nights=look.nights, radius_arcsec=look.radius_arcsec)
    return look.hypotheses(), reference_time(detections), limits


def warm_up() -> None:
    """Compile the kernels, on an object seen by the Sun's own observers on three nights."""
    from mops.science import tracklets as making
    from mops.science.linking.small import three_nights

    making.warm_up()
    detections = three_nights()
    search(detections, making.make_tracklets(detections).tracklets)
