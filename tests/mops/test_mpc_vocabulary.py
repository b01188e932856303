"""The words of ADES and the letters of 80-column records stand for each other."""

import pytest

from mops.mpc import vocabulary as words
from mops.mpc.obs80 import read_obs80, write_obs80
from tests.mops.mpc_observations import observed

MODES = sorted(words.MODES | words.HISTORICAL_MODES)
BANDS = sorted(words.BANDS | words.HISTORICAL_BANDS)


def through_80_columns(**changes):
    (row,) = read_obs80(write_obs80([observed(**changes)])).observations
    return row


def test_the_lists_do_not_overlap():
    assert not words.MODES & words.HISTORICAL_MODES
    assert not words.BANDS & words.HISTORICAL_BANDS
    assert not words.CATALOGUES & words.HISTORICAL_CATALOGUES


@pytest.mark.parametrize("catalogue", sorted(words.LETTER_OF_CATALOGUE))
def test_every_catalogue_with_a_letter_comes_back(catalogue):
    assert len(words.LETTER_OF_CATALOGUE[catalogue]) == 1
    assert through_80_columns(astrometric_catalogue=catalogue).astrometric_catalogue == catalogue


def test_todays_catalogues_of_gaia_have_letters():
    assert {words.CATALOGUE_OF[letter] for letter in "UVWX"} == {"Gaia1", "Gaia2", "Gaia3", "Gaia3E"}
    assert set(words.CATALOGUES) <= set(words.LETTER_OF_CATALOGUE)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in ("TDI", "UNK")])
def test_every_mode_with_a_letter_comes_back(mode):
    assert through_80_columns(mode=mode).mode == mode


@pytest.mark.parametrize(("mode", "read"), [("TDI", "CCD"), ("UNK", "PHO"), ("", "CCD")])
def test_a_mode_without_a_letter_takes_the_nearest(mode, read):
    assert through_80_columns(mode=mode).mode == read


@pytest.mark.parametrize("band", BANDS)
def test_every_band_has_a_letter_that_the_format_accepts(band):
    letter = through_80_columns(band=band).band
    assert letter in words.BAND_LETTERS
    assert letter == words.BAND_LETTER_OF.get(band, band)


@pytest.mark.parametrize(
    ("band", "letter"), [("Lu", "u"), ("Lr", "r"), ("Pw", "w"), ("Vj", "V"), ("Ao", "o"), ("G", "G")]
)
def test_bands_keep_their_letter(band, letter):
    assert through_80_columns(band=band).band == letter


@pytest.mark.parametrize("note", sorted(words.NOTES))
def test_a_note_of_column_14_comes_back_as_a_note(note):
    row = through_80_columns(notes=note)
    assert (row.notes, row.program) == (note, "")


@pytest.mark.parametrize("program", ["1", "%", "~", "Y"])
def test_what_is_no_note_is_a_program(program):
    row = through_80_columns(program=program)
    assert (row.notes, row.program) == ("", program)


@pytest.mark.parametrize("discovery", ["*", "+", ""])
def test_a_discovery_mark_comes_back(discovery):
    assert through_80_columns(discovery=discovery).discovery == discovery
