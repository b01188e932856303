"""Tracklets that fall together under one hypothesis: same direction and rate at the reference time.

Four coordinates, two of direction and two of the rate times a quarter of the window, all angles, are cut into cells and
hashed. A tracklet asks the cells within its reach; most of them see fewer than the nights asked for, which a mask of
nights in each bucket says without a look at the members. What is left is decided by the distance itself, taken between
vectors, so that neither poles nor RA 0 matter.
"""

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from mops.science.linking.states import Floats, Ints, state
from mops.science.tracklets.sky_grid import bucket

NO_ROOM = -1
CELL = 8.0  # its side in radii: wider ones are fewer to ask, and fuller
_BUCKETS = 4096  # looked at for one tracklet at most: enough round a pole
_MOST = 1024  # tracklets within the reach of one


class Hypothesis(NamedTuple):
    number: int
    r: float
    rdot: float
    rddot: float
    side: float


class Frame(NamedTuple):
    """Where from and how close: the Earth at the reference time, a quarter of the window, and the radius (radians)."""

    earth: Floats  # (6,) au, au/day
    quarter: float  # days
    radius: float
    nights: int  # a cluster has at least
    most: int  # members of a cluster; a fuller one is taken at half the radius, and so on


class Found(NamedTuple):
    """Clusters so far, each with the best hypothesis. `used` is the number of clusters and of their members."""

    used: Ints  # (2,)
    table: Ints  # (2^k,) cluster + 1 by hash
    key: npt.NDArray[np.uint64]  # (c,)
    first: Ints  # (c + 1,)
    members: npt.NDArray[np.int32]
    hypothesis: npt.NDArray[np.int32]  # (c,)
    spread: npt.NDArray[np.float32]  # (c,) rms distance from the mean, radians


class Scratch(NamedTuple):
    """Of one hypothesis at a time, for `n` tracklets."""

    place: npt.NDArray[np.float32]  # (n, 6) direction and rate, in the order of the buckets
    unsorted: npt.NDArray[np.float32]
    cell: Ints  # (n, 4)
    start: npt.NDArray[np.int32]  # (2^k + 1,)
    nights: Ints  # (2^k,) masks
    item: npt.NDArray[np.int32]  # (n,) tracklets in the order of the buckets
    home: npt.NDArray[np.int32]  # (n,) bucket of each, −1 for none


def scratch(n: int) -> Scratch:
    """Room for `n` tracklets: 110 bytes each."""
    size = max(16, 1 << int(2 * n - 1).bit_length())
    return Scratch(
        place=np.empty((n, 6), np.float32),
        unsorted=np.empty((n, 6), np.float32),
        cell=np.empty((n, 4), np.int64),
        start=np.empty(size + 1, np.int32),
        nights=np.empty(size, np.int64),
        item=np.empty(n, np.int32),
        home=np.empty(n, np.int32),
    )


def room(clusters: int, members: int) -> Found:
    """An empty store."""
    return Found(
        used=np.zeros(2, np.int64),
        table=np.zeros(max(16, 1 << int(2 * clusters - 1).bit_length()), np.int64),
        key=np.empty(clusters, np.uint64),
        first=np.zeros(clusters + 1, np.int64),
        members=np.empty(members, np.int32),
        hypothesis=np.empty(clusters, np.int32),
        spread=np.empty(clusters, np.float32),
    )


@numba.njit(cache=True, nogil=True)
def cluster(
    rows: Floats, night: Ints, seeds: npt.NDArray[np.bool_], guess: Hypothesis, frame: Frame, own: Scratch, found: Found
) -> int:
    """Add the clusters of one hypothesis to `found`; `NO_ROOM` where it must be enlarged and this be called again.

    `rows` (n, 13) are sightings, `night` (n,) bits of a mask, `seeds` (n,) those round which clusters are sought.
    """
    _sort(rows, night, guess, frame, own)
    members = np.empty(_MOST, np.int32)
    asked = np.empty(_BUCKETS, np.int64)
    for slot in range(own.start[len(own.start) - 1]):
        if not seeds[own.item[slot]]:
            continue
        k = _buckets_near(own, slot, frame.radius, asked)
        mask = 0
        for m in range(k):
            mask |= own.nights[asked[m]]
        if bits(mask) < frame.nights:
            continue
        count = _within(own, slot, frame, night, asked[:k], members)
        if count > 0 and not _keep(members[:count], _spread(own, slot, members[:count]), guess.number, own, found):
            return NO_ROOM
    return int(found.used[0])


