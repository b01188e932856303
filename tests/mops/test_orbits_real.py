"""Orbits of real objects: JPL Horizons' places, and the Minor Planet Center's observations against JPL's states."""

import numpy as np
import pytest

from bench import _orbit_data
from bench.orbits import horizons_miss_mas, pieces_of, run
from mops.science import orbit_fit, orbit_start, propagation
from mops.science.constants import AU_KM
from mops.science.orbit_status import Status
from mops.science.weights import correlated, shared, sigma_arcsec
from tests.real_data import FOLDER, needs_real_data

pytestmark = [needs_real_data, pytest.mark.real_data]


def test_jpls_places_are_reproduced():
    misses = [horizons_miss_mas(each) for each in _orbit_data.horizons(FOLDER)]
    assert [len(each) for each in misses] == [90] * 14
    assert np.concatenate(misses).max() < 50
    assert np.median(np.concatenate(misses)) < 10


@pytest.fixture(scope="module")
def four() -> tuple[_orbit_data.Observed, orbit_fit.Orbits]:
    data = _orbit_data.observed(FOLDER, "4_random_mpc_ADES_provIDs_no_sats.csv")
    return data, orbit_start.determine(data.arcs)


def test_decades_of_observations_are_one_orbit(four):
    data, found = four
    status = dict(zip(data.names, found.status, strict=True))
    assert status.pop("222222") == Status.TOO_FEW  # one observation
    assert set(status.values()) == {Status.OK}
    good = found.status == Status.OK
    assert (found.rms_arcsec[good] < 1.0).all()
    assert found.used.mean() > 0.98


def test_the_orbit_is_jpls_within_the_catalogues_accuracy(four):
    data, found = four
    for name, (epoch, truth) in _orbit_data.jpl_states(FOLDER).items():
        if name in data.names:
            k = data.names.index(name)
            there = propagation.propagate_nbody(found.state[k], found.epoch_mjd_tdb[k], epoch)[0]
            assert np.linalg.norm(there[:3] - truth[:3]) * AU_KM < 200, name


def test_interstellar_3i_is_fitted_as_a_hyperbola():
    data = _orbit_data.observed(FOLDER, "3I_ATLAS_ades.csv")
    found = orbit_start.determine(data.arcs)
    epoch, truth = _orbit_data.jpl_states(FOLDER)["A11pl3Z"]
    there, covariance = propagation.with_covariance(found.state, found.covariance, found.epoch_mjd_tdb, epoch)
    miss = there[0] - truth
    assert found.status[0] == Status.OK
    assert miss @ np.linalg.solve(covariance[0], miss) < 25


def test_no_short_piece_of_a_bound_object_is_accepted_unbound(four):
    data, found = four
    cut, _ = pieces_of(data.arcs, np.flatnonzero(found.status == Status.OK), 3, np.random.default_rng(1))
    short = orbit_start.determine(cut)
    accepted = short.state[short.status == Status.OK]
    assert len(short.status) > 10
    assert (np.sum(accepted[:, 3:] ** 2, axis=1) < 2 * 2.96e-4 / np.linalg.norm(accepted[:, :3], axis=1)).all()


def test_sigmas_are_those_of_the_rules():
    codes, dates = (
        np.array(["F51", "703", "703", "X99", "X99"]),
        np.array([60_000.0, 56_000.0, 57_000.0, 60_000.0, 40_000.0]),
    )
    assert sigma_arcsec(codes, dates).tolist() == [0.2, 1.0, 0.8, 1.0, 1.5]


def test_many_observations_of_a_night_share_their_errors():
    codes, dates = np.array(["F51"] * 9 + ["703"]), np.concatenate([60_000 + 0.01 * np.arange(8), [60_001.0, 60_000.0]])
    assert shared(np.ones(10), codes, dates) == pytest.approx([np.sqrt(2)] * 8 + [1.0, 1.0])
    assert correlated(np.ones(10), codes, dates, 0.5)[:2] == pytest.approx([np.sqrt(4.5)] * 2)
    assert correlated(np.ones(10), codes, dates)[8:].tolist() == [1.0, 1.0]


def test_the_benchmark_reports_its_keys():
    report = run(quick=True)
    keys = {"arcs", "converged", "median_residual_arcsec", "orbits_per_s_per_core", "horizons_max_mas"}
    assert keys | {"max_model_difference_mas_vs_assist"} <= set(report)
    assert report["converged"] == report["arcs"]
    assert 0.08 < report["median_residual_arcsec"] < 0.1
    assert 4 < report["median_mahalanobis2"] < 7  # 5.35 of six degrees of freedom
