"""Observatory codes."""

import pytest

from mops.mpc.stations import Kind, place_needed, station, stations


def test_rubin_is_known_and_on_the_ground():
    rubin = station("X05")
    assert rubin.kind is Kind.GROUND and not rubin.needs_place
    assert "Rubin" in rubin.name
    assert rubin.east_longitude_deg == pytest.approx(289.25058)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("500", Kind.GEOCENTRE), ("C51", Kind.SPACE), ("274", Kind.SPACE), ("247", Kind.ROVING), ("270", Kind.ROVING)],
)
def test_what_is_no_place_on_the_ground_is_told_apart(code, kind):
    assert station(code).kind is kind


def test_every_code_that_has_a_longitude_needs_no_place():
    moving = {code for code, found in stations().items() if found.needs_place}
    assert 20 < len(moving) < 100
    assert all(place_needed(code) for code in moving)
    assert not any(place_needed(code) for code in set(stations()) - moving)


@pytest.mark.parametrize("code", ["XYZ", "x5", "0000", "Rubin"])
def test_an_unknown_code_is_refused_in_a_sentence(code):
    with pytest.raises(ValueError, match="is no observatory code of the Minor Planet Center"):
        station(code)


def test_a_missing_code_says_so():
    with pytest.raises(ValueError, match="code is missing"):
        station("   ")


@pytest.mark.parametrize(("code", "meant"), [("x05", "X05"), ("95", "095"), (" 695 ", "695")])
def test_a_code_written_otherwise_is_not_taken_but_named(code, meant):
    with pytest.raises(ValueError, match=f"did you mean {meant}"):
        station(code)


def test_why_a_spacecraft_needs_its_place_is_said():
    assert "WISE" in place_needed("C51") and "spacecraft" in place_needed("C51")
    assert "roving observer" in place_needed("247")
