"""Any file is told by its content; nothing in a file raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.mpc.ades_write import ades_document, psv_bytes, xml_bytes
from mops.mpc.importing import LARGEST_BYTES, Format, import_bytes, import_file, sniff
from mops.mpc.obs80 import write_obs80
from tests.mops.mpc_observations import CONTEXT, LINE, tracklet

ROWS = [row for night in range(2) for row in tracklet(night)]
DOCUMENT = ades_document(ROWS, CONTEXT)
CSV = "provID,ra,dec,obsTime,stn\n" + "2026 GA1,1.0,2.0,2026-04-05T03:04:05Z,X05\n" * 4
FILES = {
    Format.PSV: psv_bytes(DOCUMENT),
    Format.XML: xml_bytes(DOCUMENT),
    Format.CSV: CSV.encode(),
    Format.OBS80: write_obs80(ROWS).encode(),
}


@pytest.mark.parametrize("expected", FILES)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n\r\n"])
def test_a_format_is_told_by_content_alone(expected, before, tmp_path):
    path = tmp_path / "observations.wrong_suffix"
    path.write_bytes(before + FILES[expected])
    imported = import_file(path)
    assert imported.format is expected
    assert len(imported.reading.observations) == 4 and imported.reading.refused == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("permID|mode|stn|obsTime|ra|dec\n", Format.PSV),
        ("COD X05\nOBS B. Observer\n", Format.OBS80),
        (f"\n\n{LINE}\n", Format.OBS80),
        ("some,other,table\n1,2,3\n", Format.UNKNOWN),
        ("", Format.UNKNOWN),
    ],
)
def test_headers_alone_say_the_format(text, expected):
    assert sniff(text) is expected


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"Dear Sir or Madam,\n", "none of ADES"),
        (b"# version=2022\n\xff\xfe\n", "byte 15 on line 2 is 0xff"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_sentence(data, word):
    imported = import_bytes(data)
    assert imported.format is Format.UNKNOWN
    assert not imported.reading.observations
    assert word in imported.report()


def test_a_file_too_large_is_not_read(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)  # sparse: no block is written
    assert "split it" in import_file(path).report()


def test_a_file_that_is_not_there_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        import_file(tmp_path / "none")


def test_the_report_counts_and_names_the_first_refused_lines():
    bad = CSV + "2026 GA1,1.0,2.0,2026-04-05T03:04:05,X05\n" * 30
    report = import_bytes(bad.encode()).report(most_refusals=2).splitlines()
    assert report[0] == "table with ADES's columns: 4 observations of 1 objects, 30 lines refused"
    assert report[1].startswith("  line 6: the time '2026-04-05T03:04:05' has no Z")
    assert report[-1] == "and 28 more" and len(report) == 4


def test_objects_are_grouped():
    objects = import_bytes(FILES[Format.OBS80]).objects
    assert {name: len(rows) for name, rows in objects.items()} == {"d00001A": 4}


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_no_bytes_raise(data):
    imported = import_bytes(data)
    assert imported.reading.observations or imported.reading.refused or imported.report()


@given(st.sampled_from(sorted(FILES)), st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_file_never_raises_and_says_what_it_lost(which, data):
    whole = FILES[which]
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, min(start + 40, len(whole))))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[end:]
    imported = import_bytes(damaged)
    for refusal in imported.reading.refused:
        assert refusal.line >= 0 and len(refusal.reason) > 10


@given(st.sampled_from([Format.PSV, Format.CSV, Format.OBS80]), st.data())
@settings(max_examples=200)
def test_a_damaged_row_costs_no_other_row(which, data):
    lines = FILES[which].decode().split("\n")
    row = len(lines) - 1 - data.draw(st.integers(1, 4))
    junk = data.draw(st.text(st.characters(exclude_characters="\n#!", exclude_categories=["Cs"]), max_size=60))
    damaged = "\n".join([*lines[:row], junk, *lines[row + 1 :]])
    kept = {observation.line for observation in import_bytes(damaged.encode()).reading.observations}
    assert kept >= set(range(len(lines) - 4, len(lines))) - {row + 1}
