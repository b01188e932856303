"""The rules of ADES: each one, broken, is found with its field and a sentence; what keeps them is valid."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.mpc.ades_context import GROUPS, REQUIRED
from mops.mpc.ades_document import Block, Document, Record
from mops.mpc.ades_psv import parse_psv
from mops.mpc.ades_types import FIELDS, NOT_SUBMITTED
from mops.mpc.ades_validate import Problem, Purpose, validate
from mops.mpc.ades_write import ades_document
from mops.mpc.observation import Refusal
from tests.mops.mpc_observations import CONTEXT, observed, tracklet

GOOD = ades_document([observed()], CONTEXT)
FIELDS_OF_GOOD = GOOD.records[0].fields


def with_fields(without: tuple[str, ...] = (), /, **fields: str) -> Document:
    """`GOOD` with fields of its one record changed or left out."""
    kept = {name: value for name, value in {**FIELDS_OF_GOOD, **fields}.items() if name not in without}
    return Document(blocks=(replace(GOOD.blocks[0], records=(Record(7, "optical", kept),)),))


def with_context(**groups: tuple[tuple[str, str], ...] | None) -> Document:
    """`GOOD` with groups of its context changed, or left out where they are None."""
    context = {name: pairs for name, pairs in {**GOOD.blocks[0].context, **groups}.items() if pairs is not None}
    return Document(blocks=(replace(GOOD.blocks[0], context=context),))


def the_problem(document: Document, purpose: Purpose = Purpose.SUBMISSION) -> Problem:
    (problem,) = validate(document, purpose)
    return problem


def test_a_good_document_has_no_problem():
    assert validate(GOOD) == []


GOOD_VALUES = [
    ("permID", "433"), ("permID", "73P-BC"), ("permID", "1I"), ("permID", "Jupiter 13"),
    ("provID", "2025 AB12"), ("provID", "2040 P-L"), ("provID", "C/2025 N1"), ("provID", "D/1993 F2-B"),
    ("provID", "S/2003 J 2"), ("provID", "A904 OA"), ("provID", "2029 FL591673"),
    ("trkSub", "d_1-A"), ("trkSub", "P21xyz99"),
    ("mode", "CMO"), ("mode", "TDI"), ("obsSubID", "x" * 35),
    ("obsTime", "2026-04-05T03:04:05Z"), ("obsTime", "2026-04-05T03:04:05.123456Z"), ("rmsTime", "0.001"),
    ("ra", "0"), ("ra", "359.999999999"), ("ra", ".5"), ("dec", "+90"), ("dec", "-90.000000000"), ("dec", "-0.5"),
    ("rmsRA", "0.00001"), ("rmsRA", "9999.99"), ("rmsCorr", "-0.99999999999"), ("rmsCorr", "+0.5"),
    ("mag", "-5"), ("mag", "35.0"), ("rmsMag", "0.001"), ("band", "Ly"), ("band", "G"), ("astCat", "Gaia3E"),
    ("logSNR", "1.5"), ("nStars", "999999"), ("exp", "30"), ("seeing", "0.7"), ("notes", "KsI"), ("disc", "*"),
    ("remarks", "x" * 300), ("uncTime", "0.5"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), GOOD_VALUES)
def test_a_value_at_the_edge_of_its_range_is_valid(name, value):
    assert validate(with_fields(**{name: value})) == []


BAD_VALUES = [
    ("permID", "433a", "permanent designation"), ("permID", "Pluto 1", "permanent designation"),
    ("provID", "2025AB12", "provisional designation"), ("provID", "2025 IB", "provisional designation"),
    ("provID", "K25A12B", "provisional designation"),
    ("trkSub", "nine-char", "at most 8 characters"), ("trkSub", "a b", "at most 8 characters"),
    ("mode", "ccd", "is not one of"), ("stn", "ZZZ", "no observatory code"),
    ("obsTime", "2026-04-05T03:04:05", "has no Z"), ("obsTime", "2026-04-05T03:04:05.1234567Z", "is no time"),
    ("obsTime", "2026-02-29T03:04:05Z", "does not exist"),
    ("ra", "360", "not below 360"), ("ra", "-0.1", "number of degrees"), ("ra", "1.0123456789", "nine decimals"),
    ("ra", "１٢", "number of degrees"), ("nStars", "٣", "whole number"),
    ("ra", ".", "number of degrees"), ("ra", "010.5", "number of degrees"),
    ("dec", "90.1", "above 90"), ("dec", "-90.000000001", "below -90"), ("dec", "+", "number of degrees"),
    ("rmsRA", "0", "above 0"), ("rmsRA", "0.000001", "7 characters"), ("rmsDec", "-0.1", "without sign"),
    ("rmsDec", "1e-3", "without sign"), ("rmsTime", "100000", "below 100000"),
    ("rmsCorr", "1.0", "both ends"), ("rmsCorr", "-1", "both ends"), ("rmsCorr", "2", "between -1 and 1"),
    ("mag", "35.1", "above 35"), ("mag", "-5.1", "below -5"), ("mag", "21.123456", "7 characters"),
    ("mag", "021.1", "decimal number"), ("rmsMag", "0", "above 0"), ("band", "LSST", "is not one of"),
    ("astCat", "Gaia", "is not one of"), ("photCat", "gaia3", "is not one of"),
    ("logSNR", "1.23456", "5 characters"), ("nStars", "0", "whole number"), ("nStars", "1000000", "whole number"),
    ("notes", "KK", "different letters"), ("notes", "K?", "no observing note"), ("notes", "KsIabcd", "different"),
    ("disc", "x", "is not one of"), ("remarks", "x" * 301, "at most 300"), ("remarks", "a|b", "pipe"),
    ("remarks", "  ", "is blank"), ("remarks", "a\tb", "control character"), ("obsSubID", "x" * 36, "at most 35"),
    ("rmsMag", "0.00001", "6 characters"), ("photAp", "0.00001", "6 characters"), ("rmsFit", "0.00001", "6 characters"),
    ("seeing", "0.00001", "6 characters"), ("exp", "0.00001", "6 characters"), ("artSat", "x" * 26, "at most 25"),
    ("rmsTime", "0.0000001", "8 characters"), ("uncTime", "0.0000001", "8 characters"),
    ("fltr", "r-1", "at most 3 characters"), ("exp", "0", "above 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "word"), BAD_VALUES)
def test_a_value_against_the_rules_is_found(name, value, word):
    problem = the_problem(with_fields(**{name: value}))
    assert (problem.line, problem.field) == (7, name)
    assert word in problem.sentence and repr(value) in problem.sentence


def test_every_field_has_an_example_that_breaks_its_rule_or_is_a_place():
    tried = {name for name, _, _ in BAD_VALUES}
    places = {name for name in FIELDS if name.startswith(("pos", "vel", "sys", "ctr"))}
    assert set(FIELDS) - tried == places


@pytest.mark.parametrize("name", ["mode", "stn", "obsTime", "ra", "dec", "astCat"])
def test_a_required_field_is_missed(name):
    problem = the_problem(with_fields((name,)))
    assert problem.field == name and "is missing" in problem.sentence


def test_one_name_of_the_object_is_required():
    assert "nothing says which object" in the_problem(with_fields(("trkSub",))).sentence


def test_an_artificial_satellite_has_no_minor_planets_name():
    assert "excludes permID" in the_problem(with_fields(artSat="GPS 1", permID="433")).sentence


@pytest.mark.parametrize("name", ["rmsMag", "band", "photCat"])
def test_photometry_without_a_magnitude_is_found(name):
    problems = validate(with_fields(("mag",)))
    assert Problem(7, name, f"{name} is given without mag") in problems


def test_a_magnitude_needs_its_band():
    assert "mag is given without band" in the_problem(with_fields(("band",))).sentence


PLACE = {"sys": "ICRF_KM", "ctr": "399", "pos1": "53832875.92", "pos2": "-136343238.9", "pos3": "12321.35851"}


def test_a_spacecraft_needs_its_place():
    assert the_problem(with_fields(stn="250")).field == "pos1"
    assert validate(with_fields(stn="250", **PLACE)) == []


def test_a_roving_observer_needs_a_place_too():
    assert "roving observer" in the_problem(with_fields(stn="247")).sentence


@pytest.mark.parametrize("name", sorted(PLACE))
def test_a_place_is_whole_or_absent(name):
    problem = the_problem(with_fields(stn="250", **{key: value for key, value in PLACE.items() if key != name}))
    assert problem.field == name and "is missing beside" in problem.sentence


@pytest.mark.parametrize(
    ("name", "value"), [("sys", "J2000"), ("ctr", "10"), ("pos1", "1e8"), ("vel1", "fast"), ("posCov11", "x")]
)
def test_a_place_keeps_its_rules(name, value):
    assert the_problem(with_fields(stn="250", **PLACE | {name: value})).field == name


def test_a_field_that_ades_does_not_know_is_found():
    assert "no field of an optical record" in the_problem(with_fields(flux="1")).sentence


@pytest.mark.parametrize("name", sorted(NOT_SUBMITTED))
def test_the_centers_own_fields_are_for_general_use_only(name):
    document = with_fields(**{name: "x"})
    assert "must not be submitted" in the_problem(document).sentence
    assert validate(document, Purpose.GENERAL) == []


@pytest.mark.parametrize(("name", "value"), [("mode", "PHO"), ("band", "C"), ("astCat", "USNOA2"), ("photCat", "UNK")])
def test_what_is_historical_is_for_general_use_only(name, value):
    document = with_fields(**{name: value})
    assert "historical" in the_problem(document).sentence
    assert validate(document, Purpose.GENERAL) == []


def test_a_discovery_is_marked_on_own_designations_only():
    assert "only trkSub" in the_problem(with_fields(disc="*", permID="433")).sentence


def test_an_object_has_one_discovery_observation():
    rows = [replace(row, discovery="*") for row in tracklet(0, 3)]
    assert len([problem for problem in validate(ades_document(rows, CONTEXT)) if problem.field == "disc"]) == 2


def test_an_object_has_one_place_at_one_time():
    problem = the_problem(ades_document([observed(), observed(dec=-5.9)], CONTEXT))
    assert problem.field == "obsTime" and "on line 1" in problem.sentence


@pytest.mark.parametrize("own", ["K25A12B", "12345", "2040"])
def test_an_own_designation_must_not_look_official(own):
    problem = the_problem(with_fields(trkSub=own))
    assert problem.field == "trkSub" and "has the form" in problem.sentence


@pytest.mark.parametrize("group", REQUIRED)
def test_a_required_group_is_missed(group):
    problem = the_problem(with_context(**{group: None}))
    assert problem.field == group and f"has no {group}" in problem.sentence


@pytest.mark.parametrize(
    ("group", "pairs", "word"),
    [
        ("observatory", (("mpcCode", "ZZZ"),), "no observatory code"),
        ("observatory", (("name", "Rubin"),), "observatory has no mpcCode"),
        ("submitter", (("name", "x" * 101),), "at most 100"),
        ("submitter", (("name", "A"), ("name", "B")), "given twice"),
        ("submitter", (("name", "A"), ("email", "a@b")), "no keyword 'email'"),
        ("measurers", (), "measurers has no name"),
        ("telescope", (("design", "R"), ("detector", "CCD")), "telescope has no aperture"),
        ("telescope", (("design", "R"), ("detector", "CCD"), ("aperture", "8.4 m")), "without sign"),
        ("software", (("fitOrder", "x" * 26),), "at most 25"),
        ("weather", (("seeing", "0.7"),), "no group of a context"),
        ("fundingSource", (("", "x" * 101),), "at most 100"),
    ],
)
def test_a_context_against_the_rules_is_found(group, pairs, word):
    problem = the_problem(with_context(**{group: pairs}))
    assert problem.field == group and word in problem.sentence


def test_names_and_comment_lines_may_be_many():
    many = (("name", "A. B."),) * 3
    assert (
        validate(with_context(observers=many, coinvestigators=many, comment=(("line", "one"), ("line", "two")))) == []
    )
    assert {name for name, group in GROUPS.items() if group.repeated} >= {"observers", "comment"}


def test_another_version_is_found():
    assert "'2017'" in the_problem(replace(GOOD, version="2017")).sentence


def test_a_document_and_a_block_hold_something():
    assert "no block" in the_problem(Document()).sentence
    assert "no observation" in the_problem(Document(blocks=(replace(GOOD.blocks[0], records=()),))).sentence


def test_kinds_are_not_mixed_in_a_block_and_others_are_not_checked():
    block: Block = replace(GOOD.blocks[0], records=(*GOOD.records, Record(9, "radar", {})))
    sentences = [problem.sentence for problem in validate(Document(blocks=(block,)))]
    assert any("optical and radar records" in sentence for sentence in sentences)
    assert any("of the kind radar" in sentence for sentence in sentences)


def test_lines_that_could_not_be_read_are_problems():
    document = replace(GOOD, refused=(Refusal(3, "it makes no sense"),))
    assert the_problem(document) == Problem(3, "", "it makes no sense")


def test_the_published_example_keeps_the_rules():
    text = (
        "# version=2022\n# observatory\n! mpcCode 250\n# submitter\n! name A.N. Astronomer\n# telescope\n"
        "! aperture 2.4\n! design Reflector\n! detector WFC3/UVIS\n# measurers\n! name A.N. Astronomer\n"
        "permID|trkSub|mode|stn|obsTime         |ra         |dec        |rmsRA  |rmsDec |astCat"
        "|pos1|pos2|pos3|ctr|sys\n"
        "|J044S|CCD|250|2025-11-30T17:12:11.500Z|115.9571762|21.25635598|0.00475|0.00517|Gaia3"
        "|53832875.92|136343238.9|12321.35851|399 |ICRF_KM\n"
    )
    problem = the_problem(parse_psv(text))  # J044S is Jupiter 44, which only a submission must not call its own
    assert (problem.line, problem.field) == (13, "trkSub")
    assert validate(parse_psv(text), Purpose.GENERAL) == []


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=30))
@settings(max_examples=400)
def test_any_value_is_judged_and_none_raises(name, value):
    wrong = FIELDS[name](value)
    assert wrong == "" or wrong.split()[0] in ("is", "holds", "has")
