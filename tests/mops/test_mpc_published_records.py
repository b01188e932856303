"""Records as they are published, of every kind that the format has, against what each of them says.

They are the kinds of `tests/mpc/tests/test.mpc` of IAU-ADES/ADES-Master.
"""

from math import isnan
from typing import NamedTuple

import pytest

from mops.mpc.designations import Designation
from mops.mpc.obs80 import read_obs80


class Said(NamedTuple):
    """What a record says. `mag` is 0 where it gives none."""

    line: str
    name: Designation
    station: str
    mode: str
    mag: float
    band: str
    catalogue: str


PUBLISHED = [
    Said(
        "00001         A1801 01 01.82630 03 38 23.07 +16 17 25.5                 MC004535",
        Designation("1"), "535", "PHO", 0, "", "",
    ),
    Said(
        "00005         A1948 11 06.8549  01 15.0     -00 00               10.2   CK004094",
        Designation("5"), "094", "PHO", 10.2, "", "",
    ),
    Said(
        "A5896K00SI7G  C2000 09 21.49807 01 24 40.10 +00 32 31.5          19.7  cc0106608",
        Designation("105896", "2000 SG187"), "608", "CCD", 19.7, "", "USNOA2",
    ),
    Said(
        "08459         E2014 03 14.00320010 38 58.470+09 15 58.74               g~18Jb244",
        Designation("8459"), "244", "OCC", 0, "", "Tyc2",
    ),
    Said(
        "m3390T3S5059  C2017 01 04.51885 10 41 28.296+17 20 44.71         21.4 wL~252UF51",
        Designation("483390", "5059 T-3"), "F51", "CCD", 21.4, "w", "2MASS",
    ),
    Said(
        "    DJ93F02w  C1994 05 16.94489 14 16 27.83 -13 47 43.0                 23560950",
        Designation("", "D/1993 F2-W"), "950", "CCD", 0, "", "",
    ),
    Said(
        "    PK09Y020  C2010 02 01.83531 01 42 17.71 +25 18 22.9          19.2 Nc68641587",
        Designation("", "P/2009 Y2"), "587", "CCD", 19.2, "N", "USNOA2",
    ),
    Said(
        "0020DJ13S010  M1913 10 08.91844 21 23 15.80 +07 51 12.2                pJO002007",
        Designation("20D", "D/1913 S1"), "007", "MIC", 0, "", "PPM",
    ),
    Said(
        "0217PK01M07D  C2002 01 14.78538 00 54 14.11 -09 48 58.2          15.1 T 44269939",
        Designation("217P", "P/2001 MD7"), "939", "CCD", 15.1, "T", "",
    ),
    Said(
        "0141P      h 9C2015 08 26.21431 07 21 26.39 +26 33 00.1          18.7 Tq95367G40",
        Designation("141P-H"), "G40", "CCD", 18.7, "T", "UCAC4",
    ),
    Said(
        "07968J96N020  C1996 12 14.12169 22 14 57.58 -11 06 41.8          20.4 V 28913695",
        Designation("7968", "P/1996 N2"), "695", "CCD", 20.4, "V", "",
    ),
    Said(
        "    SG10J010  C2006 05 06.00281 18 19 25.53 +32 03 49.6                c56788246",
        Designation("", "S/1610 J 1"), "246", "CCD", 0, "", "USNOA2",
    ),
    Said(
        "~AZaz         A1801 01 01.82630 03 38 23.07 +16 17 25.5                 MC004535",
        Designation("3140113"), "535", "PHO", 0, "", "",
    ),
]  # fmt: skip

REFUSED = [
    ("J001S         O2006 05 06.00281 18 19 25.53 +32 03 49.6                c56788246", "offset"),
    ("00019J02U00G* X1902 10 25.98085 03 37.9     +18 49               10     AN160024", "replaced"),
    ("     K01QW2W 6C2001a08 24.26181 20 32 43.45 -18 57 52.1          24.0 R e0366568", "2001a08"),
    ("00007         R1980 10 01.119444  94121382600                  2380 251 JPLRS251", "radar"),
    ("00009         V2000 08 01.00791 21 06 23.89 -25 09 14.4          10.0 R b8524247", "roving"),
    ("00003         S2010 12 18.12130 11 38 46.86 -02 09 57.7                L~0QlLC51", "second line"),
    ("00003         s2010 12 18.12130 1 - 6861.8061 +  799.8571 -  145.9541   ~0QlLC51", "line before"),
]


@pytest.mark.parametrize("said", PUBLISHED, ids=lambda said: said.line[:12].strip())
def test_a_published_record_is_understood(said):
    reading = read_obs80(said.line)
    assert reading.refused == ()
    (row,) = reading.observations
    assert row.name == said.name
    assert (row.station, row.mode, row.band, row.astrometric_catalogue) == said[2:4] + said[5:]
    assert isnan(row.mag) if said.mag == 0 else row.mag == said.mag


@pytest.mark.parametrize(("line", "word"), REFUSED)
def test_a_published_record_that_is_no_place_says_so(line, word):
    reading = read_obs80(line)
    assert reading.observations == ()
    assert word in reading.refused[0].reason


def test_a_whole_file_of_them_gives_each_its_line():
    text = "\n".join([said.line for said in PUBLISHED] + [line for line, _ in REFUSED[:3]])
    reading = read_obs80(text)
    assert [row.line for row in reading.observations] == list(range(1, len(PUBLISHED) + 1))
    assert [refusal.line for refusal in reading.refused] == [len(PUBLISHED) + 1 + number for number in range(3)]
