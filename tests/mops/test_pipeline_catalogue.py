"""Rows of SSObject, SSSource and mpc_orbits: APDB's own columns, and what the linkage says."""

import numpy as np
import pytest
from django.db import transaction

from dayops.level1 import writing
from dayops.level1.instants import instant
from dayops.level1.models import MpcOrbit, SSObject, SSSource
from mops.pipeline import catalogue
from mops.pipeline.objects import name_of
from mops.pipeline.properties import properties_of
from mops.science.elements import elements_from_states
from mops.science.uncertainty import period_days
from tests.mops.linked import MJD, linked, opposite_the_sun, sources_of

FOUND = linked(3)
PROPERTIES = properties_of(FOUND)
WHICH = np.array([0, 2])
IDS = np.array([11, 13])
NAMES = np.array([name_of(11), name_of(13)])


def objects():
    return catalogue.ss_objects(FOUND, PROPERTIES, WHICH, IDS, NAMES)


def sources():
    return catalogue.ss_sources(FOUND, PROPERTIES, WHICH, IDS, NAMES)


def orbits():
    return catalogue.mpc_orbits(FOUND, PROPERTIES, WHICH, NAMES)


@pytest.mark.parametrize(("model", "columns"), [(SSObject, objects()), (SSSource, sources()), (MpcOrbit, orbits())])
def test_every_column_is_one_of_the_apdb_and_they_are_equally_long(model, columns):
    assert set(columns) <= {field.name for field in model._meta.concrete_fields}
    assert len({len(values) for values in columns.values()}) == 1


def test_an_object_tells_of_all_its_observations_and_their_arc():
    made = objects()
    assert made["ssObjectId"].tolist() == [11, 13]
    assert made["nObs"].tolist() == [8, 8]
    np.testing.assert_allclose(made["arc"], 3 + 1 / 48, rtol=1e-6)
    np.testing.assert_allclose(made["firstObservationMjdTai"], MJD)


def test_an_object_is_as_far_from_the_earths_orbit_as_its_linkage():
    np.testing.assert_array_equal(objects()["MOIDEarth"], PROPERTIES.moids.moid[WHICH])
    assert (objects()["MOIDEarth"] > 0.8).all()
    assert (objects()["tisserand_J"] > 3).all()


def test_each_bands_magnitudes_are_those_of_its_own_detections():
    made = objects()
    assert made["g_nObs"].tolist() == made["r_nObs"].tolist() == [4, 4]
    assert made["u_nObs"].tolist() == [0, 0]
    assert np.isnan(np.asarray(made["u_H"], float)).all()
    np.testing.assert_array_equal(np.asarray(made["r_H"], float), np.asarray(PROPERTIES.curves["r"].H[WHICH], float))


def test_a_source_is_there_for_each_detection_that_an_orbit_uses_and_no_other():
    made = sources()
    used = FOUND.detections.id[FOUND.members][FOUND.orbits.used & np.isin(FOUND.owner, WHICH)]
    assert made["diaSourceId"].tolist() == used.tolist()
    owner = dict(zip(made["diaSourceId"].tolist(), made["ssObjectId"].tolist(), strict=True))
    assert {owner[each] for each in sources_of(FOUND, 0) if each in owner} == {11}
    assert {owner[each] for each in sources_of(FOUND, 2) if each in owner} == {13}
    assert set(made["designation"]) == set(NAMES)


def test_residuals_of_sources_are_those_of_the_fit():
    made, used = sources(), FOUND.orbits.used & np.isin(FOUND.owner, WHICH)
    np.testing.assert_allclose(made["ephOffsetRa"], FOUND.orbits.residual_ra[used], atol=2e-3)
    np.testing.assert_allclose(made["ephOffsetDec"], FOUND.orbits.residual_dec[used], atol=2e-3)


def test_an_orbit_has_the_elements_of_its_state_and_its_errors():
    made = orbits()
    elements = elements_from_states(FOUND.orbits.state[WHICH], FOUND.orbits.epoch_mjd_tdb[WHICH])
    for name in ("a", "q", "e", "i", "node", "argperi", "mean_anomaly", "peri_time"):
        np.testing.assert_allclose(made[name], getattr(elements, name), rtol=1e-12)
        assert (np.asarray(made[f"{name}_unc"]) > 0).all()
    np.testing.assert_allclose(made["period"] * made["mean_motion"], 360)
    np.testing.assert_allclose(made["period"], period_days(elements.a))
    np.testing.assert_allclose(made["mean_motion_unc"] / made["mean_motion"], made["period_unc"] / made["period"])


def test_an_orbits_rms_is_given_in_units_of_the_errors_too():
    made = orbits()
    expected = FOUND.orbits.chi2[WHICH] / FOUND.orbits.degrees_of_freedom[WHICH]
    np.testing.assert_allclose(made["normalized_rms"] ** 2, expected)
    assert (expected < 4).all()
    np.testing.assert_array_equal(made["not_normalized_rms"], FOUND.orbits.rms_arcsec[WHICH])
    assert (made["nobs_total_sel"] <= made["nobs_total"]).all()


def test_of_nothing_there_is_nothing():
    none, no_names = np.empty(0, np.int64), np.empty(0, "<U7")
    for columns in (
        catalogue.ss_objects(FOUND, PROPERTIES, none, none, no_names),
        catalogue.ss_sources(FOUND, PROPERTIES, none, none, no_names),
        catalogue.mpc_orbits(FOUND, PROPERTIES, none, no_names),
    ):
        assert {len(values) for values in columns.values()} == {0}


@pytest.mark.django_db
def test_the_database_takes_the_rows_and_taking_them_twice_changes_nothing():
    for written in (len(WHICH), 0):
        with transaction.atomic():
            at = instant()
            assert writing.replace(SSObject, objects(), at) == written
            assert writing.replace(MpcOrbit, orbits(), at) == written
            assert (writing.replace(SSSource, sources(), at) > 0) == (written > 0)
    row = MpcOrbit.objects.current().get(designation=name_of(13))
    assert row.a == pytest.approx(PROPERTIES.elements.a[2])
    assert row.u_param == PROPERTIES.u[2] >= 0
    assert SSSource.objects.current().filter(ssObjectId=11).count() == FOUND.orbits.used[FOUND.of(0)].sum()


@pytest.fixture(scope="module")
def interstellar():
    """A body that comes from outside at 40 km/s, seen for long enough that nobody can doubt it."""
    state = opposite_the_sun(1)
    state[:, 3:] *= 2.2
    return linked(states=state, nights=10, sigma=0.02)


def test_a_hyperbola_is_believed_where_its_detections_leave_no_doubt(interstellar):
    assert interstellar.reason.tolist() == [""]
    assert properties_of(interstellar).elements.e[0] > 2


@pytest.mark.django_db
def test_an_interstellar_object_is_published_without_period_or_u(interstellar):
    properties, one, names = properties_of(interstellar), np.array([0]), np.array(["d000001"])
    made = catalogue.mpc_orbits(interstellar, properties, one, names)
    assert made["a"][0] < 0
    assert np.isnan(made["period"][0])
    with transaction.atomic():
        at = instant()
        writing.replace(SSObject, catalogue.ss_objects(interstellar, properties, one, one + 1, names), at)
        writing.replace(SSSource, catalogue.ss_sources(interstellar, properties, one, one + 1, names), at)
        writing.replace(MpcOrbit, made, at)
    row = MpcOrbit.objects.current().get()
    assert row.a < 0
    assert row.e > 1
    assert (row.period, row.period_unc, row.mean_motion, row.u_param) == (None, None, None, None)
    assert SSObject.objects.current().get().nObs == 20
