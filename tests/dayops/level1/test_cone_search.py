"""Sources near a place: against brute force, at the poles, across 0h, for many places, and by the index."""

import numpy as np
import pytest
from django.db import connection
from psycopg import sql

from dayops.level1 import session
from dayops.level1.columns import Columns
from dayops.level1.cone_search import dia_sources_near, query
from dayops.level1.instants import snapshot
from dayops.level1.loading import load_columns
from dayops.level1.models import DiaSource
from dayops.level1.sky import separation_deg
from tests.dayops.level1.tables import MJD, NIGHT, sources

pytestmark = pytest.mark.django_db


def around(ra: float, dec: float, spread_deg: float, number: int = 400, first_id: int = 1) -> Columns:
    """Sources scattered within a few `spread_deg` of a place, also over a pole or 0h."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    rng = np.random.default_rng(first_id)
    there = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by(
        rng.uniform(0, 360, number) * u.deg, rng.uniform(0, 3 * spread_deg, number) * u.deg
    )
    return sources(number, first_id=first_id, ra=there.ra.deg % 360, dec=there.dec.deg)


def brute(table: Columns, ra: float, dec: float, radius_deg: float) -> list[int]:
    size = len(table["ra"])
    apart = separation_deg(table["ra"], table["dec"], np.full(size, ra), np.full(size, dec))
    return sorted(table["diaSourceId"][apart <= radius_deg].tolist())


@pytest.mark.parametrize(
    ("ra", "dec"), [(120.0, -30.0), (0.0, 0.0), (359.9999, 10.0), (45.0, 90.0), (200.0, -90.0), (10.0, 89.9999)]
)
@pytest.mark.parametrize("radius_deg", [1 / 3600, 0.05, 0.5, 5.0])
def test_a_cone_holds_what_brute_force_finds(ra, dec, radius_deg):
    table = around(ra, dec, radius_deg)
    load_columns(table)
    found = dia_sources_near(ra, dec, radius_deg, [NIGHT])
    assert sorted(found["diaSourceId"].tolist()) == brute(table, ra, dec, radius_deg)
    assert 50 < len(found["diaSourceId"]) < 350


def test_many_places_are_answered_at_once_each_with_its_own():
    table = sources(5_000)
    load_columns(table)
    ra, dec = table["ra"][:1_500], table["dec"][:1_500]
    found = dia_sources_near(ra, dec, 1.0, [NIGHT])
    assert found["place"].tolist() == sorted(found["place"].tolist())
    for place in (0, 999, 1_000, 1_499):
        mine = found["diaSourceId"][found["place"] == place]
        assert sorted(mine.tolist()) == brute(table, ra[place], dec[place], 1.0)
        assert mine[0] == table["diaSourceId"][place]  # itself, for the nearest is the first


def test_separations_are_in_arcseconds_and_the_columns_those_asked_for():
    load_columns(sources(1, ra=[10.0], dec=[0.0], band=["r"], psfFlux=[np.nan]))
    found = dia_sources_near(10.0, 0.5 / 3600, 1 / 3600, [NIGHT], columns=["psfFlux", "band"])
    assert list(found) == ["psfFlux", "band", "place", "separation_arcsec"]
    assert found["separation_arcsec"].tolist() == pytest.approx([0.5])
    assert (found["band"].tolist(), np.isnan(found["psfFlux"]).tolist()) == (["r"], [True])


def test_only_the_nights_that_are_named_are_searched():
    load_columns(sources(1, first_id=1, ra=[10.0], dec=[0.0]))
    load_columns(sources(1, first_id=2, ra=[10.0], dec=[0.0], midpointMjdTai=[MJD + 1]))
    near = [dia_sources_near(10, 0, 0.1, nights)["diaSourceId"].tolist() for nights in ([NIGHT], [NIGHT + 1], [1], [])]
    assert near == [[1], [2], [], []]
    assert sorted(dia_sources_near(10, 0, 0.1, [NIGHT, NIGHT + 1])["diaSourceId"].tolist()) == [1, 2]


def test_a_cone_as_of_an_instant_does_not_see_what_came_later():
    load_columns(sources(1, first_id=1, ra=[10.0], dec=[0.0]))
    before = snapshot()
    load_columns(sources(1, first_id=2, ra=[10.0], dec=[0.0]))
    assert dia_sources_near(10, 0, 0.1, [NIGHT], as_of_mjd_tai=before)["diaSourceId"].tolist() == [1]


def test_no_places_give_nothing():
    load_columns(sources(5))
    assert dia_sources_near(np.empty(0), np.empty(0), 1.0, [NIGHT])["diaSourceId"].tolist() == []


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "sentence"),
    [
        (np.nan, 0.0, 1.0, "A place has no right ascension"),
        (0.0, 91.0, 1.0, "declination outside −90 to 90"),
        (0.0, 0.0, 0.0, "not between 0 and 10°"),
        (0.0, 0.0, 11.0, "read whole nights instead"),
    ],
)
def test_what_is_no_cone_is_refused(ra, dec, radius, sentence):
    with pytest.raises(ValueError, match=sentence):
        dia_sources_near(ra, dec, radius, [NIGHT])


def test_a_cone_looks_only_into_the_index_of_its_night():
    load_columns(sources(20_000))
    load_columns(sources(20_000, first_id=50_000, midpointMjdTai=np.full(20_000, MJD + 1)))
    with connection.cursor() as cursor:
        cursor.execute('ANALYZE "DiaSource"')
    asked = query(DiaSource, np.array([10.0]), np.array([0.0]), 0.5, [NIGHT], ["ra", "dec"], None)
    plan = "\n".join(line for (line,) in session.rows(sql.SQL("EXPLAIN ") + asked))
    assert "healpix" in plan
    assert "Index Cond: ((healpix >= part.first) AND (healpix <= part.last))" in plan
    assert f"DiaSource_{NIGHT + 1}" not in plan
    assert "Seq Scan" not in plan
