"""Bytes changed on the way, in every manner: refused in words or known for what they are, never anything else."""

import hashlib
import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.archive.content_store import Store
from dayops.archive.errors import ChecksumMismatch
from dayops.archive.gate import Inspection, inspect
from dayops.camera import load
from dayops.camera.headers import BadFrame
from dayops.images import Segment, read_segments
from dayops.simulator.frames import simulate
from tests.dayops.simulated import shot
from tests.frames import BLOCK

SENSOR = 4
GOOD = simulate(shot(load("minicam"), seq_num=4), SENSOR, seed=1)
DIGEST = hashlib.sha256(GOOD).hexdigest()
# Headers are a tenth of the file and the part that is interpreted: half of all changes go there.
HEADERS = [place for place in range(0, len(GOOD), BLOCK) if GOOD[place : place + 8] in (b"SIMPLE  ", b"XTENSION")]
places = st.integers(0, len(GOOD) - 1) | st.builds(int.__add__, st.sampled_from(HEADERS), st.integers(0, BLOCK - 1))


def flipped(place: int, bit: int) -> bytes:
    return GOOD[:place] + bytes([GOOD[place] ^ 1 << bit]) + GOOD[place + 1 :]


def cut(place: int) -> bytes:
    return GOOD[:place]


def inserted(place: int, content: bytes) -> bytes:
    return GOOD[:place] + content + GOOD[place:]


def repeated(place: int, blocks: int) -> bytes:
    start = place // BLOCK * BLOCK
    end = start + blocks * BLOCK
    return GOOD[:end] + GOOD[start:]


changed = (
    st.builds(flipped, places, st.integers(0, 7))
    | st.builds(cut, places)
    | st.builds(inserted, places, st.binary(min_size=1, max_size=80))
    | st.builds(repeated, places, st.integers(1, 3))
)


@settings(max_examples=100, deadline=20_000, derandomize=True)
@given(changed)
def test_changed_bytes_never_agree_with_the_senders_checksum(content: bytes):
    with TemporaryDirectory() as folder:
        store = Store(folder)
        with pytest.raises(ChecksumMismatch, match=f"hash to {hashlib.sha256(content).hexdigest()}"):
            store.receive(io.BytesIO(content), expected_sha256=DIGEST)
        assert list(store.incoming.iterdir()) == []


@settings(max_examples=80, deadline=20_000, derandomize=True)
@given(changed)
def test_changed_bytes_without_a_checksum_are_refused_or_doubted_or_leave_every_pixel_as_it_was(content: bytes):
    with TemporaryDirectory() as folder:
        path = Path(folder, "frame.fits")
        path.write_bytes(content)
        seen = inspected(path)
        if seen is not None and not seen.doubts:
            assert all(map(np.array_equal, pixels(path), good_pixels()))


def inspected(path: Path) -> Inspection | None:
    try:
        return inspect(path, "frame.fits")
    except BadFrame as error:
        assert error.problems
        return None


def pixels(path: Path) -> list[Segment]:
    return read_segments(path, load("minicam").by_id[SENSOR])


@cache
def good_pixels() -> list[Segment]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "good.fits")
        path.write_bytes(GOOD)
        return pixels(path)
