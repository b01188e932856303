"""From tracklets to clusters that may be one object each, over a set of hypotheses or a block of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.science.ephemeris import earth
from mops.science.linking import clusters as kernels
from mops.science.linking.clusters import NO_ROOM, Found, Frame, Hypothesis
from mops.science.linking.hypotheses import HypothesisSet
from mops.science.linking.states import Floats, Ints, Sightings, state
from mops.science.tracklets import Flood, Tracklets

_ARCSEC = np.radians(1 / 3600)


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """How close tracklets must come, and how much is worked on."""

    radius_arcsec: float = 150.0  # at the reference time, of direction and of rate times a quarter of the window
    window_days: float = 15.0
    nights: int = 3
    most_members: int = 60
    max_clusters: int = 20_000_000  # 1.5 GB


@dataclass(frozen=True, slots=True)
class Clusters:
    """`c` sets of tracklets. `members[first[k]:first[k + 1]]` are indices of tracklets, rising.

    hypothesis : int64, number of the best one in its set.  zone : the set's word.  state : float64 (c, 6), mean at the
    reference time under it.  spread : float64, arcsec, rms about the mean.  reference_mjd_tdb : of the states.
    """

    first: Ints
    members: Ints
    hypothesis: Ints
    zone: npt.NDArray[np.str_]
    state: Floats
    spread: Floats
    reference_mjd_tdb: float

    def __len__(self) -> int:
        return len(self.hypothesis)


_DEFAULT = LinkConfig()


def link(
    detections: Detections,
    tracklets: Tracklets,
    hypotheses: HypothesisSet,
    reference_mjd_tdb: float,
    config: LinkConfig = _DEFAULT,
    *,
    new_night: int | None = None,
    among: npt.NDArray[np.bool_] | None = None,
) -> Clusters:
    """Clusters of tracklets of at least `config.nights` nights, each with its best hypothesis.

    Parameters
    ----------
    hypotheses
        A set or a block of it: `merged` joins what the blocks give, whichever way they were cut.
    reference_mjd_tdb
        The middle of the window, by `reference_time`.
    new_night
        Only clusters with a tracklet of this dayObs, sought round those tracklets alone.
    among
        bool (n,): only these tracklets.

    Raises
    ------
    Flood
        More clusters than `config.max_clusters`.
    ValueError
        More than 62 nights.
    """
    chosen = np.arange(len(tracklets)) if among is None else np.flatnonzero(among)
    some = tracklets if among is None else tracklets.take(chosen)
    rows = Sightings.of(detections, some, reference_mjd_tdb).rows
    seeds = np.ones(len(some), bool) if new_night is None else some.night == new_night
    found = _all(rows, night_bits(some.night), seeds, hypotheses, frame_of(reference_mjd_tdb, config), config)
    count, size = found.used
    first, members = found.first[: count + 1].copy(), found.members[:size].astype(np.int64)
    number = found.hypothesis[:count].astype(np.int64)
    return Clusters(
        first=first,
        members=chosen[members],
        hypothesis=number,
        zone=np.full(count, hypotheses.zone),
        state=mean_states(rows, first, members, *_of_numbers(hypotheses, number)),
        spread=found.spread[:count] / _ARCSEC,
        reference_mjd_tdb=reference_mjd_tdb,
    )


def reference_time(detections: Detections) -> float:
    """The middle between first and last detection; MJD, TAI and TDB alike."""
    return float(np.round((detections.mjd_tai.min() + detections.mjd_tai.max()) / 2, 3))


def frame_of(reference_mjd_tdb: float, config: LinkConfig) -> Frame:
    """The Earth's place and the limits, as the kernels take them."""
    place, velocity = earth(np.array([reference_mjd_tdb]))
    return Frame(
        earth=np.concatenate([place[0], velocity[0]]),
        quarter=config.window_days / 4,
        radius=config.radius_arcsec * _ARCSEC,
        nights=config.nights,
        most=config.most_members,
    )


def night_bits(night: npt.NDArray[np.int32]) -> Ints:
    """One bit for each different night. Raises ValueError for more than 62 of them."""
    names, index = np.unique(night, return_inverse=True)
    if len(names) > 62:
        raise ValueError(f"The window has {len(names)} nights; at most 62 can be linked at once: shorten it.")
    return np.asarray(np.int64(1) << index.astype(np.int64))


