"""N-body motion, sight, fits and starts: against SciPy and ASSIST, the truth they were made of, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.stats import chi2, kstest

from bench import orbits as bench
from bench._orbit_arcs import EPOCH, main_belt, observed_arcs
from mops.science import (
    ephemeris,
    kepler,
    nbody,
    observers,
    orbit_fit,
    orbit_solver,
    orbit_start,
    perturbers,
    propagation,
)
from mops.science.constants import ARCSEC, AU_KM, C_AU_PER_DAY, GM_PLANETS, GM_SUN
from mops.science.elements import Elements, states_from_elements
from mops.science.orbit_fit import Arcs, FitConfig, fit
from mops.science.orbit_status import Belief, Status, judge
from mops.science.time_scales import tai_from_tdb, tdb_from_tai

METRE = 1 / (AU_KM * 1000)


def state_of(q: float, e: float, i: float = 10.0, since_perihelion: float = 50.0) -> np.ndarray:
    given_elements = [np.array([x]) for x in (np.nan, q, e, i, 30.0, 60.0, np.nan, EPOCH - since_perihelion)]
    return states_from_elements(Elements(*given_elements), EPOCH)


def attraction(date: float, state: np.ndarray) -> np.ndarray:
    """The equations of motion, written once more in NumPy and with DE440 itself."""
    r, v = state[:3], state[3:]
    size = np.linalg.norm(r)
    pull = -GM_SUN * r / size**3
    pull += GM_SUN / (C_AU_PER_DAY**2 * size**3) * ((4 * GM_SUN / size - v @ v) * r + 4 * (r @ v) * v)
    for name, gm in GM_PLANETS.items():
        planet = ephemeris.body(name, date)[0][0]
        away = planet - r
        pull += gm * (away / np.linalg.norm(away) ** 3 - planet / np.linalg.norm(planet) ** 3)
    return np.concatenate([v, pull])


def by_scipy(state: np.ndarray, days: float) -> np.ndarray:
    solved = solve_ivp(attraction, (EPOCH, EPOCH + days), state, rtol=1e-12, atol=1e-15, method="DOP853")
    return np.asarray(solved.y[:, -1])


@pytest.mark.parametrize(
    ("q", "e", "days"), [(2.0, 0.2, 60.0), (0.4, 0.6, -40.0), (0.25, 3.3, 50.0), (30.0, 0.1, 75.0), (1.0, 0.02, 30.0)]
)
def test_n_body_motion_is_that_of_scipy(q, e, days):
    state = state_of(q, e)
    moved = propagation.propagate_nbody(state, EPOCH, EPOCH + days)[0]
    assert np.abs(moved[:3] - by_scipy(state[0], days)[:3]).max() < 10 * METRE


def test_a_close_approach_to_the_earth_is_followed():
    earth = np.concatenate(ephemeris.earth(EPOCH + 10), axis=1)[0]
    near = earth + np.array([3e-4, 0, 0, 0, 4e-3, 1e-3])  # 45,000 km away at 7 km/s
    start = propagation.propagate_nbody(near, EPOCH + 10, EPOCH)[0]
    assert np.abs(by_scipy(start, 20.0) - propagation.propagate_nbody(start, EPOCH, EPOCH + 20)[0])[:3].max() < 1e-8
    back = propagation.propagate_nbody(
        propagation.propagate_nbody(near, EPOCH + 10, EPOCH + 40), EPOCH + 40, EPOCH + 10
    )
    assert back[0] == pytest.approx(near, abs=1e-9)


def test_a_body_that_falls_into_the_sun_or_a_planet_is_given_up():
    venus = np.concatenate(ephemeris.body("venus", EPOCH), axis=1)[0]
    into_venus = kepler.propagate(venus[None] + [1e-3, 0, 0, -1e-3, 0, 0], 0.0)[0]
    falling = np.array([[0.2, 0, 0, 0, 0, 0], into_venus, [np.nan] * 6, [2.0, 0, 0, 0, 0.012, 0]])
    moved = propagation.propagate_nbody(falling, EPOCH, EPOCH + 30)
    assert np.isnan(moved[0]).all()
    assert np.isnan(moved[2]).all()
    assert np.isfinite(moved[3]).all()


def test_decades_lead_back_to_where_they_began():
    states = main_belt(5, np.random.default_rng(3))
    there = propagation.propagate_nbody(states, EPOCH, EPOCH - 12_000)
    assert np.abs(propagation.propagate_nbody(there, EPOCH - 12_000, EPOCH) - states).max() < 1e-8


def test_perturbers_are_de440_within_a_metre():
    table = perturbers.perturbers(EPOCH, EPOCH + 100)
    row = np.zeros(perturbers.COLUMNS)
    for date in np.random.default_rng(4).uniform(EPOCH, EPOCH + 100, 40):
        perturbers.read(table.first_mjd_tdb, table.coefficients, date, row)
        for k, name in enumerate(perturbers.NAMES):
            place = row[[k, perturbers.COUNT + k, 2 * perturbers.COUNT + k]]
            assert np.abs(place - ephemeris.body(name, date)[0][0]).max() < METRE


def test_the_transition_matrix_is_that_of_differences():
    state, covariance = state_of(1.5, 0.3), np.diag([1e-14] * 3 + [1e-18] * 3)[None]
    step = np.repeat([1e-5, 1e-7], 3)
    to = EPOCH + 50
    ahead = propagation.propagate_nbody(state + np.diag(step), EPOCH, to)
    behind = propagation.propagate_nbody(state - np.diag(step), EPOCH, to)
    matrix = ((ahead - behind) / (2 * step[:, None])).T
    moved, carried = propagation.with_covariance(state, covariance, EPOCH, to)
    assert moved[0] == pytest.approx(propagation.propagate_nbody(state, EPOCH, to)[0], abs=1e-15)
    expected = matrix @ covariance[0] @ matrix.T
    assert carried[0] == pytest.approx(expected, rel=1e-4, abs=1e-5 * np.abs(expected).max())


def seen_simply(state: np.ndarray, tai: float, observer: np.ndarray) -> np.ndarray:
    """Line of sight with light time, in the barycentric frame, one propagation a repetition."""
    tdb, delay = float(tdb_from_tai(tai)), 0.0
    sun_now = ephemeris.barycentric("sun", tdb)[0][0]
    for _ in range(5):
        then = propagation.propagate_nbody(state, EPOCH, tdb - delay)[0, :3]
        line = then + ephemeris.barycentric("sun", tdb - delay)[0][0] - observer - sun_now
        delay = float(np.linalg.norm(line)) / C_AU_PER_DAY
    return np.asarray(line)


@given(st.floats(0.6, 45), st.floats(0, 0.5), st.floats(0, 180), st.floats(-300, 300))
@settings(max_examples=15, deadline=None)
def test_places_are_seen_by_light_that_left_before(q, e, i, since):
    state, tai = state_of(q, e, i, since), EPOCH + np.array([20.0, -20.0, 0.0])
    place, velocity = observers.heliocentric("X05", tai)
    seen = propagation.places(state, EPOCH, tai, place, observer_velocity=velocity)
    for k in range(3):
        line = seen_simply(state, tai[k], place[k])
        away = np.linalg.norm(line)
        assert seen.distance_au[0, k] == pytest.approx(away, abs=1e-9)
        assert np.sin(np.radians(seen.dec[0, k])) == pytest.approx(line[2] / away, abs=1e-10)
        assert np.radians(seen.ra[0, k]) == pytest.approx(np.arctan2(line[1], line[0]) % (2 * np.pi), abs=1e-9)


def test_rates_are_the_places_differences():
    states, tai = main_belt(4, np.random.default_rng(5)), EPOCH + 5 + np.array([0.0, 1e-3])
    place, velocity = observers.heliocentric("X05", tai)
    seen = propagation.places(states, EPOCH, tai, place, observer_velocity=velocity)
    across = np.diff(seen.ra, axis=1)[:, 0] * np.cos(np.radians(seen.dec[:, 0])) / 1e-3
    assert seen.rate_ra.mean(axis=1) == pytest.approx(across, abs=2e-6)
    assert seen.rate_dec.mean(axis=1) == pytest.approx(np.diff(seen.dec, axis=1)[:, 0] / 1e-3, abs=2e-6)


def test_a_covariance_on_the_sky_is_that_of_drawn_orbits():
    rng, state, tai = np.random.default_rng(6), state_of(2.0, 0.1), np.array([EPOCH + 30.0])
    spread = np.array([1e-7, 2e-7, 1e-7, 1e-9, 2e-9, 1e-9])
    place, _ = observers.heliocentric("X05", tai)
    said = propagation.places(state, EPOCH, tai, place, covariances=np.diag(spread**2)[None]).covariance[0, 0]
    drawn = propagation.places(state + rng.normal(0, spread, (4_000, 6)), EPOCH, tai, place)
    on_sky = np.stack([drawn.ra[:, 0] * np.cos(np.radians(drawn.dec.mean())), drawn.dec[:, 0]]) * 3_600
    assert np.cov(on_sky) == pytest.approx(said, rel=0.1, abs=0.05 * said.max())


def test_times_need_as_many_observers():
    with pytest.raises(ValueError, match="2 times need observers of shape"):
        propagation.places(state_of(2.0, 0.1), EPOCH, np.array([EPOCH, EPOCH + 1]), np.zeros((3, 3)))


@pytest.fixture(scope="module")
def made() -> tuple[Arcs, np.ndarray]:
    rng = np.random.default_rng(7)
    states = main_belt(150, rng)
    return observed_arcs(states, 60, 8, 0.1, rng), states


def seeds_of(states: np.ndarray, error: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    return states * (1 + np.random.default_rng(8).normal(0, error, states.shape)), np.full(len(states), EPOCH)


def test_fits_find_the_truth_as_often_as_their_covariance_says(made):
    arcs, states = made
    found = fit(arcs, *seeds_of(states), FitConfig(reject_chi2=0.0))
    assert (found.status == Status.OK).all()
    miss = found.state - states
    distance = np.einsum("ki,kij,kj->k", miss, np.linalg.inv(found.covariance), miss)
    assert kstest(distance, chi2(6).cdf).pvalue > 1e-3
    assert kstest(found.chi2, chi2(2 * 16 - 6).cdf).pvalue > 1e-3
    assert (found.degrees_of_freedom == 26).all()
    assert np.median(found.rms_arcsec) == pytest.approx(0.1 * np.sqrt(26 / 32), rel=0.05)


def test_residuals_are_observed_less_computed(made):
    arcs, states = made
    one = arcs.take(np.array([3]))
    found = fit(one, states[[3]], np.array([EPOCH]))
    tai = tai_from_tdb(one.mjd_tdb)
    seen = propagation.places(found.state, EPOCH, tai, one.observer)
    across = (one.ra - seen.ra[0]) * np.cos(np.radians(one.dec)) * 3_600
    assert found.residual_ra == pytest.approx(across, abs=1e-5)
    assert found.residual_dec == pytest.approx((one.dec - seen.dec[0]) * 3_600, abs=1e-5)


def test_an_arc_in_any_order_has_the_same_orbit(made):
    arcs, states = made
    few = arcs.take(np.arange(3))
    order = np.concatenate([16 * k + np.random.default_rng(k).permutation(16) for k in range(3)])
    mixed = Arcs(few.first, *(getattr(few, name)[order] for name in orbit_fit._FLAT))
    one, other = (fit(each, *seeds_of(states[:3])) for each in (few, mixed))
    assert other.state == pytest.approx(one.state, abs=1e-13)
    assert other.residual_ra == pytest.approx(one.residual_ra[order], abs=1e-6)


def test_outliers_are_set_aside_and_good_detections_come_back(made):
    arcs, states = made
    few = arcs.take(np.arange(40))
    ra, wrong = few.ra.copy(), np.arange(40) * 16 + 5
    ra[wrong] += 30 / 3_600
    found = fit(replace(few, ra=ra), *seeds_of(states[:40]))
    good = found.status == Status.OK
    assert good.sum() >= 39  # a detection off by 300 sigma may lead a fit astray, and then it says so
    assert not found.used[wrong[good]].any()
    assert found.used[np.repeat(good, 16)].sum() > 15 * good.sum() - 8
    assert found.state[good] == pytest.approx(states[:40][good], abs=2e-3)


def test_a_mixture_of_two_objects_is_no_orbit(made):
    arcs, states = made
    one = arcs.take(np.array([0]))
    mixed = replace(one, ra=np.where(np.arange(16) % 2, one.ra + 0.3, one.ra))
    assert fit(mixed, states[:1], np.array([EPOCH])).status[0] in (Status.OUTLIERS, Status.DIVERGED)


def test_sigmas_weigh(made):
    arcs, states = made
    few = arcs.take(np.arange(2))
    wide = replace(few, sigma_ra=few.sigma_ra * 3, sigma_dec=few.sigma_dec * 3)
    one, other = (fit(each, states[:2], np.full(2, EPOCH), FitConfig(reject_chi2=0.0)) for each in (few, wide))
    assert other.chi2 == pytest.approx(one.chi2 / 9, rel=1e-3)
    assert other.covariance == pytest.approx(9 * one.covariance, rel=1e-2, abs=1e-20)


BAD = {
    "nan ra": ("ra", np.nan),
    "nan time": ("mjd_tdb", np.nan),
    "time of long ago": ("mjd_tdb", 100.0),
    "no sigma": ("sigma_ra", 0.0),
    "endless sigma": ("sigma_dec", np.inf),
    "declination": ("dec", 95.0),
    "observer": ("observer", np.nan),
}


@pytest.mark.parametrize("word", BAD)
def test_bad_input_ends_in_a_status_and_harms_no_neighbour(made, word):
    arcs, states = made
    name, value = BAD[word]
    three = arcs.take(np.arange(3))
    column = getattr(three, name).copy()
    column[20] = value
    found = fit(replace(three, **{name: column}), states[:3], np.full(3, EPOCH))
    assert found.status.tolist() == [Status.OK, Status.BAD_INPUT, Status.OK]
    assert np.isnan(found.state[1]).all()


def test_shapes_that_do_not_belong_together_are_said(made):
    arcs, states = made
    with pytest.raises(ValueError, match="150 arcs need seeds"):
        fit(arcs, states[:3], np.full(3, EPOCH))
    with pytest.raises(ValueError, match="must rise from 0"):
        fit(replace(arcs, first=arcs.first + 1), states, np.full(150, EPOCH))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6), st.floats(-1e3, 1e3))
@settings(max_examples=60, deadline=None)
def test_no_seed_raises_or_hangs(made, seed, days):
    one = made[0].take(np.array([0]))
    found = fit(one, np.array([seed]), np.array([EPOCH + days]))
    assert found.status[0] in list(Status)
    assert (found.status[0] != Status.OK) or found.rms_arcsec[0] < 0.3


def test_too_few_detections_are_said(made):
    arcs, states = made
    short = Arcs(np.array([0, 3, 3]), *(getattr(arcs, name)[:3] for name in orbit_fit._FLAT))
    assert (fit(short, states[:2], np.full(2, EPOCH)).status == Status.TOO_FEW).all()
    assert (orbit_start.determine(short).status == Status.TOO_FEW).all()


def test_an_hour_does_not_make_an_orbit():
    states = main_belt(20, np.random.default_rng(9))
    arcs = observed_arcs(states, 4, 2, 0.2, np.random.default_rng(10))
    first_night = np.tile([True, True, False, False], 20)
    doubled = Arcs(np.arange(0, 81, 4), *(np.repeat(getattr(arcs, n)[first_night], 2, axis=0) for n in orbit_fit._FLAT))
    assert (fit(doubled, states, np.full(20, EPOCH)).status != Status.OK).all()


def test_belief_refuses_what_cannot_be():
    sharp = np.broadcast_to(np.diag([1e-16] * 3 + [1e-20] * 3), (5, 6, 6)).copy()
    sharp[4] *= 1e15
    circular = np.sqrt(GM_SUN / 2)
    speeds = [circular, 1e-5, 0.2, 1.6 * circular, circular]
    states = np.array([[2.0, 0, 0, 0, speed, 0] for speed in speeds])
    judged = judge(np.zeros(5, np.int8), states, sharp, Belief())
    expected = [
        Status.OK,
        Status.UNPHYSICAL,
        Status.UNPHYSICAL,
        Status.OK,
        Status.UNCONSTRAINED,
    ]  # 4th: a sure hyperbola
    assert judged.tolist() == expected


def test_every_status_has_a_sentence():
    assert all(orbit_fit.STATUS[status].endswith(".") for status in Status)


def test_a_supposed_energy_holds_a_distant_orbit_together():
    state = state_of(40.0, 0.05, 20.0, 0.0)
    arcs = observed_arcs(state, 15, 3, 0.3, np.random.default_rng(11))
    free, held = (fit(arcs, state, np.array([EPOCH]), config) for config in (orbit_fit.DEFAULT, orbit_fit.DISTANT))
    assert free.status[0] == Status.UNCONSTRAINED
    assert held.status[0] == Status.OK
    assert held.state[0, :3] == pytest.approx(state[0, :3], rel=0.1, abs=3.0)


def test_an_interstellar_object_is_fitted_from_nothing():
    state = state_of(1.4, 6.1, 175.0, -120.0)
    arcs = observed_arcs(state, 30, 10, 0.1, np.random.default_rng(12))
    found = orbit_start.determine(arcs)
    assert found.status[0] == Status.OK
    speed = np.linalg.norm(found.state[0, 3:])
    assert speed > 1.5 * np.sqrt(2 * GM_SUN / np.linalg.norm(found.state[0, :3]))


def test_orbits_start_from_detections_alone():
    rng = np.random.default_rng(13)
    states = main_belt(12, rng)
    found = orbit_start.determine(observed_arcs(states, 60, 9, 0.1, rng))
    assert (found.status == Status.OK).sum() >= 11
    good = found.status == Status.OK
    truth = propagation.propagate_nbody(states[good], EPOCH, found.epoch_mjd_tdb[good])
    assert np.abs(found.state[good, :3] - truth[:, :3]).max() < 5e-3


def test_steps_are_bounded():
    assert nbody.most_steps(np.inf) < 1_000_000
    assert nbody.most_steps(0.0) == nbody.STEPS


def test_the_model_is_that_of_assist():
    pytest.importorskip("assist", reason="assist is not installed: pip install assist")
    report = bench.assist_difference(2)
    assert report["max_model_difference_mas_vs_assist"] < 0.1
    assert pytest.approx(np.radians(1 / 3_600)) == ARCSEC


def test_warming_up_leaves_nothing_to_compile():
    orbit_fit.warm_up()
    propagation.warm_up()
    kepler.warm_up()
    ephemeris.warm_up()
    compiled = len(orbit_solver.fit_all.signatures)
    states = main_belt(2, np.random.default_rng(14))
    fit(observed_arcs(states, 15, 3, 0.1, np.random.default_rng(15)), states, np.full(2, EPOCH))
    assert len(orbit_solver.fit_all.signatures) == compiled


def test_an_orbit_without_seeds_of_one_instant_is_no_orbit():
    states = main_belt(1, np.random.default_rng(16))
    arcs = observed_arcs(states, 10, 3, 0.1, np.random.default_rng(17))
    at_once = replace(arcs, mjd_tdb=np.full(6, EPOCH))
    assert orbit_start.determine(at_once).status[0] != Status.OK
