"""Reading ADES in PSV and XML, and tables with its column names."""

from math import isnan

import pytest

from mops.mpc.ades_psv import parse_psv
from mops.mpc.ades_read import read_csv, read_psv, read_xml
from mops.mpc.ades_xml import parse_xml
from mops.mpc.designations import Designation
from mops.science.constants import AU_KM

HEADER = """# version=2022
# observatory
! mpcCode X05
# submitter
! name A. Astronomer
# measurers
! name A. Astronomer
# telescope
! aperture 8.4
! design Reflector
! detector CCD
"""
NAMES = "permID|provID|trkSub |mode|stn|obsTime                 |ra          |dec        |rmsRA |rmsDec|astCat|mag|band"
ROW = "      |      |d00001A|CCD |X05|2026-04-05T03:04:05.678Z|150.12345678|-5.87654321|0.0123|0.0145|Gaia3|22.3|Lr"
PSV = f"{HEADER}{NAMES}\n{ROW}\n"

XML = """<?xml version="1.0" encoding="UTF-8"?>
<ades version="2022">
  <obsBlock>
    <obsContext>
      <observatory><mpcCode>X05</mpcCode></observatory>
      <submitter><name>A. Astronomer</name></submitter>
      <measurers><name>A. Astronomer</name><name>C. Measurer</name></measurers>
      <fundingSource>NSF &amp; DOE</fundingSource>
    </obsContext>
    <obsData>
      <optical>
        <trkSub>d00001A</trkSub><mode>CCD</mode><stn>X05</stn>
        <obsTime>2026-04-05T03:04:05.678Z</obsTime><ra>150.12345678</ra><dec>-5.87654321</dec>
        <rmsRA>0.0123</rmsRA><rmsDec>0.0145</rmsDec><astCat>Gaia3</astCat><mag>22.3</mag><band>Lr</band>
        <localUse><anything><ra>1</ra></anything></localUse>
      </optical>
    </obsData>
  </obsBlock>
</ades>
"""


def psv_row(**cells: str) -> str:
    """`ROW` with cells replaced by name."""
    names = [name.strip() for name in NAMES.split("|")]
    values = dict(zip(names, ROW.split("|"), strict=True)) | cells
    return "|".join(values[name] for name in names)


def reason(text):
    reading = read_psv(text)
    assert not reading.observations
    (refusal,) = reading.refused
    return refusal.reason


@pytest.mark.parametrize("reading", [read_psv(PSV), read_xml(XML.encode())])
def test_both_forms_give_the_same_observation(reading):
    assert not reading.refused
    (row,) = reading.observations
    assert row.name == Designation(temporary="d00001A")
    assert (row.station, row.mode, row.band, row.astrometric_catalogue) == ("X05", "CCD", "Lr", "Gaia3")
    assert (row.ra, row.dec, row.rms_ra, row.rms_dec, row.mag) == (150.12345678, -5.87654321, 0.0123, 0.0145, 22.3)
    assert row.utc == "2026-04-05T03:04:05.678Z"
    assert row.mjd_utc == pytest.approx(61135.12784349537, abs=1e-10)
    assert isnan(row.rms_corr)


def test_the_context_is_kept_in_both_forms():
    (block,) = parse_psv(PSV).blocks
    assert block.context["observatory"] == (("mpcCode", "X05"),)
    (block,) = parse_xml(XML.encode()).blocks
    assert block.context["measurers"] == (("name", "A. Astronomer"), ("name", "C. Measurer"))
    assert block.context["fundingSource"] == (("", "NSF & DOE"),)


def test_the_lines_of_records_are_those_of_the_file():
    assert parse_psv(PSV).records[0].line == PSV.splitlines().index(ROW) + 1
    assert parse_xml(XML.encode()).records[0].line == XML.splitlines().index("      <optical>") + 1


def test_column_names_may_change_between_rows():
    text = f"{PSV}permID|mode|stn|obsTime|ra|dec|astCat\n433|CCD|703|2026-04-05T03:04:05Z|1.0|+2.0|Gaia3\n"
    reading = read_psv(text)
    assert [row.name.name for row in reading.observations] == ["d00001A", "433"]