def merged(parts: Sequence[Clusters]) -> Clusters:
    """What the blocks of a set, or several sets, found: each set of tracklets once, with its smallest spread."""
    sets: dict[bytes, tuple[float, str, int, int, int]] = {}
    for p, part in enumerate(parts):
        for k in range(len(part)):
            key = part.members[part.first[k] : part.first[k + 1]].tobytes()
            mine = (float(part.spread[k]), str(part.zone[k]), int(part.hypothesis[k]), p, k)
            sets[key] = min(mine, sets.get(key, mine))
    keys = sorted(sets)
    picks = [sets[key][3:] for key in keys]
    lists = [np.frombuffer(key, np.int64) for key in keys]
    return Clusters(
        first=np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64),
        members=np.concatenate(lists) if lists else np.empty(0, np.int64),
        hypothesis=np.array([parts[p].hypothesis[k] for p, k in picks], np.int64),
        zone=np.array([parts[p].zone[k] for p, k in picks], str),
        state=np.array([parts[p].state[k] for p, k in picks], float).reshape(-1, 6),
        spread=np.array([parts[p].spread[k] for p, k in picks], float),
        reference_mjd_tdb=parts[0].reference_mjd_tdb,
    )


def _all(
    rows: Floats, night: Ints, seeds: npt.NDArray[np.bool_], hypotheses: HypothesisSet, frame: Frame, config: LinkConfig
) -> Found:
    own = kernels.scratch(len(rows))
    found = kernels.room(len(rows) + 64, 4 * len(rows) + 1024)
    for h in range(len(hypotheses)):
        guess = Hypothesis(
            int(hypotheses.number[h]),
            float(hypotheses.r[h]),
            float(hypotheses.rdot[h]),
            float(hypotheses.rddot[h]),
            float(hypotheses.side[h]),
        )
        while kernels.cluster(rows, night, seeds, guess, frame, own, found) == NO_ROOM:
            _refuse_a_flood(found, config)
            found = _enlarged(found)
        _refuse_a_flood(found, config)
    return found


def _refuse_a_flood(found: Found, config: LinkConfig) -> None:
    if found.used[0] > config.max_clusters:
        raise Flood(
            f"The tracklets make more than {found.used[0]:,} clusters; {config.max_clusters:,} are allowed: leave out "
            "false detections or known objects first, or lower radius_arcsec."
        )


def _enlarged(found: Found) -> Found:
    count, size = (int(each) for each in found.used)
    new = kernels.room(2 * len(found.key), 2 * len(found.members))
    new.used[:] = found.used
    new.key[:count], new.first[: count + 1] = found.key[:count], found.first[: count + 1]
    new.members[:size] = found.members[:size]
    new.hypothesis[:count], new.spread[:count] = found.hypothesis[:count], found.spread[:count]
    _index(new)
    return new


@numba.njit(cache=True, nogil=True)
def _index(found: Found) -> None:
    for k in range(found.used[0]):
        at = np.int64(found.key[k] >> np.uint64(20)) & (len(found.table) - 1)
        while found.table[at] > 0:
            at = (at + 1) & (len(found.table) - 1)
        found.table[at] = k + 1


def _of_numbers(hypotheses: HypothesisSet, number: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    at = np.searchsorted(hypotheses.number, number)
    return hypotheses.r[at], hypotheses.rdot[at], hypotheses.rddot[at], hypotheses.side[at].astype(float)


@numba.njit(cache=True, nogil=True)
def mean_states(
    rows: Floats, first: Ints, members: Ints, r: Floats, rdot: Floats, rddot: Floats, side: Floats
) -> Floats:
    """Mean state (c, 6) at the reference time of each cluster's members under its hypothesis."""
    out = np.zeros((len(first) - 1, 6))
    moved = np.empty(6)
    for k in range(len(first) - 1):
        for m in members[first[k] : first[k + 1]]:
            state(rows[m], r[k], rdot[k], rddot[k], side[k], moved)
            out[k] += moved / (first[k + 1] - first[k])
    return out
