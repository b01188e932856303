"""SSSource against JPL Horizons, astropy's frames, finite differences and the corners of the sky."""

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import apparent, kepler, known, observers, time_scales
from mops.science.apparent import direction, offsets_arcsec, place_of, see, ss_source
from mops.science.constants import C_AU_PER_DAY
from mops.science.detections import Detections
from tests.mops import horizons_places
from tests.real_data import needs_real_data

# SSSource of the APDB schema 10.0.0, without ssObjectId and designation.
COLUMNS = [
    *("diaSourceId", "eclLambda", "eclBeta", "galLon", "galLat", "elongation", "phaseAngle"),
    *("topoRange", "topoRangeRate", "helioRange", "helioRangeRate"),
    *("ephRa", "ephDec", "ephVmag", "ephRate", "ephRateRa", "ephRateDec"),
    *("ephOffset", "ephOffsetRa", "ephOffsetDec", "ephOffsetAlongTrack", "ephOffsetCrossTrack"),
    *("helio_x", "helio_y", "helio_z", "helio_vx", "helio_vy", "helio_vz", "helio_vtot"),
    *("topo_x", "topo_y", "topo_z", "topo_vx", "topo_vy", "topo_vz", "topo_vtot", "diaDistanceRank"),
]
MJD = 60_400.0


def detected(ra: np.ndarray, dec: np.ndarray, mjd_tai: np.ndarray, observer: np.ndarray) -> Detections:
    count, nothing = len(ra), np.zeros(len(ra))
    return Detections(
        id=np.arange(count), mjd_tai=mjd_tai, ra=ra, dec=dec, sigma_ra=nothing + 0.05, sigma_dec=nothing + 0.05,
        mag=nothing + 21, band=np.zeros(count, np.int8), night=np.zeros(count, np.int32),
        visit=np.zeros(count, np.int64), observer=observer,
    )  # fmt: skip


def random_states(seed: int, count: int = 20) -> np.ndarray:
    """Bound and unbound, 0.5 to 40 au from the Sun, none near the Earth."""
    random = np.random.default_rng(seed)
    place = random.normal(0, 1, (count, 3))
    place *= (random.uniform(1.5, 40, count) / np.linalg.norm(place, axis=1))[:, None]
    motion = random.normal(0, 1, (count, 3)) * (0.012 / np.sqrt(np.linalg.norm(place, axis=1)))[:, None]
    return np.concatenate([place, motion], axis=1)


def sourced(states: np.ndarray, ra=None, dec=None, mjd: float = MJD) -> dict[str, np.ndarray]:
    count, times = len(states), np.full(len(states), mjd)
    observer, velocity = observers.heliocentric("X05", times)
    sight = see(states, times, observer, velocity)
    there = place_of(sight.line)
    detections = detected(there[0] if ra is None else ra, there[1] if dec is None else dec, times, observer)
    return ss_source(detections, states, velocity, np.full(count, 18.0), np.full(count, 0.15))


def test_every_column_of_sssource_is_there_and_finite():
    source = sourced(random_states(1))
    assert sorted(source) == sorted(COLUMNS)
    assert all(np.isfinite(column).all() and column.shape == (20,) for column in source.values())


@needs_real_data
def test_the_geometry_is_jpl_horizons():
    """1,260 places of 14 objects, up to 956 days from their orbits' epochs; Horizons' angles are apparent, 20″ off."""
    names, origin, epochs = horizons_places.orbits()
    detections, whose = horizons_places.places(names)
    tdb = time_scales.tdb_from_tai(detections.mjd_tai)
    carried = [
        known.carried(origin[body, None], epochs[body], None, time)[0] for body, time in zip(whose, tdb, strict=True)
    ]
    states = np.concatenate(carried)
    rows = horizons_places.rows()

    def column(name):
        return np.array([float(row[name]) if row[name] else np.nan for row in rows])

    codes = np.array([row["observatory_code"] for row in rows])
    _, velocity = observers.heliocentric(codes, detections.mjd_tai)
    source = ss_source(detections, states, velocity, column("H"), column("G"))
    assert np.median(source["ephOffset"]) < 0.001
    assert source["ephOffset"].max() < 0.01
    for ours, theirs, tolerance in (
        ("elongation", "elong", 0.015), ("phaseAngle", "alpha", 0.015), ("topoRange", "delta", 1e-6),
        ("helioRange", "r", 2e-6), ("topoRangeRate", "delta_rate", 1e-3), ("helioRangeRate", "r_rate", 1e-3),
        ("helio_vtot", "vel_sun", 1e-3), ("topo_vtot", "vel_obs", 1e-3), ("galLon", "GlxLon", 0.02),
    ):  # fmt: skip
        assert source[ours] == pytest.approx(column(theirs), abs=tolerance), ours
    rate_arcsec_h = np.hypot(column("RA_rate"), column("DEC_rate"))  # its parts are along axes of date
    assert source["ephRate"] * 3_600 / 24 == pytest.approx(rate_arcsec_h, abs=0.05)
    asteroid = np.isfinite(column("V")) & np.isfinite(column("G")) & (column("alpha") < 100)
    assert asteroid.sum() > 100
    # Horizons leaves out the opposition term of Bowell et al.: up to 0.035 mag below 10°
    assert source["ephVmag"][asteroid] == pytest.approx(column("V")[asteroid], abs=0.04)