@numba.njit(cache=True, nogil=True)
def seen_from_earth(moved: Floats, frame: Frame, out: npt.NDArray[np.float32]) -> None:
    """Direction (3,) and its rate times a quarter of the window (3,) of a heliocentric state."""
    x, y, z = moved[0] - frame.earth[0], moved[1] - frame.earth[1], moved[2] - frame.earth[2]
    u, v, w = moved[3] - frame.earth[3], moved[4] - frame.earth[4], moved[5] - frame.earth[5]
    distance = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / distance, y / distance, z / distance
    along = x * u + y * v + z * w
    scale = frame.quarter / distance
    out[0], out[1], out[2] = x, y, z
    out[3], out[4], out[5] = (u - along * x) * scale, (v - along * y) * scale, (w - along * z) * scale


@numba.njit(cache=True, nogil=True)
def _sort(rows: Floats, night: Ints, guess: Hypothesis, frame: Frame, own: Scratch) -> None:
    moved = np.empty(6)
    size = len(own.nights)
    side = CELL * frame.radius
    own.start[:] = 0
    own.nights[:] = 0
    for i in range(len(rows)):
        own.home[i] = -1
        if state(rows[i], guess.r, guess.rdot, guess.rddot, guess.side, moved) > 0.0:
            place = own.unsorted[i]
            seen_from_earth(moved, frame, place)
            band, turn, east, north = _coordinates(place)
            b = _bucket(
                math.floor(band / side),
                math.floor(turn / _width(math.floor(band / side), side)),
                math.floor(east / side),
                math.floor(north / side),
                size,
            )
            own.home[i] = b
            own.start[b + 1] += 1
            own.nights[b] |= night[i]
    for b in range(size):
        own.start[b + 1] += own.start[b]
    for i in range(len(rows) - 1, -1, -1):
        b = own.home[i]
        if b >= 0:
            # Filled from the back, so that start[b] ends where bucket b begins once all are placed.
            own.start[b + 1] -= 1
            slot = own.start[b + 1]
            own.item[slot] = i
            own.place[slot] = own.unsorted[i]
    _close(own)


@numba.njit(cache=True, nogil=True)
def _close(own: Scratch) -> None:
    """start[b + 1] holds where bucket b begins: move it to start[b], and the whole number to the end."""
    size = len(own.nights)
    total = 0
    for b in range(len(own.home)):
        total += own.home[b] >= 0
    for b in range(size):
        own.start[b] = own.start[b + 1]
    own.start[size] = total