def test_a_new_header_begins_a_new_block():
    assert [block.context["observatory"] for block in parse_psv(PSV + PSV.replace("X05", "703")).blocks] == [
        (("mpcCode", "X05"),),
        (("mpcCode", "703"),),
    ]


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"stn": "ZZZ"}, "no observatory code"),
        ({"stn": ""}, "stn missing"),
        ({"obsTime": "2026-04-05T03:04:05.678"}, "has no Z"),
        ({"obsTime": "2026-04-05T03:04:05 TT"}, "in TT, not UTC"),
        ({"obsTime": "61135.1278"}, "Julian date"),
        ({"obsTime": ""}, "obsTime missing"),
        ({"ra": "360.0"}, "is not below 360"),
        ({"ra": "10 00 29.6"}, "number of degrees"),
        ({"ra": "-1.0"}, "number of degrees"),
        ({"ra": ""}, "ra missing"),
        ({"dec": "90.1"}, "above 90"),
        ({"dec": "nan"}, "number of degrees"),
        ({"rmsRA": "0"}, "not above 0"),
        ({"rmsDec": "-0.1"}, "not above 0"),
        ({"rmsRA": "inf"}, "not a finite number"),
        ({"rmsRA": "small"}, "not a finite number"),
        ({"mag": "99"}, "above 35"),
        ({"trkSub": ""}, "nothing says which object"),
        ({"trkSub": "much too long"}, "trkSub"),
        ({"permID": "433x"}, "no permanent designation"),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence_and_the_others_are_read(cells, word):
    text = f"{HEADER}{NAMES}\n{ROW}\n{psv_row(**cells)}\n{ROW}\n"
    reading = read_psv(text)
    assert len(reading.observations) == 2
    (refusal,) = reading.refused
    assert word in refusal.reason
    assert refusal.line == len(HEADER.splitlines()) + 3


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ("<stn>X05</stn>", "<stn>ZZZ</stn>", "no observatory code"),
        ("<stn>X05</stn>", "", "stn missing"),
        ("678Z</obsTime>", "678</obsTime>", "has no Z"),
        ("<ra>150.12345678</ra>", "<ra>400</ra>", "number of degrees"),
        ("<dec>-5.87654321</dec>", "<dec/>", "dec missing"),
        ("<rmsRA>0.0123</rmsRA>", "<rmsRA>-1</rmsRA>", "not above 0"),
        ("<trkSub>d00001A</trkSub>", "", "nothing says which object"),
    ],
)
def test_a_bad_element_is_refused_with_the_line_of_its_record(good, bad, word):
    assert good in XML
    reading = read_xml(XML.replace(good, bad).encode())
    assert reading.observations == ()
    (refusal,) = reading.refused
    assert word in refusal.reason
    assert refusal.line == XML.splitlines().index("      <optical>") + 1


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (ROW + "|surplus", "14 columns, its column names are 13"),
        ("! floating", "is not '! keyword value'"),
        ("#", "names no group"),
    ],
)
def test_a_line_without_sense_is_refused(line, word):
    reading = read_psv(f"{PSV}{line}\n")
    assert len(reading.observations) == 1
    assert word in reading.refused[0].reason


def test_rows_without_column_names_are_refused():
    assert "expected a line of ADES column names" in reason(HEADER + ROW)


def test_an_unknown_column_is_said_and_the_rest_of_the_row_is_read():
    reading = read_psv(PSV.replace("|rmsRA ", "|sigmaX"))
    assert "'sigmaX'" in reading.refused[0].reason
    assert isnan(reading.observations[0].rms_ra)


@pytest.mark.parametrize(
    ("names", "row", "kind"),
    [
        ("permID|trx|rcv|obsTime|delay|rmsDelay|frq", "433|251|251|2026-04-05T03:04:05Z|1.0|0.1|2380", "radar"),
        ("permID|mode|stn|obsTime|obsCenter|deltaRA|deltaDec", "433|CCD|X05|2026-04-05T03:04:05Z|Mars|1|1", "offset"),
        ("permID|mode|stn|obsTime|raStar|decStar|astCat", "433|OCC|X05|2026-04-05T03:04:05Z|1|1|Gaia3", "occultation"),
    ],
)
def test_other_kinds_of_records_are_recognised_and_refused(names, row, kind):
    assert f"of the kind {kind}" in reason(f"{HEADER}{names}\n{row}\n")


