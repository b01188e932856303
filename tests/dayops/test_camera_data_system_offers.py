"""Offers are read strictly: every field that is wrong is named with what was expected."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.camera_data_system import BadOffer
from dayops.camera_data_system.offers import check_label, offer_as_json, read_listing, read_offer
from tests.dayops.simulated import listing_entry as entry


def test_a_good_entry_is_read_and_written_back():
    assert offer_as_json(read_offer(entry())) == entry()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "../etc/passwd", "looks like a path"),
        ("name", "/etc/passwd", "looks like a path"),
        ("name", "a\\b.fits", "looks like a path"),
        ("name", ".hidden.fits", "looks like a path"),
        ("name", "a\x00.fits", "holds control or invisible characters"),
        ("name", "a\x1b[31m.fits", "holds control or invisible characters"),
        ("name", "a\u202e.fits", "holds control or invisible characters"),
        ("name", "n" * 256, "expected at most 255 bytes"),
        ("name", "é" * 128, "expected at most 255 bytes"),
        ("name", "", "expected a name"),
        ("name", 7, "expected a name"),
        ("exposure", "a/b", "looks like a path"),
        ("day_obs", "20261122", "expected a whole number"),
        ("day_obs", True, "expected a whole number"),
        ("seq_num", -1, "expected a whole number"),
        ("seq_num", 1.5, "expected a whole number"),
        ("detector", "R22/S00", "looks like a path"),
        ("size", 0, "expected a whole number from 1"),
        ("size", 10**12, "expected a whole number from 1"),
        ("sha256", "AB" * 32, "expected 64 lower-case hexadecimal digits"),
        ("sha256", "ab" * 31, "expected 64 lower-case hexadecimal digits"),
        ("offered_at", "yesterday", "expected an instant"),
        ("offered_at", "2026-11-22T16:20:00", "expected a time zone"),
        ("offered_at", None, "expected an instant"),
    ],
)
def test_a_bad_field_is_named_with_what_was_expected(field, value, sentence):
    with pytest.raises(ValueError, match=rf"^{field} .*{sentence}"):
        read_offer(entry(**{field: value}))


def test_a_checksum_may_be_unknown_and_a_detector_unsaid():
    frame = read_offer(entry(sha256=None, detector=""))
    assert (frame.sha256, frame.detector) == (None, "")


def test_all_that_is_wrong_with_an_entry_is_said_at_once():
    with pytest.raises(ValueError, match=r"name is missing; size is 'big'.*; sha256 is missing"):
        read_offer({key: value for key, value in entry(size="big").items() if key not in {"name", "sha256"}})


@given(st.text())
def test_a_label_never_leaves_its_folder(text):
    try:
        label = check_label("name", text)
    except ValueError:
        return
    assert "/" not in label
    assert "\0" not in label
    assert label not in {".", ".."}
    assert len(label.encode()) <= 255


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_no_json_makes_the_reading_of_a_listing_fall_over(payload):
    for listing in (payload, {"frames": payload}, {"frames": [payload]}, {"frames": [entry(name=payload)]}):
        try:
            read_listing(listing, "somewhere")
        except BadOffer as error:
            assert "somewhere" in str(error)


def test_a_listing_is_read_oldest_first():
    frames = [entry(seq_num=2), entry(seq_num=1), entry(day_obs=20261121, seq_num=9)]
    assert [frame.seq_num for frame in read_listing({"frames": frames}, "x").frames] == [9, 1, 2]


def test_a_bad_entry_is_named_and_leaves_the_good_ones():
    listing = read_listing({"frames": [entry(size=0), entry(), entry(name=""), 7]}, "x")
    assert len(listing.frames) == 1
    assert [bad.name for bad in listing.bad] == ["'MC_S_20261122_000001_R22_S00.fits'", "entry 2", "entry 3"]
    assert listing.bad[0].problem.startswith("size is 0: expected a whole number from 1")
