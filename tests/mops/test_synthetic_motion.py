"""Objects among the planets, against a plain integration by SciPy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from mops.science import ephemeris
from mops.science.constants import GM_SUN
from mops.science.perturbers import GM, NAMES
from mops.synthetic.detections import simulate
from mops.synthetic.motion import two_body, with_planets
from mops.synthetic.opposition import gathered
from mops.synthetic.population import make_population
from mops.synthetic.sky import unit_vectors
from mops.synthetic.survey import small_survey
from mops.synthetic.zones import EQUAL_SHARES

SURVEY = small_survey(20240424, nights=3)
SKY = gathered(make_population(200, 4, EQUAL_SHARES, fainter=-3.0), float(SURVEY.mjd_tai.mean()), 5.0, seed=1)
EPOCH = SKY.epoch_mjd_tdb


def newton(state: np.ndarray, days: float) -> np.ndarray:
    """One state after `days` under the Sun and the planets by Newton's law, with the Sun's own fall."""

    def rates(since: float, y: np.ndarray) -> np.ndarray:
        now = np.array([EPOCH + since])
        pull = -GM_SUN * y[:3] / np.linalg.norm(y[:3]) ** 3
        for name, mass in zip(NAMES, GM, strict=True):
            planet = ephemeris.body(name, now)[0][0]
            away = y[:3] - planet
            pull = pull - mass * (away / np.linalg.norm(away) ** 3 + planet / np.linalg.norm(planet) ** 3)
        return np.concatenate([y[3:], pull])

    moved: np.ndarray = solve_ivp(rates, (0.0, days), state, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
    return moved


@pytest.mark.parametrize("days", [-6.0, 9.0])
def test_states_are_those_of_newtons_planets_but_for_relativity(days):
    items = np.arange(0, len(SKY), 20)
    pairs = np.stack([np.zeros(len(items), dtype=np.int64), items], axis=1)
    state, epoch = with_planets(SKY, pairs, np.array([EPOCH + days]))
    plain = np.array([newton(SKY.state[item], days) for item in items])
    assert (epoch == EPOCH + days).all()
    assert np.abs(state[:, :3] - plain[:, :3]).max() < 3e-8  # au; relativity's share, 1e-8 of the Sun's pull
    outside = np.linalg.norm(plain[:, :3], axis=1) > 2
    assert np.abs(state[outside, :3] - plain[outside, :3]).max() < 1e-9


def test_visits_of_one_object_follow_each_other_in_any_order():
    tdb = EPOCH + np.array([-3.0, 0.0, 0.02, 5.0])
    pairs = np.array([[visit, item] for visit in range(4) for item in (3, 150)])
    together, _ = with_planets(SKY, pairs, tdb)
    for k, pair in enumerate(pairs):
        alone, _ = with_planets(SKY, pair[None, :], tdb)
        np.testing.assert_allclose(together[k], alone[0], atol=1e-12)
    np.testing.assert_allclose(together[2:4], SKY.state[[3, 150]], atol=1e-15)


def test_without_planets_the_states_are_the_populations_own():
    state, epoch = two_body(SKY, np.array([[5, 7], [0, 3]]))
    np.testing.assert_array_equal(state, SKY.state[[7, 3]])
    assert epoch.tolist() == [EPOCH, EPOCH]


def test_planets_move_asteroids_by_milliarcseconds_in_five_days():
    """Real objects drift by 15 mas (median) in 7.5 days, faint near-Earth objects far more than the main belt's."""
    sky = gathered(make_population(300, 4, fainter=-3.0), float(SURVEY.mjd_tai.mean()), 5.0, seed=1)
    first = SURVEY.take(SURVEY.night == SURVEY.night[0])
    alone, whose = simulate(sky, first, seed=1, astrometric_noise=0.0)
    among, whose_too = simulate(sky, first, seed=1, astrometric_noise=0.0, planets=True)
    np.testing.assert_array_equal(whose, whose_too)
    off = np.linalg.norm(unit_vectors(alone.ra, alone.dec) - unit_vectors(among.ra, among.dec), axis=1)
    drift_mas = np.degrees(off) * 3.6e6
    assert len(drift_mas) > 50
    assert 1 < np.median(drift_mas) < 15
    assert drift_mas.max() < 500
