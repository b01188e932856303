"""What DayMOPS' figures compute before they draw: paths, orbits, correlations, limits, and axes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.plots.correlation import correlation_figure, correlation_of
from mops.plots.coverage import coverage_figure
from mops.plots.in_time import light_curve, outlier_arcsec, residual_figure
from mops.plots.path import path
from mops.plots.population import Place, population_figure
from mops.plots.sky import computed, extent_arcmin, near, sky_figure
from mops.plots.solar_system import orbit_figure, orbit_points, place_at, to_ecliptic
from mops.plots.tonight import tonight_figure
from mops.science.constants import C_AU_PER_DAY
from mops.science.elements import elements_from_states
from mops.science.ephemeris import body, earth
from mops.science.time_scales import tdb_from_tai
from mops.views.level1 import magnitude
from mops.views.observations import Observation, known
from mops.views.words import instant_of_mjd_tai, percent, plural, said

MJD = 61_367.1
STATE = [2.2, 1.1, 0.3, -0.0045, 0.0085, 0.0031]


def observation(number: int, ra: float | None, dec: float | None = 10.0, **fields: object) -> Observation:
    given_fields = {"residual_ra": 0.1, "residual_dec": -0.2, "used": True, "mjd_tai": MJD + number, **fields}
    return Observation(number, number, ra=ra, dec=dec, **given_fields)  # type: ignore[arg-type]


class TestThePath:
    def test_is_the_direction_from_the_earth_less_light_time(self):
        """An oracle in a few lines: geocentric, straight motion over the light time."""
        ra, dec = path(STATE, MJD, np.array([MJD]))
        observer, _ = earth(tdb_from_tai(np.array([MJD])))
        line = np.array(STATE[:3]) - observer[0]
        line -= np.array(STATE[3:]) * np.linalg.norm(line) / C_AU_PER_DAY
        expected = math.degrees(math.atan2(line[1], line[0])) % 360
        assert ra[0] == pytest.approx(expected, abs=0.003)  # the site is at most 6″ from the Earth's centre
        assert dec[0] == pytest.approx(math.degrees(math.asin(line[2] / np.linalg.norm(line))), abs=0.003)

    def test_moves_on_with_time(self):
        ra, dec = path(STATE, MJD, MJD + np.arange(5.0))
        assert np.all(np.hypot(np.diff(ra), np.diff(dec)) > 0.001)


class TestTheSky:
    @given(st.floats(0, 360, exclude_max=True), st.floats(0, 360, exclude_max=True))
    def test_a_right_ascension_is_drawn_within_half_a_turn_of_the_first(self, ra, reference):
        drawn = near(ra, reference)
        assert abs(drawn - reference) <= 180 + 1e-9
        assert (drawn - ra) % 360 == pytest.approx(0, abs=1e-9) or (drawn - ra) % 360 == pytest.approx(360, abs=1e-9)

    def test_an_object_that_crosses_0_is_drawn_without_a_jump(self):
        seen = [observation(1, 359.9), observation(2, 0.1)]
        drawn = [x for trace in sky_figure(seen).data[1:] for x in trace.x]
        assert max(drawn) - min(drawn) == pytest.approx(0.2)

    def test_computed_places_are_observed_ones_less_their_residuals_on_the_sky(self):
        ra, dec = computed([observation(1, 100.0, 60.0, residual_ra=1.8, residual_dec=3.6)])
        assert ra[0] == pytest.approx(100 - 0.001)  # 1.8″ on the sky are 3.6″ of right ascension at 60°
        assert dec[0] == pytest.approx(60 - 0.001)

    @pytest.mark.parametrize(("ra", "dec", "arcmin"), [(10, 0, 600), (0, 10, 600), (0, 0, 0)])
    def test_the_extent_is_the_great_circle(self, ra, dec, arcmin):
        assert extent_arcmin([observation(1, 0.0, 0.0), observation(2, ra, dec)]) == pytest.approx(arcmin)

    def test_of_one_observation_or_none_there_is_no_extent(self):
        assert extent_arcmin([]) == extent_arcmin([observation(1, 3.0)]) == 0
        assert not sky_figure([]).data

    def test_those_without_a_place_are_left_out_and_the_others_put_in_their_order(self):
        rows = [observation(3, 1.0), observation(1, None), observation(2, 2.0)]
        assert [each.number for each in known(rows)] == [2, 3]

    def test_predictions_on_both_sides_of_0_stay_together(self):
        rows = [{"ra": 359.5, "dec": 0.0}, {"ra": 0.5, "dec": 0.0, "confirms": True}, {"dec": 1.0}]
        figure = tonight_figure(rows, lambda row: "one", lambda row: "/")
        drawn = [x for trace in figure.data for x in trace.x if x is not None]
        assert sorted(drawn) == [359.5, 360.5]


class TestTheOrbit:
    @given(st.floats(0, 0.95), st.floats(0.2, 40), st.floats(0, 180), st.floats(0, 360), st.floats(0, 360))
    def test_an_ellipse_reaches_from_q_to_its_aphelion_and_closes(self, e, q, incl, node, argperi):
        points = orbit_points(e, q, incl, node, argperi)
        radius = np.linalg.norm(points, axis=1)
        assert radius.min() == pytest.approx(q, rel=1e-9)
        assert radius.max() == pytest.approx(q * (1 + e) / (1 - e), rel=1e-3)
        assert points[0] == pytest.approx(points[-1], abs=1e-9 * radius.max())

    @given(st.floats(1.0, 5.0))
    def test_an_unbound_orbit_is_drawn_as_far_as_six_perihelion_distances(self, e):
        radius = np.linalg.norm(orbit_points(e, 0.5, 10, 20, 30), axis=1)
        assert radius.min() == pytest.approx(0.5, rel=1e-6)
        assert radius.max() == pytest.approx(3.0, rel=1e-6)

    def test_the_objects_place_lies_on_its_orbit(self):
        found = elements_from_states(np.array([STATE]), MJD)
        points = orbit_points(*(float(each[0]) for each in (found.e, found.q, found.i, found.node, found.argperi)))
        for later in (0.0, 200.0, 900.0):
            place = place_at(STATE, MJD, MJD + later)
            assert np.linalg.norm(points - place, axis=1).min() < 0.03  # between two drawn points

    @pytest.mark.parametrize(("q", "e"), [(0.0, 0.1), (math.nan, 0.1), (-1.0, 0.5)])
    def test_what_is_no_orbit_is_refused_in_a_sentence(self, q, e):
        with pytest.raises(ValueError, match="is no orbit that could be drawn"):
            orbit_points(e, q, 0, 0, 0)

    def test_the_earth_goes_round_in_the_ecliptic(self):
        place = to_ecliptic(earth(MJD + np.arange(0, 365, 30.0))[0])
        assert np.abs(place[:, 2]).max() < 1e-4

    def test_planets_beyond_the_object_are_left_out(self):
        names = {trace.name for trace in orbit_figure(orbit_points(0.1, 2.3, 5, 0, 0), None, MJD, "top").data}
        assert {"Earth", "Mars", "Sun", "orbit"} <= names
        assert not names & {"Jupiter", "Neptune", "the object"}
        far = {trace.name for trace in orbit_figure(orbit_points(0.1, 39, 5, 0, 0), None, MJD, "edge").data}
        assert "Neptune" in far

    def test_a_planet_is_drawn_where_the_ephemeris_has_it(self):
        figure = orbit_figure(orbit_points(0.1, 2.3, 5, 0, 0), np.array([1.0, 2.0, 3.0]), MJD, "edge")
        mars = next(trace for trace in figure.data if trace.name == "Mars")
        expected = to_ecliptic(body("mars", MJD)[0])[0]
        assert (mars.x[0], mars.y[0]) == (pytest.approx(expected[0]), pytest.approx(expected[2]))
        assert next(trace for trace in figure.data if trace.name == "the object").y == (3.0,)


class TestTheCorrelation:
    @given(st.lists(st.floats(1e-9, 1e3), min_size=6, max_size=6))
    def test_has_ones_on_its_diagonal_and_the_roots_of_variances_as_sigmas(self, sigmas):
        rho = 0.5 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
        found, matrix = correlation_of((np.outer(sigmas, sigmas) * rho).ravel().tolist())
        assert found == pytest.approx(sigmas)
        assert matrix == pytest.approx(rho)

    @pytest.mark.parametrize("wrong", [[], [1.0] * 35, [0.0] * 36, [math.nan] * 36])
    def test_of_what_is_no_covariance_is_refused_in_a_sentence(self, wrong):
        with pytest.raises(ValueError, match=r"covariance|variance"):
            correlation_figure(wrong)


class TestOverTime:
    def test_outliers_lie_beyond_the_root_of_chi_square_times_the_median_sigma(self):
        rows = [observation(k, 1.0, sigma_ra=0.1, sigma_dec=0.2) for k in range(3)]
        assert outlier_arcsec(rows, 14.0) == pytest.approx(math.sqrt(14) * 0.15)
        assert outlier_arcsec([observation(1, 1.0)], 14.0) is None

    def test_the_limit_of_a_report_is_drawn_only_where_residuals_come_near_it(self):
        near_it, far = [observation(1, 1.0, residual_ra=0.4)], [observation(1, 1.0, residual_ra=0.01, residual_dec=0)]
        assert len(residual_figure(near_it, 0.5).layout.shapes) == 3
        assert len(residual_figure(far, 0.5).layout.shapes) == 1
        assert len(residual_figure(far, 0.5, 0.3).layout.shapes) == 3

    def test_what_the_fit_left_out_is_open(self):
        figure = residual_figure([observation(1, 1.0), observation(2, 1.0, used=False)], None)
        assert list(figure.data[0].marker.symbol) == ["circle", "circle-open"]

    def test_a_band_without_magnitudes_is_not_in_the_light_curve(self):
        rows = [observation(1, 1.0, band="r", mag=20.0, mag_sigma=0.1), observation(2, 1.0, band="g")]
        assert [trace.name for trace in light_curve(rows).data] == ["r"]

    @pytest.mark.parametrize("flux", [None, 0.0, -5.0])
    def test_no_light_has_no_magnitude(self, flux):
        assert magnitude(flux, 1.0) == (None, None)

    def test_a_flux_of_1_njy_is_31_4_mag_and_ten_per_cent_are_a_tenth_of_one(self):
        mag, sigma = magnitude(1.0, 0.1)
        assert mag == 31.4
        assert sigma == pytest.approx(0.1086, abs=1e-4)


class TestAmongTheOthers:
    def test_unbound_orbits_have_no_place_on_a_logarithmic_axis(self):
        others = [Place(2.5, 0.1, 3.0, "/", "one"), Place(-1.2, 1.3, 40.0, "/", "comet")]
        points, curve = population_figure(others, Place(-5.0, 1.1, 3.0, "", "this"), "e").data
        assert list(points.x) == [2.5]
        assert curve.name == "q = 1.3 au"

    @given(st.lists(st.floats(0.5, 900), min_size=1, max_size=5))
    def test_the_axis_shows_all_of_them_and_a_factor_of_two_at_least(self, values):
        figure = population_figure([Place(a, 0.1, 3.0, "/", "x") for a in values], None, "i")
        low, high = figure.layout.xaxis.range
        assert low <= math.log10(min(values)) <= math.log10(max(values)) <= high
        assert high - low >= math.log10(2)

    def test_hypotheses_are_coloured_by_the_logarithm_of_one_more_than_their_number(self):
        rows = [{"zone": "neo", "r_au": 1.1, "rdot": 0.0, "accepted": 99}, {"zone": "neo", "r_au": 1.2, "rdot": 0.0}]
        assert list(coverage_figure(rows, "accepted").data[0].marker.color) == [2.0, 0.0]


class TestWords:
    @pytest.mark.parametrize(
        ("mjd", "utc"), [(61_367.5, "2026-11-23 11:59:23"), (57_754.0 + 36 / 86_400, "2016-12-31 23:59:60")]
    )
    def test_an_mjd_in_tai_is_told_in_utc(self, mjd, utc):
        found = instant_of_mjd_tai(mjd)
        wanted = utc.replace("23:59:60", "00:00:00").replace("2016-12-31", "2017-01-01")
        assert abs((found - found.fromisoformat(f"{wanted}+00:00")).total_seconds()) <= 1

    def test_numbers_are_said_as_people_say_them(self):
        assert (plural(1, "night"), plural(1200, "night"), plural(2, "hypothesis", "hypotheses")) == (
            "1 night", "1,200 nights", "2 hypotheses",
        )  # fmt: skip
        assert (said(None), said(math.nan), said(0.12345, 2, "″")) == ("not known", "not known", "0.12 ″")
        assert (percent(0.5), percent(True), percent("x"), percent(None)) == (50, None, None, None)