@numba.njit(cache=True, nogil=True)
def _coordinates(place: npt.NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Height on the axis + 1, an angle about it from 0 to 4 that needs no arc tangent, rates to east and north."""
    x, y, z = float(place[0]), float(place[1]), float(place[2])
    across = math.sqrt(x * x + y * y) + 1e-12
    turn = x / (abs(x) + abs(y) + 1e-12)
    return (
        min(max(z + 1.0, 0.0), 2.0),
        1.0 - turn if y >= 0.0 else 3.0 + turn,
        (x * float(place[4]) - y * float(place[3])) / across,
        float(place[5]) / across,
    )


@numba.njit(cache=True, nogil=True)
def _width(band: int, side: float) -> float:
    """Of a cell in a band: the turn is at most the angle, and the circle is smaller by the cosine of the latitude."""
    height = (band + 0.5) * side - 1.0
    return 4.0 / max(math.floor(4.0 * math.sqrt(max(1.0 - height * height, 0.0)) / side), 1.0)


@numba.njit(cache=True, nogil=True)
def _bucket(band: int, turn: int, east: int, north: int, size: int) -> int:
    return bucket(((band * 1048573 + turn) * 1048571 + east) * 1048559 + north, size)


@numba.njit(cache=True, nogil=True)
def _buckets_near(own: Scratch, slot: int, radius: float, asked: Ints) -> int:
    """Buckets of all cells within the radius in each coordinate, each once."""
    side = CELL * radius
    size = len(own.nights)
    band, turn, east, north = _coordinates(own.place[slot])
    cosine = math.sqrt(max(band * (2.0 - band), 0.0))
    k = 0
    polar = cosine < 50.0 * radius
    for b in range(math.floor(max(band - radius, 0.0) / side), math.floor(min(band + radius, 2.0) / side) + 1):
        width = _width(b, side)
        cells = round(4.0 / width)
        reach = radius / max(cosine - radius, 1e-12)
        t0, t1 = math.floor((turn - reach) / width), math.floor((turn + reach) / width)
        if polar or t1 - t0 + 1 >= cells:
            t0, t1 = 0, cells - 1
        for t in range(t0, t1 + 1):
            for e in range(math.floor((east - radius) / side), math.floor((east + radius) / side) + 1):
                for n in range(math.floor((north - radius) / side), math.floor((north + radius) / side) + 1):
                    b_here = _bucket(b, t % cells, e, n, size)
                    if own.nights[b_here] and k < len(asked) and not _in(b_here, asked, k):
                        asked[k] = b_here
                        k += 1
    return k


@numba.njit(cache=True, nogil=True)
def _in(value: int, values: Ints, k: int) -> bool:
    for m in range(k):  # noqa: SIM110  any() of a generator does not compile
        if values[m] == value:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _within(own: Scratch, slot: int, frame: Frame, night: Ints, asked: Ints, members: npt.NDArray[np.int32]) -> int:
    """Slots within the radius into `members`, at half the radius where they are too many; 0 if the nights are few."""
    limit = frame.radius * frame.radius
    for _ in range(6):
        count, mask = 0, 0
        for b in asked:
            for other in range(own.start[b], own.start[b + 1]):
                if _squared(own.place, slot, other) <= limit:
                    if count < len(members):
                        members[count] = other
                    count += 1
                    mask |= night[own.item[other]]
        if bits(mask) < frame.nights:
            return 0
        if count <= frame.most:
            return count
        limit /= 4.0
    return 0


@numba.njit(cache=True, nogil=True)
def _squared(place: npt.NDArray[np.float32], a: int, b: int) -> float:
    total = np.float32(0.0)
    for c in range(6):
        off = place[a, c] - place[b, c]
        total += off * off
    return float(total)


@numba.njit(cache=True, nogil=True)
def _spread(own: Scratch, slot: int, members: npt.NDArray[np.int32]) -> float:
    """Rms distance from the mean; the slots in `members` become tracklets."""
    mean = np.zeros(6)
    square = 0.0
    for other in members:
        for c in range(6):
            off = float(own.place[other, c]) - float(own.place[slot, c])
            mean[c] += off / len(members)
            square += off * off / len(members)
    for m in range(len(members)):
        members[m] = own.item[members[m]]
    members.sort()
    return math.sqrt(max(square - (mean * mean).sum(), 0.0))


@numba.njit(cache=True, nogil=True)
def _keep(members: npt.NDArray[np.int32], spread: float, number: int, own: Scratch, found: Found) -> bool:
    key = np.uint64(1469598103934665603)
    for m in members:
        key = (key ^ np.uint64(m)) * np.uint64(1099511628211)
        key ^= key >> np.uint64(29)
    at = np.int64(key >> np.uint64(20)) & (len(found.table) - 1)
    while found.table[at] > 0:
        old = found.table[at] - 1
        if found.key[old] == key:
            if spread < found.spread[old]:
                found.spread[old] = spread
                found.hypothesis[old] = number
            return True
        at = (at + 1) & (len(found.table) - 1)
    k, place = found.used[0], found.used[1]
    if k >= len(found.key) or place + len(members) > len(found.members):
        return False
    found.table[at] = k + 1
    found.key[k] = key
    found.members[place : place + len(members)] = members
    found.first[k + 1] = place + len(members)
    found.hypothesis[k] = number
    found.spread[k] = spread
    found.used[0] += 1
    found.used[1] += len(members)
    return True


@numba.njit(cache=True, nogil=True)
def bits(mask: int) -> int:
    """How many bits are set."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count
