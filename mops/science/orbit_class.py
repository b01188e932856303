"""What kind of object an orbit belongs to, in the field's words, with the limits that define each.

Near-Earth and Mars-crossing classes as the Minor Planet Center (docs.minorplanetcenter.net, "Orbit Type Definition");
Trojans, Centaurs and transneptunians as JPL's Small-Body Database (ssd-api.jpl.nasa.gov/doc/sbdb_filter.html), which
also has the Mars crossers' q; Hungarias and Hildas by the customary limits of their groups; the belt is parted at
Jupiter's 3:1, 5:2 and 2:1 resonances. Comet-like is a Tisserand parameter below 3 (Levison 1996, ASP Conf. 107, 173).
"""

import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN
from mops.science.elements import Elements

JUPITER_AU = 5.2044
KM_S = 149_597_870.7 / 86_400  # of one au/day
INTERSTELLAR_KM_S = 5.0  # C/1980 E1, thrown out by Jupiter, has left with 3.8; 2I came with 32, 1I with 26

# In this order: the first sentence that holds names the class.
CLASSES = {
    "interstellar": "e ≥ 1 and a speed at infinity of 5 km/s or more",
    "hyperbolic": "e ≥ 1, slower: thrown out by a planet",
    "Atira": "inside the Earth's orbit: Q < 0.983 au",
    "Aten": "a < 1 au, Q ≥ 0.983 au",
    "Apollo": "a ≥ 1 au, q < 1.017 au",
    "Amor": "1.017 ≤ q < 1.3 au",
    "comet-like": "T_J < 3, q ≤ 5.2044 au ≤ Q, not in the belt, not at Jupiter's leading or trailing points",
    "Hungaria": "1.78 ≤ a < 2.0 au, e < 0.18, 16° ≤ i < 34°",
    "Mars crosser": "1.3 ≤ q < 1.666 au, a < 3.27 au",
    "inner belt": "a < 2.50 au, q ≥ 1.666 au",
    "middle belt": "2.50 ≤ a < 2.82 au, q ≥ 1.666 au",
    "outer belt": "2.82 ≤ a < 3.27 au, q ≥ 1.666 au",
    "Hilda": "3.7 ≤ a < 4.2 au, e < 0.3, i < 20°",
    "Jupiter Trojan": "4.6 ≤ a < 5.5 au, e < 0.3",
    "beyond the belt": "a < 5.5 au, none of the above",
    "Centaur": "5.5 ≤ a < 30.1 au",
    "transneptunian": "a ≥ 30.1 au",
}
UNKNOWN = "unknown"


def tisserand_jupiter(elements: Elements) -> npt.NDArray[np.float64]:
    """T_J = a_J/a + 2 cos i √((1 − e²) a/a_J), (n,); of open orbits too, whose a is negative. NaN where a or e is."""
    a = elements.a / JUPITER_AU
    with np.errstate(invalid="ignore"):
        t: npt.NDArray[np.float64] = 1 / a + 2 * np.cos(np.radians(elements.i)) * np.sqrt((1 - elements.e**2) * a)
    return t


def orbit_class(elements: Elements) -> npt.NDArray[np.str_]:
    """The word of each orbit, (n,), a key of `CLASSES`, or "unknown" where the elements are not numbers."""
    a, e, q, i = elements.a, elements.e, elements.q, elements.i
    with np.errstate(invalid="ignore", divide="ignore"):
        far, t_j, open_orbit = a * (1 + e), tisserand_jupiter(elements), e >= 1
        speed_km_s = np.sqrt(np.maximum(-GM_SUN / a, 0)) * KM_S
        trojan, belt = (a >= 4.6) & (a < 5.5) & (e < 0.3), (q >= 1.666) & (a < 3.27)
        holds = {
            "interstellar": open_orbit & (speed_km_s >= INTERSTELLAR_KM_S),
            "hyperbolic": open_orbit,
            "Atira": far < 0.983,
            "Aten": a < 1,
            "Apollo": q < 1.017,
            "Amor": q < 1.3,
            "comet-like": (t_j < 3) & (q <= JUPITER_AU) & (far >= JUPITER_AU) & ~trojan & ~belt,
            "Hungaria": (a >= 1.78) & (a < 2.0) & (e < 0.18) & (i >= 16) & (i < 34),
            "Mars crosser": (q < 1.666) & (a < 3.27),
            "inner belt": a < 2.50,
            "middle belt": a < 2.82,
            "outer belt": a < 3.27,
            "Hilda": (a >= 3.7) & (a < 4.2) & (e < 0.3) & (i < 20),
            "Jupiter Trojan": trojan,
            "beyond the belt": a < 5.5,
            "Centaur": a < 30.1,
            "transneptunian": a >= 30.1,
        }
    return np.select(list(holds.values()), list(holds), default=UNKNOWN)
