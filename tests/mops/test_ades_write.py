"""Writing ADES: what is written is valid, comes back, and depends on nothing but its content."""

import random
from dataclasses import replace
from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.mpc.ades_document import Document
from mops.mpc.ades_psv import format_psv, parse_psv
from mops.mpc.ades_read import read_psv, read_xml
from mops.mpc.ades_validate import validate
from mops.mpc.ades_write import (
    Context,
    ades_document,
    arcsec,
    declination,
    psv_bytes,
    right_ascension,
    xml_bytes,
)
from mops.mpc.ades_xml import format_xml, parse_xml
from mops.mpc.designations import Designation
from mops.mpc.observation import Observation
from tests.mops.mpc_observations import CONTEXT, milliseconds, observations, observed, same, tracklet

MS = 1 / 86_400_000

EXPECTED_HEADER = """# version=2022
# observatory
! mpcCode X05
! name Simonyi Survey Telescope, Rubin Observatory
# submitter
! name A. Astronomer
! institution Rubin Observatory
# observers
! name B. Observer
# measurers
! name A. Astronomer
! name C. Measurer
# telescope
! name Simonyi Survey Telescope
! design Reflector
! aperture 8.4
! detector CCD
! fRatio 1.234
! pixelScale 0.2
# comment
! line Daytime linking
"""
EXPECTED_NAMES = (
    "trkSub |mode|stn|obsTime                 |ra          |dec        |rmsRA  |rmsDec |rmsCorr|astCat"
    "|mag   |rmsMag|band|photCat\n"
)
EXPECTED_ROW = (
    "d00001A|CCD |X05|2026-04-05T03:04:05.678Z|150.12345678|-5.87654321|0.01230|0.01450|0.1200 |Gaia3 "
    "|22.345|0.067 |Lr  |Gaia3\n"
)


def assert_same(back: Observation, row: Observation) -> None:
    assert back.name == row.name
    for name in ("station", "band", "mode", "astrometric_catalogue", "notes", "remarks", "place_km"):
        assert getattr(back, name) == getattr(row, name)
    assert abs(back.mjd_utc - row.mjd_utc) < 0.01 * MS
    assert (back.ra, back.dec) == (row.ra, row.dec)
    for name in ("rms_ra", "rms_dec", "rms_corr", "mag", "rms_mag"):
        assert same(getattr(back, name), getattr(row, name), 1e-12)


def test_a_file_is_what_the_standard_shows():
    assert psv_bytes(ades_document([observed()], CONTEXT)).decode() == EXPECTED_HEADER + EXPECTED_NAMES + EXPECTED_ROW


def test_xml_has_the_schemas_order_and_escapes():
    text = xml_bytes(ades_document([observed(remarks="wind > 10 m/s & dust")], CONTEXT)).decode()
    assert "<remarks>wind &gt; 10 m/s &amp; dust</remarks>" in text
    places = [text.index(f"<{name}>") for name in ("trkSub", "mode", "stn", "obsTime", "ra", "astCat", "mag", "band")]
    assert places == sorted(places)


@given(observations())
@settings(max_examples=150)
def test_psv_comes_back(row):
    reading = read_psv(psv_bytes(ades_document([row], CONTEXT)).decode())
    assert not reading.refused
    assert_same(reading.observations[0], row)


@given(observations())
@settings(max_examples=150)
def test_xml_comes_back(row):
    reading = read_xml(xml_bytes(ades_document([row], CONTEXT)))
    assert not reading.refused
    assert_same(reading.observations[0], row)


@given(st.lists(observations(), min_size=1, max_size=5))
@settings(max_examples=50)
def test_both_forms_hold_the_same_document(rows):
    document = ades_document(rows, CONTEXT)
    records = [record.fields for record in document.records]
    for parsed in (parse_psv(format_psv(document)), parse_xml(format_xml(document).encode())):
        assert [record.fields for record in parsed.records] == records
        assert [block.context for block in parsed.blocks] == [block.context for block in document.blocks]
        assert parsed.version == "2022"


@given(observations())
@settings(max_examples=100)
def test_what_is_written_is_valid_but_for_what_the_standard_cannot_say(row):
    problems = validate(ades_document([row], CONTEXT))
    if row.name.provisional.startswith("I/"):  # submit.xsd 2022 has no interstellar provID
        assert [problem.field for problem in problems] == ["provID"]
    else:
        assert problems == []


