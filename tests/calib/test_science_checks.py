"""Named troubles from numbers alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.science import checks

USUAL = np.array([20_000.0, 21_000.0, 22_500.0, 25_000.0])
levels = st.lists(st.floats(20_000, 26_000), min_size=2, max_size=16, unique=True)


class TestSwappedAmplifiers:
    def test_two_that_show_each_others_level_are_named(self) -> None:
        assert checks.swapped(USUAL[[0, 2, 1, 3]], USUAL).tolist() == [1, 2]

    def test_three_in_a_ring_are_named(self) -> None:
        assert checks.swapped(USUAL[[1, 2, 0, 3]], USUAL).tolist() == [0, 1, 2]

    def test_a_level_that_jumped_is_no_swap(self) -> None:
        assert checks.swapped(USUAL + np.array([0, 1_500, 0, 0]), USUAL).size == 0

    def test_without_a_past_nothing_is_swapped(self) -> None:
        assert checks.swapped(USUAL, np.full(4, np.nan)).size == 0

    def test_an_amplifier_without_a_level_is_none_of_them(self) -> None:
        seen = USUAL[[0, 2, 1, 3]]
        seen[3] = np.nan
        assert checks.swapped(seen, USUAL).tolist() == [1, 2]

    @given(levels, st.floats(-5, 5))
    def test_a_common_drift_is_never_a_swap(self, usual: list[float], drift: float) -> None:
        assert checks.swapped(np.array(usual) + drift, np.array(usual)).size == 0

    @given(st.integers(0, 3), st.integers(0, 3), st.floats(-3, 3))
    def test_every_pair_is_found(self, one: int, other: int, drift: float) -> None:
        order = np.arange(4)
        order[[one, other]] = order[[other, one]]
        wanted = sorted({one, other}) if one != other else []
        assert checks.swapped(USUAL[order] + drift, USUAL).tolist() == wanted


class TestSettling:
    def test_levels_that_fall_to_the_usual_ones_are_dropped(self) -> None:
        row = USUAL + 40 * np.exp(-np.arange(6.0))[:, None]
        assert checks.settling(row, USUAL) == 4  # 40, 14.7, 5.4, 2.0 above 1 ADU; 0.7 is not

    def test_without_a_past_the_last_of_the_row_is_the_usual(self) -> None:
        row = USUAL + 40 * np.exp(-np.arange(6.0))[:, None]
        assert checks.settling(row, np.full(4, np.nan)) >= 3

    def test_a_row_that_has_not_arrived_is_dropped_whole(self) -> None:
        row = USUAL + 40 * np.exp(-np.arange(3.0))[:, None]
        assert checks.settling(row, USUAL) == 3

    def test_a_jump_that_stays_is_no_settling(self) -> None:
        assert checks.settling(np.stack([USUAL + 25] * 4), USUAL) == 0

    def test_one_amplifier_alone_is_no_settling(self) -> None:
        row = np.stack([USUAL] * 4)
        row[:, 0] += [40, 15, 5, 2]
        assert checks.settling(row, USUAL) == 0

    def test_a_single_exposure_tells_nothing(self) -> None:
        assert checks.settling(USUAL[None] + 40, USUAL) == 0

    @given(st.integers(2, 12), st.integers(0, 1000))
    def test_healthy_rows_never_settle(self, count: int, seed: int) -> None:
        jitter = np.random.default_rng(seed).normal(0, 0.05, (count, 4))
        assert checks.settling(USUAL + jitter, USUAL) == 0


class TestLight:
    def test_a_plane_gives_its_slope(self) -> None:
        u, v = np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0])
        light = 2_000 * (1 + 0.10 * u.ravel())
        assert checks.gradient(light, u.ravel(), v.ravel()) == pytest.approx(0.10)

    def test_fewer_than_four_detectors_have_no_gradient(self) -> None:
        assert np.isnan(checks.gradient(np.ones(3), np.array([0.0, 1, 0]), np.array([0.0, 0, 1])))

    def test_detectors_on_a_line_have_no_gradient(self) -> None:
        assert np.isnan(checks.gradient(np.ones(5), np.arange(5.0), np.zeros(5)))

    def test_a_detector_that_is_missing_does_not_matter(self) -> None:
        u, v = (grid.ravel() for grid in np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]))
        light = 2_000 * (1 + 0.03 * u + 0.04 * v)
        light[4] = np.nan
        assert checks.gradient(light, u, v) == pytest.approx(0.05)

    @given(st.floats(0.0, 0.1), st.floats(0.0, 0.1), st.integers(0, 8))
    def test_a_dead_detector_tilts_no_lamp(self, dead: float, slope: float, where: int) -> None:
        u, v = (grid.ravel() for grid in np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]))
        light = 2_000 * (1 + slope * u)
        dim = light.copy()
        dim[where] *= dead
        assert checks.gradient(dim, u, v) == pytest.approx(slope, rel=0.2, abs=1e-9)

    def test_each_detector_deviates_from_its_own_norm(self) -> None:
        deviation = checks.deviation(np.array([100.0, 90.0, 404.0]), np.array([100.0, 100.0, 400.0]))
        assert deviation == pytest.approx([0.0, 0.10, 0.01])

    def test_without_a_norm_there_is_no_deviation(self) -> None:
        assert np.isnan(checks.deviation(np.ones(3), np.array([np.nan, np.nan, 0.0]))).all()

    def test_scatter_is_relative(self) -> None:
        assert checks.scatter(np.array([90.0, 100, 110])) == pytest.approx(0.1)
        assert np.isnan(checks.scatter(np.array([90.0, np.nan])))

    def test_half_of_the_amplifiers_speak_for_a_detector(self) -> None:
        assert checks.of_amplifiers(np.array([40.0, 41, 42, np.nan])) == 41
        assert np.isnan(checks.of_amplifiers(np.full(4, np.nan)))


def test_no_two_checks_or_metrics_share_a_name() -> None:
    from calib.science.metrics import METRICS

    names = [check.name for check in checks.CHECKS] + [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
