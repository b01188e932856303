"""One object's report: its files keep the rules and hold the same, or say why there is none."""

from dataclasses import replace

import pytest

from mops.mpc.ades_read import read_psv, read_xml
from mops.mpc.ades_write import Context
from mops.mpc.batches import Kind, digest, observation_key
from mops.mpc.report import report
from tests.mops.mpc_observations import CONTEXT, tracklet

NIGHTS = [row for night in range(3) for row in tracklet(night)]


def test_a_good_report_has_two_files_with_the_same_observations():
    made = report(NIGHTS, Kind.NEW, CONTEXT)
    assert made.problems == ()
    from_psv, from_xml = read_psv(made.psv.decode()), read_xml(made.xml)
    assert digest(from_psv.observations) == digest(from_xml.observations) == made.digest == digest(NIGHTS)
    assert len(from_psv.observations) == 6


def test_what_is_not_enough_has_a_reason_and_no_files():
    made = report(NIGHTS[:4], Kind.NEW, CONTEXT)
    assert (made.psv, made.xml) == (b"", b"")
    assert "3 nights" in made.problems[0]


def test_a_problem_names_the_line_of_the_file():
    rows = [*NIGHTS[:5], replace(NIGHTS[5], astrometric_catalogue="Gaia9")]
    made = report(rows, Kind.NEW, CONTEXT)
    (problem,) = made.problems
    number = int(problem.split(":")[0].removeprefix("line "))
    assert "Gaia9" in made.psv.decode().splitlines()[number - 1]
    assert "astCat 'Gaia9' is not one of" in problem


def test_a_name_with_a_pipe_or_a_line_break_cannot_slip_into_a_file():
    for name in ("A. | B.", "A.\nB."):
        assert report(NIGHTS, Kind.NEW, replace(CONTEXT, submitter=name)).problems


def test_a_remark_with_a_pipe_is_found():
    assert report([replace(row, remarks="a|b") for row in NIGHTS], Kind.NEW, CONTEXT).problems


def test_a_second_report_holds_only_what_is_new():
    sent = frozenset(observation_key(row) for row in NIGHTS)
    again = report([*NIGHTS, *tracklet(5)], Kind.REOBSERVED, CONTEXT, sent=sent)
    assert len(again.batch.observations) == 2 and again.problems == ()
    assert again.digest == digest(tracklet(5))


def test_a_context_comes_from_a_configuration():
    table = {
        "submitter": "A. Astronomer",
        "institution": "Rubin",
        "observers": ["B. Observer"],
        "measurers": ["A. Astronomer", "C. Measurer"],
        "aperture_m": 8.4,
    }
    made = Context.of(table)
    assert made.measurers == ("A. Astronomer", "C. Measurer")
    assert made.observatory == "X05"
    assert report(NIGHTS, Kind.NEW, made).problems == ()


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ({"submitter": "A. Astronomer"}, "lacks institution, observers, measurers"),
        ({"submitter": "A", "institution": "", "observers": [], "measurers": [], "email": "x"}, "has no email"),
    ],
)
def test_a_configuration_with_other_keys_is_refused(table, word):
    with pytest.raises(ValueError, match=word):
        Context.of(table)