def test_the_bytes_do_not_depend_on_the_order():
    rows = [row for night in range(3) for row in tracklet(night)]
    shuffled = random.Random(1).sample(rows, len(rows))
    assert psv_bytes(ades_document(rows, CONTEXT)) == psv_bytes(ades_document(shuffled, CONTEXT))
    assert xml_bytes(ades_document(rows, CONTEXT)) == xml_bytes(ades_document(shuffled, CONTEXT))


def test_records_are_ordered_by_object_and_time():
    rows = [*tracklet(1, name="d000002"), *tracklet(0, name="d000001")]
    names = [record.fields["trkSub"] for record in ades_document(rows, CONTEXT).records]
    assert names == ["d000001", "d000001", "d000002", "d000002"]


def test_an_object_may_have_all_its_names():
    row = observed(name=Designation("433", "A898 PA", "d00001A"))
    (record,) = ades_document([row], CONTEXT).records
    assert list(record.fields)[:3] == ["permID", "provID", "trkSub"]
    assert validate(ades_document([row], CONTEXT)) == []


def test_what_is_unknown_is_left_out():
    (record,) = ades_document(
        [observed(rms_corr=nan, mag=nan, rms_mag=nan, band="", photometric_catalogue="")], CONTEXT
    ).records
    assert not {"rmsCorr", "mag", "rmsMag", "band", "photCat"} & set(record.fields)


@pytest.mark.parametrize(
    ("degrees", "text"),
    [(0.0, "0.00000000"), (359.999999996, "0.00000000"), (359.99999999, "359.99999999"), (12.5, "12.50000000")],
)
def test_a_right_ascension_never_is_360(degrees, text):
    assert right_ascension(degrees) == text


@pytest.mark.parametrize(("degrees", "text"), [(-1e-10, "0.00000000"), (-90.0, "-90.00000000"), (0.1, "0.10000000")])
def test_a_declination_of_zero_has_no_sign(degrees, text):
    assert declination(degrees) == text


@given(st.floats(1e-9, 9999.0))
def test_an_uncertainty_always_fits_the_schema_and_keeps_its_size(value):
    text = arcsec(value)
    assert len(text) <= 7 and float(text) > 0
    assert float(text) == pytest.approx(max(value, 1e-5), rel=1e-3, abs=5.1e-6)


def test_an_unknown_uncertainty_is_not_written():
    assert arcsec(nan) == ""


@pytest.mark.parametrize(("value", "text"), [(1.0, "0.9999"), (-1.0, "-0.9999"), (0.0, "0.0000")])
def test_a_correlation_never_is_one(value, text):
    (record,) = ades_document([observed(rms_corr=value)], CONTEXT).records
    assert record.fields["rmsCorr"] == text


@given(milliseconds)
def test_times_are_written_to_the_millisecond(mjd):
    (record,) = ades_document([observed(mjd_utc=mjd)], CONTEXT).records
    assert len(record.fields["obsTime"]) == 24
    assert record.fields["obsTime"].endswith("Z")


def test_a_context_leaves_out_what_is_empty():
    groups = replace(CONTEXT, institution="", comments=(), focal_ratio="").groups()
    assert groups["submitter"] == (("name", "A. Astronomer"),)
    assert "comment" not in groups and "fundingSource" not in groups
    assert "fRatio" not in dict(groups["telescope"])


def test_a_funding_source_comes_back_in_both_forms():
    document = ades_document([observed()], replace(CONTEXT, funding_source="NSF & DOE"))
    for parsed in (parse_psv(format_psv(document)), parse_xml(format_xml(document).encode())):
        assert parsed.blocks[0].context["fundingSource"] == (("", "NSF & DOE"),)
        assert validate(parsed) == []


def test_another_observatory_can_be_named():
    context = Context("A. Astronomer", "", (), ("A. Astronomer",), observatory="I41", observatory_name="")
    document: Document = ades_document([observed(station="I41")], context)
    assert document.blocks[0].context["observatory"] == (("mpcCode", "I41"),)
    assert validate(document) == []
