"""Dataclasses of arrays go into one file and come back the same; the same arrays give the same file."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mops.pipeline.packing import packed, unpacked
from mops.science.detections import BANDS, Detections, joined


@dataclass(frozen=True)
class Inner:
    x: Any


@dataclass(frozen=True)
class Outer:
    inner: Inner
    y: Any


def some(n: int, seed: int = 1) -> Detections:
    random = np.random.default_rng(seed)
    numbers = {name: random.random(n) for name in ("mjd_tai", "ra", "dec", "sigma_ra", "sigma_dec", "mag")}
    return Detections(
        id=np.arange(1, n + 1) + 1000 * seed,
        band=random.integers(0, len(BANDS), n).astype(np.int8),
        night=np.full(n, 20261121, np.int32),
        visit=np.arange(n),
        observer=random.random((n, 3)),
        **numbers,
    )


def test_detections_come_back_with_their_types():
    before = some(5)
    after = unpacked(Detections, "detections", packed(detections=before))
    for field in fields(Detections):
        old, new = getattr(before, field.name), getattr(after, field.name)
        assert old.dtype == new.dtype
        np.testing.assert_array_equal(old, new)


def test_what_lies_within_comes_back_too():
    made = packed(outer=Outer(Inner(np.arange(3)), np.ones(2)), extra=np.zeros(1))
    assert set(made) == {"outer.inner.x", "outer.y", "extra"}
    again = unpacked(Outer, "outer", made)
    np.testing.assert_array_equal(again.inner.x, np.arange(3))


def test_what_was_not_packed_is_missed():
    with pytest.raises(KeyError):
        unpacked(Inner, "other", packed(inner=Inner(np.arange(3))))


@given(arrays.arrays(np.bool_, st.integers(0, 30)))
def test_a_mask_and_its_indices_take_the_same_detections(mask):
    one = some(len(mask))
    np.testing.assert_array_equal(one.take(mask).id, one.take(np.flatnonzero(mask)).id)
    assert len(one.take(mask)) == mask.sum()


def test_joined_detections_are_one_after_another():
    first, second = some(2), some(3, seed=2)
    both = joined([first, second])
    assert both.id.tolist() == [*first.id, *second.id]
    assert both.observer.shape == (5, 3)
