"""The words of well-known objects' orbits, and the limits between the words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.elements import Elements
from mops.science.orbit_class import CLASSES, JUPITER_AU, orbit_class, tisserand_jupiter


def orbit(a: float, e: float, i: float) -> Elements:
    """Only size, shape and tilt; `a` is negative where `e` is above 1."""
    a_, e_, i_, node, argperi, mean = np.array([[a], [e], [i], [10.0], [20.0], [30.0]])
    return Elements.of_mean_anomaly(a_, e_, i_, node, argperi, mean, 60_400.0)


def word(a: float, e: float, i: float = 5.0) -> str:
    return str(orbit_class(orbit(a, e, i))[0])


@pytest.mark.parametrize(
    ("name", "a", "e", "i", "expected"),
    [
        ("2020 AV2", 0.5554, 0.177, 15.9, "Atira"),
        ("99942 Apophis", 0.9224, 0.1915, 3.3, "Aten"),
        ("1862 Apollo", 1.4706, 0.5598, 6.4, "Apollo"),
        ("1221 Amor", 1.9193, 0.4352, 11.9, "Amor"),
        ("132 Aethra", 2.6090, 0.3890, 25.0, "Mars crosser"),
        ("434 Hungaria", 1.9444, 0.0741, 22.5, "Hungaria"),
        ("4 Vesta", 2.3617, 0.0887, 7.1, "inner belt"),
        ("1 Ceres", 2.7660, 0.0785, 10.6, "middle belt"),
        ("10 Hygiea", 3.1418, 0.1125, 3.8, "outer belt"),
        ("153 Hilda", 3.9679, 0.1392, 7.8, "Hilda"),
        ("588 Achilles", 5.2073, 0.1472, 10.3, "Jupiter Trojan"),
        ("279 Thule", 4.2709, 0.0119, 2.3, "beyond the belt"),
        ("2060 Chiron", 13.692, 0.3787, 6.9, "Centaur"),
        ("134340 Pluto", 39.482, 0.2488, 17.1, "transneptunian"),
        ("90377 Sedna", 506.0, 0.8496, 11.9, "transneptunian"),
        ("67P", 3.4630, 0.6410, 7.0, "Amor"),  # q = 1.243 au: near-Earth comes first
        ("10P/Tempel 2", 3.065, 0.5365, 12.0, "Mars crosser"),
        ("9P/Tempel 1", 3.146, 0.5097, 10.5, "Mars crosser"),
        ("1P/Halley", 17.93, 0.9679, 162.2, "Apollo"),
        ("C/1995 O1 Hale-Bopp", 186.0, 0.9951, 89.4, "Apollo"),
        ("944 Hidalgo", 5.7370, 0.6606, 42.5, "comet-like"),
        ("1I/ʻOumuamua", -1.2723, 1.2011, 122.7, "interstellar"),
        ("2I/Borisov", -0.8515, 3.3565, 44.1, "interstellar"),
        ("C/1980 E1", -59.0, 1.0577, 1.7, "hyperbolic"),
    ],
)
def test_known_objects_have_their_known_words(name, a, e, i, expected):
    assert word(a, e, i) == expected, name


def test_the_tisserand_parameter_of_jupiter_is_3_and_of_67p_2_75():
    assert tisserand_jupiter(orbit(JUPITER_AU, 0, 0)) == pytest.approx([3.0])
    assert tisserand_jupiter(orbit(3.463, 0.6410, 7.04)) == pytest.approx([2.75], abs=0.01)
    assert tisserand_jupiter(orbit(17.93, 0.9679, 162.2)) == pytest.approx([-0.6], abs=0.03)
    assert np.isfinite(tisserand_jupiter(orbit(-1.27, 1.2, 122)))[0]


@pytest.mark.parametrize(
    ("below", "above", "limit"),
    [
        ("Amor", "Mars crosser", 1.3),
        ("Apollo", "Amor", 1.017),
        ("Mars crosser", "inner belt", 1.666),
    ],
)
def test_perihelion_parts_the_classes_at_its_limits(below, above, limit):
    assert word(2.3, 1 - (limit - 1e-6) / 2.3) == below
    assert word(2.3, 1 - (limit + 1e-6) / 2.3) == above


@pytest.mark.parametrize(
    ("a", "below", "above"), [(2.5, "inner belt", "middle belt"), (30.1, "Centaur", "transneptunian")]
)
def test_size_parts_the_classes_at_its_limits(a, below, above):
    assert word(a - 1e-6, 0.1) == below
    assert word(a, 0.1) == above


@given(st.floats(0.2, 1_000), st.floats(0, 0.999), st.floats(0, 180))
@settings(max_examples=200, deadline=None)
def test_every_closed_orbit_has_a_word_with_a_definition(a, e, i):
    assert word(a, e, i) in CLASSES
    assert word(a, e, i) not in {"interstellar", "hyperbolic"}


def test_elements_that_are_no_numbers_have_no_word():
    nothing = Elements(*(np.array([np.nan]) for _ in range(8)))
    assert orbit_class(nothing).tolist() == ["unknown"]
    assert np.isnan(tisserand_jupiter(nothing)[0])


def test_no_orbits_have_no_words():
    assert orbit_class(Elements(*(np.empty(0) for _ in range(8)))).shape == (0,)
