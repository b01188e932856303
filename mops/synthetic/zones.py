"""The zones of the Solar System that synthetic objects are drawn from, and their shares.

The ranges are those that the literature uses to tell the zones apart (Grav et al. 2011, PASP 123, 423, S3M; Gladman et
al. 2008 for the Centaurs and beyond). The distributions within them are simple shapes with the published means: they
exercise a linker in every zone; they do not replace a debiased model. The faint ends of H stand where, with the
survey's shares and LSST's depths, an object gives 1.09 detections in a fortnight: most objects are near the limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone: how its orbits and absolute magnitudes are drawn.

    word : its name everywhere.  a : au, least and most, uniform.  e : width of a Rayleigh distribution and the
    most.  i : width in degrees of sin i · exp(−i²/2σ²) (Brown 2001) and the most.  q : au, perihelia outside are
    refused.  slope : α of N(<H) ∝ 10^(αH).  h : brightest and faintest H.  share_s : share of S-type colours.
    resonance : "3:2" and "1:1" place the objects where resonance with Jupiter keeps them.
    """

    word: str
    a: tuple[float, float]
    e: tuple[float, float]
    i: tuple[float, float]
    q: tuple[float, float]
    slope: float
    h: tuple[float, float]
    share_s: float
    resonance: str = ""


_ANY = (0.0, 1e9)

# NEO: q < 1.3 au; medians of a ≈ 2.1, e ≈ 0.5, i ≈ 13° and the slope near H = 20 of Granvik et al. (2018, Icarus 312).
# Hungarias and Mars crossers: Milani et al. (2010, Icarus 207, 769); Mars crossers have 1.3 < q < 1.666 au.
# Main belt: cuts at the 3:1 (2.502 au) and 5:2 (2.825 au) resonances; slope of H > 15: Gladman et al. (2009, Icarus
# 202, 104). S-types rule inside, C-types outside: DeMeo & Carry (2013, Icarus 226, 723).
# Hildas in 3:2 with Jupiter, Trojans in 1:1: slopes of Wong & Brown (2015, AJ 150, 174; 2017, AJ 153, 69).
# Centaurs 5.2 < a < 30 au: Gladman et al. (2008). TNO: widths and faint slope of Petit et al. (2011, AJ 142, 131) and
# Fraser et al. (2014, ApJ 782, 100).
ZONES = (
    Zone("neo", (0.7, 3.8), (0.48, 0.96), (13.0, 75.0), (0.15, 1.3), 0.35, (17.0, 24.5), 0.6),
    Zone("mars_crosser", (1.6, 3.2), (0.35, 0.6), (13.0, 50.0), (1.3, 1.666), 0.35, (15.0, 22.0), 0.6),
    Zone("hungaria", (1.78, 2.0), (0.07, 0.18), (21.0, 35.0), (1.5, 2.0), 0.35, (15.0, 22.0), 0.7),
    Zone("main_belt_inner", (2.1, 2.502), (0.13, 0.35), (5.0, 30.0), (1.666, 9.0), 0.33, (13.0, 21.4), 0.7),
    Zone("main_belt_middle", (2.502, 2.825), (0.13, 0.35), (7.5, 35.0), (1.666, 9.0), 0.33, (13.0, 20.9), 0.4),
    Zone("main_belt_outer", (2.825, 3.28), (0.12, 0.35), (8.0, 35.0), (1.666, 9.0), 0.33, (12.5, 20.4), 0.2),
    Zone("hilda", (3.92, 4.0), (0.14, 0.3), (6.5, 25.0), _ANY, 0.4, (11.0, 18.4), 0.0, "3:2"),
    Zone("trojan", (5.1, 5.3), (0.06, 0.2), (10.0, 40.0), _ANY, 0.37, (9.0, 16.4), 0.0, "1:1"),
    Zone("centaur", (5.6, 30.0), (0.3, 0.8), (12.0, 60.0), (5.2, 30.0), 0.42, (7.0, 13.4), 0.0),
    Zone("tno", (35.0, 60.0), (0.15, 0.6), (10.0, 50.0), (28.0, 60.0), 0.5, (4.0, 8.5), 0.0),
    Zone("interstellar", _ANY, _ANY, _ANY, (0.2, 4.0), 0.4, (16.0, 22.0), 0.0),
)
WORDS = tuple(zone.word for zone in ZONES)
BOUND = WORDS[:-1]

# What ten years of LSST find (Kurlander et al. 2025, arXiv 2506.02487: 1.27e5 NEO, 5.09e6 main belt, 1.09e5 Trojans,
# 3.70e4 TNO; Murtagh et al. 2025, arXiv 2506.02779: some 1,600 Centaurs). The belt is cut by us as in S3M.
SURVEY_SHARES: Mapping[str, float] = {
    "neo": 0.0237,
    "mars_crosser": 0.020,
    "hungaria": 0.015,
    "main_belt_inner": 0.270,
    "main_belt_middle": 0.320,
    "main_belt_outer": 0.314,
    "hilda": 0.0098,
    "trojan": 0.0203,
    "centaur": 0.0003,
    "tno": 0.0069,
}
EQUAL_SHARES: Mapping[str, float] = dict.fromkeys(BOUND, 1.0)


def counts(n: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Cut `n` objects by `shares` (any scale), largest remainders first, so that they add up to `n`.

    Raises
    ------
    ValueError
        For a negative number, a zone that we do not know, or shares of nothing.
    """
    unknown = sorted(set(shares) - set(WORDS))
    if unknown:
        raise ValueError(f"The shares name {', '.join(unknown)}; the zones are {', '.join(WORDS)}.")
    total = sum(shares.values())
    if n < 0 or min(shares.values(), default=0) < 0 or not total > 0:
        raise ValueError(
            f"{n} objects cannot be cut by {dict(shares)}: give a number ≥ 0 and shares ≥ 0, not all zero."
        )
    exact = {word: n * shares.get(word, 0.0) / total for word in WORDS}
    whole = {word: int(value) for word, value in exact.items()}
    for word in sorted(exact, key=lambda word: whole[word] - exact[word])[: n - sum(whole.values())]:
        whole[word] += 1
    return whole
