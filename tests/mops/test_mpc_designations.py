"""Packed designations against the Minor Planet Center's own examples, and every form there and back."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mops.mpc import base62
from mops.mpc.designations import (
    Designation,
    designation,
    from_columns,
    looks_official,
    own_designation,
    to_columns,
)
from mops.mpc.permanent import is_permanent, pack_permanent, unpack_permanent
from mops.mpc.provisional import is_provisional, pack_provisional, unpack_provisional
from tests.mops.mpc_observations import minor_planets, names, numbers, permanents, provisionals

# "Packed Provisional and Permanent Designations" and "Provisional Designations" of the Minor Planet Center
PERMANENT_EXAMPLES = [
    ("3202", "03202"),
    ("50000", "50000"),
    ("100345", "A0345"),
    ("360017", "a0017"),
    ("203289", "K3289"),
    ("620000", "~0000"),
    ("620061", "~000z"),
    ("3140113", "~AZaz"),
    ("15396335", "~zzzz"),
    ("1P", "0001P"),
    ("3D", "0003D"),
    ("116P", "0116P"),
    ("2I", "0002I"),
    ("Jupiter 13", "J013S"),
    ("Saturn 10", "S010S"),
    ("Neptune 2", "N002S"),
]
PROVISIONAL_EXAMPLES = [
    ("1995 XA", "J95X00A"),
    ("1995 XL1", "J95X01L"),
    ("1995 FB13", "J95F13B"),
    ("1998 SQ108", "J98SA8Q"),
    ("1998 SV127", "J98SC7V"),
    ("1998 SS162", "J98SG2S"),
    ("2099 AZ193", "K99AJ3Z"),
    ("2008 AA360", "K08Aa0A"),
    ("2007 TA418", "K07Tf8A"),
    ("2040 P-L", "PLS2040"),
    ("3138 T-1", "T1S3138"),
    ("1010 T-2", "T2S1010"),
    ("4101 T-3", "T3S4101"),
    ("2026 CZ619", "K26Cz9Z"),
    ("2026 CA620", "_QC0000"),
    ("2026 CZ6190", "_QC0aEM"),
    ("2026 CL591673", "_QCzzzz"),
    ("2026 DY620", "_QD000N"),
    ("2028 EA339749", "_SEZZZZ"),
    ("C/1995 A1", "CJ95A010"),
    ("P/1994 P1-B", "PJ94P01b"),
    ("C/2048 X13", "CK48X130"),
    ("C/2033 L89-C", "CK33L89c"),
    ("C/2088 A103", "CK88AA30"),
    ("P/2023 BA", "PK23B00A"),
    ("C/2028 EA339749", "C_SEZZZZ"),
    ("S/1999 U 3", "SJ99U030"),
    ("S/2020 J 1", "SK20J010"),
    ("A904 OA", "J04O00A"),
]


@pytest.mark.parametrize(("text", "packed"), PERMANENT_EXAMPLES)
def test_a_permanent_designation_packs_as_the_center_says(text, packed):
    assert pack_permanent(text) == (packed, "")
    assert unpack_permanent(packed) == text


@pytest.mark.parametrize(("text", "packed"), PROVISIONAL_EXAMPLES)
def test_a_provisional_designation_packs_as_the_center_says(text, packed):
    assert pack_provisional(text) == packed
    assert unpack_provisional(packed) == text


@given(permanents)
def test_every_permanent_designation_comes_back(text):
    assert unpack_permanent(*pack_permanent(text)) == text
    assert is_permanent(text) and not is_provisional(text)


@given(provisionals)
def test_every_provisional_designation_comes_back(text):
    packed = pack_provisional(text)
    assert len(packed) == 7 + ("/" in text)
    assert unpack_provisional(packed) == text


@given(st.integers(1, 619_999))
def test_packed_numbers_below_620000_sort_as_numbers_do(number):
    assume(number < 619_999)
    assert pack_permanent(str(number))[0] < pack_permanent(str(number + 1))[0]


@given(names)
def test_the_designation_columns_come_back(name):
    columns = to_columns(name)
    assert len(columns) == 12
    assert from_columns(columns) == name


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("00001       ", Designation(permanent="1")),
        ("A5896K00SI7G", Designation(permanent="105896", provisional="2000 SG187")),
        ("m3390T3S5059", Designation(permanent="483390", provisional="5059 T-3")),
        ("    DJ93F02w", Designation(provisional="D/1993 F2-W")),
        ("0141PJ94P01b", Designation(permanent="141P", provisional="P/1994 P1-B")),
        ("07968J96N020", Designation(permanent="7968", provisional="P/1996 N2")),
        ("0073P     bc", Designation(permanent="73P-BC")),
        ("J001SG10J010", Designation(permanent="Jupiter 1", provisional="S/1610 J 1")),
        ("00019J02U00G", Designation(permanent="19", provisional="A902 UG")),
        ("     AB10234", Designation(temporary="AB10234")),
    ],
)
def test_the_columns_of_published_records_are_understood(columns, expected):
    assert from_columns(columns) == expected
    assert to_columns(expected) == columns


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        (" " * 12, "blank"),
        ("00000       ", "number 0"),
        ("0000P       ", "number 0"),
        ("J000S       ", "number 0"),
        ("    CJ95A000", "order 0"),
        ("?0001       ", "packed permanent"),
        ("    CJ95A01?", "packed provisional"),
        ("     00433  ", "belongs in columns 1–5"),
        ("     a b    ", "no designation"),
    ],
)
def test_columns_without_sense_are_refused_in_a_sentence(columns, word):
    with pytest.raises(ValueError, match=word):
        from_columns(columns)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=12, max_size=12))
def test_any_twelve_columns_are_read_or_refused_and_never_read_as_another(columns):
    try:
        name = from_columns(columns)
    except ValueError as error:
        assert len(str(error)) > 20
        return
    assert name.name
    if not name.temporary:
        assert from_columns(to_columns(name)) == name


@pytest.mark.parametrize("text", ["４３３", "٤٣٣", "２０２５ AB12", "C/２０２５ N1"])
def test_digits_of_other_scripts_are_no_digits(text):
    with pytest.raises(ValueError, match="no designation"):
        designation(text)


@given(st.text(max_size=12))
def test_any_text_is_a_designation_or_refused(text):
    try:
        found = designation(text)
    except ValueError:
        return
    assert found.name and sum(map(bool, (found.permanent, found.provisional, found.temporary))) == 1


@given(st.one_of(numbers, minor_planets))
def test_packed_and_unpacked_text_name_the_same_object(text):
    packed = pack_permanent(text)[0] if is_permanent(text) else pack_provisional(text)
    assume(not packed.isdigit())  # digits alone are a number as they stand
    assert designation(packed) == designation(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("2036 CA620", "15,500 objects"),
        ("2009 CA620", "15,500 objects"),
        ("1995 IA", "no provisional designation"),
        ("1995 ZA", "no provisional designation"),
        ("1995 XI", "no provisional designation"),
        ("A950 XA", "no provisional designation"),
        ("C/1995 O700", "beyond 619"),
        ("C/2040 P-L", "no provisional designation"),
    ],
)
def test_what_cannot_be_packed_says_why(text, word):
    with pytest.raises(ValueError, match=word):
        pack_provisional(text)


@pytest.mark.parametrize("last", "PDIS")
def test_a_packed_number_that_ends_like_a_comets_is_a_minor_planets(last):
    name = Designation(permanent=unpack_permanent(f"~0BE{last}"), provisional="2007 DP79")
    assert from_columns(to_columns(name)) == name
    with pytest.raises(ValueError, match="not the number"):
        to_columns(Designation(permanent=name.permanent, provisional="P/2007 DP79"))


def test_a_number_beyond_the_packed_forms_is_refused():
    with pytest.raises(ValueError, match="the largest is 15396335"):
        pack_permanent("15396336")


@given(st.integers(0, 36**6 - 1), st.integers(0, 36**6 - 1))
def test_our_own_designations_are_unique_and_never_look_official(number, other):
    own = own_designation(number)
    assert len(own) == 7 and own.isalnum()
    assert not looks_official(own)
    assert (own == own_designation(other)) == (number == other)


@pytest.mark.parametrize("number", [-1, 36**6])
def test_a_candidate_beyond_seven_characters_has_no_designation(number):
    with pytest.raises(ValueError, match="has no designation of seven characters; expected 0 to 2176782335"):
        own_designation(number)


@pytest.mark.parametrize("temporary", ["K25A12B", "12345", "~0001", "d0000012"])
def test_an_own_designation_that_would_be_misread_is_not_written(temporary):
    with pytest.raises(ValueError, match=r"has the form|does not fit"):
        to_columns(Designation(temporary=temporary))


def test_an_orbit_type_that_contradicts_the_number_is_not_written():
    with pytest.raises(ValueError, match="not the number of an object whose designation begins with 'C'"):
        to_columns(Designation(permanent="141P", provisional="C/1994 P1"))


@given(st.integers(0, 62**4 - 1))
def test_base_62_comes_back(number):
    assert base62.decoded(base62.encoded(number, 4)) == number


@pytest.mark.parametrize("number", [-1, 62**4])
def test_base_62_refuses_what_does_not_fit(number):
    with pytest.raises(ValueError, match="does not fit 4 digits"):
        base62.encoded(number, 4)


def test_base_62_refuses_other_characters():
    with pytest.raises(ValueError, match="'~' in '0~00' is no digit"):
        base62.decoded("0~00")