def test_a_spacecrafts_place_is_read_in_km_and_au():
    names = "permID|mode|stn|sys|ctr|pos1|pos2|pos3|obsTime|ra|dec|astCat"
    row = "433|CCD|C51|ICRF_{}|399|1.5|-2.5|0.5|2026-04-05T03:04:05Z|1.0|2.0|Gaia3"
    text = f"{HEADER}{names}\n{row.format('KM')}\n{row.format('AU')}\n{row.format('KM').replace('1.5', '')}\n"
    reading = read_psv(text)
    assert reading.observations[0].place_km == (1.5, -2.5, 0.5)
    assert reading.observations[1].place_km == pytest.approx((1.5 * AU_KM, -2.5 * AU_KM, 0.5 * AU_KM))
    assert "pos1 missing" in reading.refused[0].reason


def test_xml_that_breaks_off_keeps_what_came_before():
    text = XML.replace("</obsData>", XML[XML.index("<optical>") : XML.index("</obsData>")] + "<optical><trkSub>")
    reading = read_xml(text.encode())
    assert len(reading.observations) == 2
    assert "not well-formed" in reading.refused[0].reason


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("<html><body/></html>", "ADES begins with <ades>"),
        ('<!DOCTYPE ades [<!ENTITY a "b">]><ades version="2022"/>', "declares a document type"),
        ('<?xml version="1.0" encoding="klingon"?><ades/>', ""),
        ("<ades", "not well-formed"),
    ],
)
def test_xml_that_is_something_else_is_refused(text, word):
    reading = read_xml(text.encode())
    assert not reading.observations
    assert word in reading.refused[0].reason


def test_an_element_given_twice_is_said():
    reading = read_xml(XML.replace("<mode>", "<trkSub>other</trkSub><mode>").encode())
    assert reading.observations[0].name.temporary == "d00001A"
    assert "<trkSub> is there twice" in reading.refused[0].reason


CSV = "provID,actualProvID,ra,dec,obsTime,stn,rmsRA,rmsDec,rmsTime,rmsCorr,uncTime\n"


def test_a_table_may_have_numbers_for_provid():
    reading = read_csv(CSV + "119839,2002 CX17,138.93912,17.23753,1997-03-04T05:06:21.600Z,704,,,,,\n")
    (row,) = reading.observations
    assert row.name == Designation(permanent="119839", provisional="2002 CX17")
    assert row.line == 2 and isnan(row.rms_ra)


def test_a_table_may_have_the_observers_own_designations():
    reading = read_csv("provID,ra,dec,obsTime,stn\nA11pl3Z,279.342104,-18.757253,2025-06-14T06:02:50.99Z,I41\n")
    assert reading.observations[0].name == Designation(temporary="A11pl3Z")


def test_a_table_without_its_columns_is_refused():
    reading = read_csv("provID,ra,dec,time,stn\nx,1,2,3,4\n")
    assert "no column obsTime" in reading.refused[0].reason


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("119839,,1,2,1997-03-04T05:06:21Z,704,,,,,,surplus", "12 cells, the table 11 columns"),
        ('119839,,"1,2,1997-03-04T05:06:21Z,704', "no comma-separated row"),
        ("119839,,1,2,1997-03-04T05:06:21,704,,,,,", "has no Z"),
        (",,1,2,1997-03-04T05:06:21Z,704,,,,,", "nothing says which object"),
        ("not a name!,,1,2,1997-03-04T05:06:21Z,704,,,,,", "no designation"),
    ],
)
def test_a_bad_row_of_a_table_is_refused_and_the_others_are_read(line, word):
    good = "119839,,1.0,2.0,1997-03-04T05:06:21Z,704,,,,,"
    reading = read_csv(f"{CSV}{good}\n{line}\n\n{good}\n")
    assert [row.line for row in reading.observations] == [2, 5]
    assert [refusal.line for refusal in reading.refused] == [3]
    assert word in reading.refused[0].reason


def test_observations_are_grouped_by_object_and_ordered_by_time():
    rows = ["433,,1,2,2026-03-04T05:06:21Z,704", "1,,1,2,2026-03-04T05:06:21Z,704", "433,,1,2,2025-03-04T05:06:21Z,704"]
    objects = read_csv(CSV + "\n".join(rows)).objects
    assert list(objects) == ["433", "1"]
    assert [row.line for row in objects["433"]] == [4, 2]