@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
@settings(max_examples=40, deadline=None)
def test_ecliptic_and_galactic_coordinates_are_astropys(ra, dec):
    ours = apparent._coordinates(np.array([ra]), np.array([dec]))
    place = SkyCoord(ra, dec, unit="deg")
    theirs = place.transform_to(BarycentricMeanEcliptic(equinox="J2000"))
    ecliptic = SkyCoord(ours["eclLambda"], ours["eclBeta"], unit="deg")
    assert ecliptic.separation(SkyCoord(theirs.lon, theirs.lat)).to_value(units.arcsec) < 0.1  # the frame bias
    galactic = SkyCoord(ours["galLon"], ours["galLat"], unit="deg", frame="galactic")
    assert galactic.separation(place.galactic).to_value(units.arcsec) < 0.1


def test_rates_are_the_change_of_place():
    states, step = random_states(2), 1e-3
    before, after = (sourced(kepler.propagate(states, sign * step), mjd=MJD + sign * step) for sign in (-1, 1))
    now = sourced(states)
    for rate, change in zip(
        (now["ephRateRa"], now["ephRateDec"]),
        offsets_arcsec(after["ephRa"], after["ephDec"], direction(before["ephRa"], before["ephDec"])),
        strict=True,
    ):
        assert rate == pytest.approx(change / 3_600 / (2 * step), abs=2e-6)


def test_light_left_when_it_says_it_did():
    states, times = random_states(3), np.full(20, MJD)
    observer, velocity = observers.heliocentric("X05", times)
    sight = see(states, times, observer, velocity)
    delay = np.linalg.norm(sight.line, axis=1) / C_AU_PER_DAY
    assert sight.place == pytest.approx(kepler.propagate(states, -delay)[:, :3], abs=1e-12)
    sun_moved = sight.place - observer - sight.line
    assert np.linalg.norm(sun_moved, axis=1) == pytest.approx(delay * 7.5e-6, rel=0.5)  # 13 m/s about the barycentre


@given(st.integers(0, 2**32 - 1), st.floats(-5, 5), st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_an_offset_is_found_again_and_its_track_parts_keep_its_length(seed, east, north):
    states = random_states(seed, 4)
    there = sourced(states)
    towards = direction(there["ephRa"], there["ephDec"])
    ahead, east_axis, north_axis = apparent.axes_at(towards)
    moved = ahead + np.radians(east / 3600) * east_axis + np.radians(north / 3600) * north_axis
    off = sourced(states, *place_of(moved))
    assert off["ephOffsetRa"] == pytest.approx(np.full(4, east), abs=1e-5)
    assert off["ephOffsetDec"] == pytest.approx(np.full(4, north), abs=1e-5)
    assert np.hypot(off["ephOffsetAlongTrack"], off["ephOffsetCrossTrack"]) == pytest.approx(off["ephOffset"])


def test_what_is_late_is_behind_on_its_track_and_on_no_side_of_it():
    """Seen from the Sun, where no parallax mixes in."""
    states, times, still = random_states(4), np.full(20, MJD), np.zeros((20, 3))
    late = place_of(see(kepler.propagate(states, -0.001), times, still, still).line)
    off = apparent._expected(detected(*late, mjd_tai=times, observer=still), see(states, times, still, still))
    assert off["ephOffsetAlongTrack"] == pytest.approx(-off["ephRate"] * 0.001 * 3_600, rel=1e-3)
    assert off["ephOffsetCrossTrack"] == pytest.approx(np.zeros(20), abs=1e-3)


def test_a_body_that_moves_north_is_led_by_what_is_north_and_flanked_by_what_is_west():
    times = np.array([MJD])
    observer = np.zeros((1, 3))
    states = np.array([[10.0, 0, 0, 0, 0, 0.005]])
    detections = detected(np.array([359.9997]), np.array([0.0005]), times, observer)
    sight = see(states, times, observer, np.zeros((1, 3)))
    expected = apparent._expected(detections, sight)
    assert expected["ephOffsetAlongTrack"] == pytest.approx(expected["ephOffsetDec"])
    assert expected["ephOffsetCrossTrack"] == pytest.approx(-expected["ephOffsetRa"])
    assert expected["ephOffsetRa"] < 0


@pytest.mark.parametrize("dec", [90.0, -90.0, 89.999_99])
def test_at_a_pole_offsets_are_angles_still(dec):
    line = direction(np.array([10.0]), np.array([dec]))
    east, north = offsets_arcsec(np.array([190.0]), np.array([dec - np.sign(dec) / 3600]), line)
    assert np.hypot(east, north) == pytest.approx([3600 * (90 - abs(dec)) + 1 + 3600 * (90 - abs(dec))], abs=1e-4)


def test_across_ra_0_an_offset_is_short():
    line = direction(np.array([359.9999]), np.array([60.0]))
    east, north = offsets_arcsec(np.array([0.0001]), np.array([60.0]), line)
    assert (east[0], north[0]) == (pytest.approx(0.36, rel=1e-6), pytest.approx(0, abs=1e-5))
    assert (place_of(np.array([[1.0, -1e-20, 0.0]]))[0] < 360).all()


def test_a_state_that_is_none_spoils_no_other_row():
    states = random_states(5)
    clean = sourced(states)
    states[3] = np.nan
    observer, velocity = observers.heliocentric("X05", np.full(20, MJD))
    detections = detected(clean["ephRa"], clean["ephDec"], np.full(20, MJD), observer)
    source = ss_source(detections, states, velocity, np.full(20, np.nan), np.full(20, np.nan))
    assert np.isnan(source["ephRa"]).nonzero()[0].tolist() == [3]
    assert np.isfinite(source["galLon"]).all()
    assert np.isnan(source["ephVmag"]).all()


def test_no_detections_give_columns_without_rows():
    nothing = detected(np.empty(0), np.empty(0), np.empty(0), np.empty((0, 3)))
    source = ss_source(nothing, np.empty((0, 6)), np.empty((0, 3)), np.empty(0), np.empty(0))
    assert sorted(source) == sorted(COLUMNS)
    assert all(len(column) == 0 for column in source.values())
