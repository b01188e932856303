"""Real observations of the Minor Planet Center: every row is read, and comes back through every format."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mops.mpc.ades_read import read_psv, read_xml
from mops.mpc.ades_validate import Purpose, validate
from mops.mpc.ades_write import ades_document, psv_bytes, xml_bytes
from mops.mpc.as_detections import as_detections
from mops.mpc.importing import Format, Imported, import_file
from mops.mpc.obs80 import read_obs80, write_obs80
from mops.mpc.observation import Observation, Reading
from tests.mops.mpc_observations import CONTEXT, same
from tests.real_data import needs_real_data, real_file

pytestmark = [pytest.mark.real_data, needs_real_data]

FILES = {
    "3I_ATLAS_ades.csv": (48, 1),
    "4_random_mpc_ADES_provIDs_no_sats.csv": (1438, 6),
    "50_objects_mpc_ades.csv": (29680, 50),
}
SPACECRAFT = ("C51", "C57")
MS = 1 / 86_400_000
ARCSEC = 1 / 3600


@cache
def imported(path: Path) -> Imported:
    return import_file(path)


def observations_of(name: str) -> tuple[Observation, ...]:
    return imported(real_file("moving_objects", "mpc_observations", name)).reading.observations


@cache
def through_80_columns(name: str) -> Reading:
    return read_obs80(write_obs80(observations_of(name)))


def by_key(rows: tuple[Observation, ...] | list[Observation]) -> list[Observation]:
    """Ordered as the writer orders them, to the millisecond."""
    return sorted(rows, key=lambda row: (row.name.name, round(row.mjd_utc / MS), row.station, row.ra, row.dec))


@pytest.mark.parametrize(("name", "rows", "objects"), [(name, *counts) for name, counts in FILES.items()])
def test_every_row_is_read(name, rows, objects):
    found = imported(real_file("moving_objects", "mpc_observations", name))
    assert found.format is Format.CSV
    assert found.reading.refused == ()
    assert (len(found.reading.observations), len(found.objects)) == (rows, objects)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("form", ["psv", "xml"])
def test_every_row_comes_back_through_ades(name, form):
    rows = observations_of(name)
    document = ades_document(rows, CONTEXT)
    reading = read_psv(psv_bytes(document).decode()) if form == "psv" else read_xml(xml_bytes(document))
    assert reading.refused == ()
    for back, row in zip(by_key(reading.observations), by_key(rows), strict=True):
        assert (back.name, back.station, back.ra, back.dec) == (row.name, row.station, row.ra, row.dec)
        assert abs(back.mjd_utc - row.mjd_utc) <= 0.51 * MS
        assert same(back.rms_ra, row.rms_ra, 5.1e-6) and same(back.rms_dec, row.rms_dec, 5.1e-6)
        assert same(back.rms_corr, row.rms_corr, 1e-4)


@pytest.mark.parametrize("name", FILES)
def test_every_row_from_the_ground_comes_back_through_80_columns_to_their_precision(name):
    rows = [row for row in observations_of(name) if row.station not in SPACECRAFT]
    for back, row in zip(through_80_columns(name).observations, rows, strict=True):
        assert (back.name, back.station) == (row.name, row.station)
        assert abs(back.mjd_utc - row.mjd_utc) <= 0.51e-6
        assert abs(back.ra - row.ra) <= 0.51 * 0.015 * ARCSEC
        assert abs(back.dec - row.dec) <= 0.51 * 0.01 * ARCSEC


def test_spacecraft_without_their_place_are_refused_in_80_columns_and_as_detections():
    rows = observations_of("50_objects_mpc_ades.csv")
    moving = sum(row.station in SPACECRAFT for row in rows)
    assert moving == 535
    for refused in (as_detections(rows).refused, through_80_columns("50_objects_mpc_ades.csv").refused):
        assert len(refused) == moving
        assert {"WISE" in refusal.reason or "TESS" in refusal.reason for refusal in refused} == {True}


@pytest.mark.parametrize(("name", "rows"), [(name, counts[0]) for name, counts in FILES.items()])
def test_every_observer_on_the_ground_has_a_place(name, rows):
    converted = as_detections(observations_of(name))
    assert len(converted.detections) + len(converted.refused) == rows
    distance = np.linalg.norm(converted.detections.observer, axis=1)
    assert ((distance > 0.98) & (distance < 1.02)).all()
    assert ((converted.detections.sigma_ra > 0) & (converted.detections.sigma_ra <= 10)).all()


def test_a_night_never_parts_the_observations_of_one_evening():
    detections = as_detections(observations_of("4_random_mpc_ADES_provIDs_no_sats.csv")).detections
    order = np.argsort(detections.mjd_tai)
    apart = np.diff(detections.mjd_tai[order])
    nights = detections.night[order]
    assert (nights[1:] == nights[:-1])[apart < 0.02].mean() > 0.99


def test_the_problems_of_real_rows_are_what_the_table_left_out():
    document = ades_document(observations_of("3I_ATLAS_ades.csv"), CONTEXT)
    assert {problem.field for problem in validate(document, Purpose.GENERAL)} == {"mode", "astCat"}
