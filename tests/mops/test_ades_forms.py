"""PSV and XML as forms: any document comes back from either, and no text breaks the parsers."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.mpc.ades_context import GROUPS
from mops.mpc.ades_document import Block, Document, Record, kind_of
from mops.mpc.ades_psv import format_psv, parse_psv
from mops.mpc.ades_types import ALL_FIELDS, FIELDS
from mops.mpc.ades_write import ades_document
from mops.mpc.ades_xml import format_xml, parse_xml
from tests.mops.mpc_observations import CONTEXT, observations, observed, tracklet

# no pipe, and none of the two marks that begin a line of PSV's header
LETTERS = [chr(code) for code in range(33, 0x2FF) if chr(code).isprintable() and chr(code) not in "|#!"]
words = st.text(st.sampled_from(LETTERS), min_size=1, max_size=9)
sentences = st.lists(words, min_size=1, max_size=3).map(" ".join)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    names = draw(st.lists(st.sampled_from(sorted(set(GROUPS) - {"fundingSource"})), min_size=1, unique=True))
    context = {
        name: tuple((keyword, draw(sentences)) for keyword in [*GROUPS[name].required, *GROUPS[name].optional])
        for name in names
    }
    fields = draw(st.lists(st.sampled_from(sorted(set(FIELDS) - {"obsTime"})), min_size=1, max_size=6, unique=True))
    records = [
        Record(0, "optical", {"obsTime": "2026-04-05T03:04:05Z", **{name: draw(words) for name in fields}})
        for _ in range(draw(st.integers(1, 3)))
    ]
    return Block(0, context, tuple(records))


def content(document: Document) -> list[tuple[object, list[dict[str, str]]]]:
    """What a document says, without lines and the order of fields."""
    return [(dict(block.context), [record.fields for record in block.records]) for block in document.blocks]


@given(st.lists(blocks(), min_size=1, max_size=3))
@settings(max_examples=40)
def test_any_document_comes_back_from_psv(made):
    document = Document(blocks=tuple(made))
    back = parse_psv(format_psv(document))
    assert back.refused == ()
    assert content(back) == content(document)


@given(st.lists(blocks(), min_size=1, max_size=3))
@settings(max_examples=40)
def test_any_document_comes_back_from_xml(made):
    document = Document(blocks=tuple(made))
    back = parse_xml(format_xml(document).encode())
    assert back.refused == ()
    assert content(back) == content(document)


@given(st.lists(observations(), min_size=1, max_size=4))
@settings(max_examples=50)
def test_our_xml_is_read_by_another_parser(rows):
    root = ElementTree.fromstring(format_xml(ades_document(rows, CONTEXT)))  # noqa: S314 we wrote it ourselves
    assert root.tag == "ades" and root.get("version") == "2022"
    assert len(root.findall("./obsBlock/obsData/optical")) == len(rows)
    assert root.findtext("./obsBlock/obsContext/observatory/mpcCode") == "X05"


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_no_text_breaks_the_psv_parser(text):
    for refusal in parse_psv(text).refused:
        assert 1 <= refusal.line <= text.count("\n") + 1


@given(
    st.lists(
        st.sampled_from(["# ", "!", "#", "|", "obsTime", "stn", "permID", "433", " ", "\n", "! name x"]), max_size=40
    )
)
@settings(max_examples=300)
def test_no_mixture_of_psvs_own_marks_breaks_its_parser(parts):
    document = parse_psv("".join(parts))
    assert all(set(record.fields.values()).isdisjoint({""}) for record in document.records)


@given(st.lists(st.sampled_from(["<ades version='2022'>", "</ades>", "<optical>", "</optical>", "<ra>", "</ra>", "1",
                                 "<obsBlock>", "</obsBlock>", "<obsContext>", "</obsContext>", "<observers>",
                                 "</observers>", "<name>", "</name>", "<!--", "-->", "&amp;", "&x;", "<![CDATA["]),
                max_size=30))  # fmt: skip
@settings(max_examples=400)
def test_no_mixture_of_elements_breaks_the_xml_parser(parts):
    for refusal in parse_xml("".join(["<ades version='2022'>", *parts]).encode()).refused:
        assert refusal.line >= 1 and refusal.reason


def test_an_entity_bomb_is_refused_before_it_is_read():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE ades [<!ENTITY l0 "ha">{laughs}]><ades version="2022">&l9;</ades>'
    (refusal,) = parse_xml(text.encode()).refused
    assert "document type" in refusal.reason


def test_psv_columns_stand_below_each_other():
    lines = format_psv(ades_document(tracklet(0), CONTEXT)).splitlines()[-3:]
    assert len({tuple(match.start() for match in re.finditer(r"\|", line)) for line in lines}) == 1


def test_columns_that_are_empty_throughout_are_not_there():
    text = format_psv(ades_document([observed(), observed(mjd_utc=61136.0, remarks="cloudy")], CONTEXT))
    assert "remarks" in text and "notes" not in text and "permID" not in text


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"ra", "dec"}, "optical"),
        ({"delay"}, "radar"),
        ({"doppler", "ra"}, "radar"),
        ({"raStar", "deltaRA"}, "occultation"),
        ({"obsCenter", "deltaRA"}, "offset"),
        ({"dist", "pa"}, "offset"),
    ],
)
def test_the_kind_of_a_psv_record_is_told_by_its_columns(names, kind):
    assert kind_of(names) == kind


def test_every_column_name_is_known_once():
    assert len(ALL_FIELDS) > 90
    assert list(FIELDS)[:4] == ["permID", "provID", "artSat", "trkSub"]
    order = [
        name for name in FIELDS if name in ("mode", "stn", "obsTime", "ra", "dec", "rmsRA", "astCat", "mag", "band")
    ]
    assert order == ["mode", "stn", "obsTime", "ra", "dec", "rmsRA", "astCat", "mag", "band"]


@pytest.mark.parametrize("place", ["optical", "obsData", "obsBlock"])
def test_an_element_between_others_changes_nothing(place):
    text = format_xml(ades_document([observed()], CONTEXT))
    (record,) = parse_xml(text.replace(f"<{place}>", f"<{place}><extra>x</extra>").encode()).records
    extra = {"extra": "x"} if place == "optical" else {}
    assert record.fields == extra | ades_document([observed()], CONTEXT).records[0].fields
