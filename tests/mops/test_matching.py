"""The kernels of matching, each against a few lines of NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import attribution, known, observers, time_scales
from mops.science.apparent import axes_at, direction, offsets_arcsec
from mops.science.constants import GM_PLANETS
from mops.science.matching import (
    ARCSEC,
    COLUMNS,
    _cap,
    _match_visit,
    _measure,
    _observer_motion,
    _prediction_errors,
    _ranks,
    joined,
    no_pairs,
)


@given(st.integers(0, 2**32 - 1), st.floats(-89.9, 89.9), st.floats(0.01, 20))
@settings(max_examples=60, deadline=None)
def test_the_numbers_of_a_pair_are_those_of_linear_algebra(seed, dec, size):
    random = np.random.default_rng(seed)
    line = 2 * direction(np.array([random.uniform(0, 360)]), np.array([dec]))[0]
    ahead, east, north = axes_at(line)
    offset = random.normal(0, size, 2)
    seen = ahead + ARCSEC * (offset[0] * east + offset[1] * north)
    motion, root, sigma = random.normal(0, 0.01, 3), random.normal(0, 1, (2, 2)), random.uniform(0.05, 1, 2)
    spread, numbers = root @ root.T, np.empty(COLUMNS)
    errors = np.array([spread[0, 0], spread[0, 1], spread[1, 1]])
    _measure(seen / np.linalg.norm(seen), line, motion, errors, 7.0, sigma[0], sigma[1], numbers)
    rate = np.array([motion @ east, motion @ north]) / np.hypot(motion @ east, motion @ north)
    total = spread + np.diag(sigma**2)
    square = offset @ np.linalg.solve(total, offset)
    across = offset[1] * rate[0] - offset[0] * rate[1]
    assert numbers[:5] == pytest.approx([*offset, offset @ rate, across, np.hypot(*offset)], abs=1e-4)
    assert numbers[5] == pytest.approx(np.sqrt(square), rel=1e-5, abs=1e-4)
    assert numbers[6] == 7.0
    assert numbers[7] == pytest.approx(square + np.log(np.linalg.det(total)), rel=1e-4, abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5))
@settings(max_examples=40, deadline=None)
def test_errors_of_a_prediction_are_projected_and_those_of_the_model_added(seed, since):
    random = np.random.default_rng(seed)
    root = random.normal(0, 1, (6, 6)) * np.r_[[1e-6] * 3, [1e-7] * 3][:, None]
    covariance, line, errors = root @ root.T, random.normal(0, 2, 3), np.empty(3)
    distance = float(np.linalg.norm(line))
    _, east, north = axes_at(line)
    carry = np.hstack([np.eye(3), since * np.eye(3)])
    axes = np.stack([east, north]) / distance / ARCSEC
    expected = axes @ carry @ covariance @ carry.T @ axes.T
    pull = 0.5 * (GM_PLANETS["earth"] + GM_PLANETS["moon"]) * since**2 / distance**3 / ARCSEC
    expected += (0.02**2 + pull**2) * np.eye(2)
    sigma = _prediction_errors(covariance, since, line, distance, 0.02, errors)
    assert errors == pytest.approx([expected[0, 0], expected[0, 1], expected[1, 1]], rel=1e-6, abs=1e-9)
    assert sigma == pytest.approx(np.sqrt(np.linalg.eigvalsh(expected)[1]))


@given(st.integers(0, 2**32 - 1), st.floats(-90, 90), st.floats(1e-4, 60), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_a_cap_holds_all_its_directions_and_little_more(seed, dec, spread, count):
    random = np.random.default_rng(seed)
    centre = direction(np.array([random.uniform(0, 360)]), np.array([dec]))
    towards = centre + np.radians(spread) * random.uniform(-0.5, 0.5, (count, 3))
    towards /= np.linalg.norm(towards, axis=1)[:, None]
    middle, radius = _cap(towards)
    away = 2 * np.arcsin(np.clip(np.linalg.norm(towards - middle, axis=1) / 2, 0, 1))
    assert (away <= radius).all()
    assert radius <= away.max() + 2e-9
    assert np.linalg.norm(middle) == pytest.approx(1)


def test_directions_all_around_have_the_whole_sky_for_a_cap():
    assert _cap(np.concatenate([np.eye(3), -np.eye(3)]))[1] == np.pi


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 10)), max_size=30, unique=True))
@settings(max_examples=60, deadline=None)
def test_ranks_count_the_nearer_ones_of_the_same_object_and_visit(rows):
    visit, body, separation = (np.array([row[column] for row in rows]) for column in range(3))
    ranks = _ranks(visit.astype(np.int64), body.astype(np.int64), separation.astype(float))
    expected = [1 + sum(v == r[0] and b == r[1] and s < r[2] for v, b, s in rows) for r in rows]
    assert ranks.tolist() == expected


def test_the_observers_motion_is_the_earths_and_its_turning():
    times = 60_400 + np.linspace(0, 1, 9)
    observer, velocity = observers.heliocentric("X05", times)
    found = _observer_motion(time_scales.tdb_from_tai(times), observer)
    assert np.linalg.norm(found - velocity, axis=1) == pytest.approx(np.zeros(9), abs=1e-6)  # 1.7 m/s of 30 km/s


def test_no_pairs_join_to_none():
    assert len(joined([no_pairs(), no_pairs()])) == 0
    assert joined([no_pairs()]).rank.dtype == np.int16


@pytest.mark.parametrize("dec", [90.0, -90.0])
def test_a_pair_at_the_pole_has_its_length(dec):
    line, numbers = direction(np.array([0.0]), np.array([dec]))[0] * 3, np.empty(COLUMNS)
    line[:2] = 0.0
    seen = direction(np.array([77.0]), np.array([dec - np.sign(dec) / 3_600]))[0]
    _measure(seen, line, np.zeros(3), np.array([0.01, 0.0, 0.01]), 0.1, 0.1, 0.1, numbers)
    assert numbers[4] == pytest.approx(1.0, abs=1e-5)
    assert numbers[2:4].tolist() == [0.0, 0.0]  # it does not move
    east, north = offsets_arcsec(np.array([77.0]), np.array([dec - np.sign(dec) / 3_600]), line[None])
    assert numbers[:2] == pytest.approx([east[0], north[0]], abs=1e-5)


def test_warming_up_compiles_what_a_night_needs():
    attribution.warm_up()
    known.warm_up()
    for kernel in (_match_visit, _measure, attribution._take_best, known._lines, known._projections):
        assert kernel.signatures
