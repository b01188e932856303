"""Constants of DE440, in au, days (TDB) and radians.

Sources: Park et al. 2021, AJ 161:105, Table 2 and the comment area of de440.bsp (mass parameters); IAU 2012 Resolution
B2 (astronomical unit); IAU 1976 obliquity, which defines the ecliptic J2000 of orbital elements (JPL, MPC).
"""

import math

AU_KM = 149_597_870.7
C_AU_PER_DAY = 299_792.458 * 86_400 / AU_KM
GM_SUN = 2.9591220828411956e-04  # au³/day²
OBLIQUITY = math.radians(84_381.448 / 3600)
RADIUS_SUN_AU = 695_700.0 / AU_KM  # IAU 2015 Resolution B3
RADIUS_EARTH_KM = 6_378.137  # the unit of the MPC's parallax constants
ARCSEC = math.radians(1 / 3600)

# au³/day²; the systems of the outer planets count as one body, the Earth and the Moon as two
GM_PLANETS = {
    "mercury": 4.9125001948893182e-11,
    "venus": 7.2434523326441187e-10,
    "earth": 8.8876924467071022e-10,
    "moon": 1.0931894624024351e-11,
    "mars": 9.5495488297258119e-11,
    "jupiter": 2.8253458252257917e-07,
    "saturn": 8.4597059933762903e-08,
    "uranus": 1.2920265649682399e-08,
    "neptune": 1.5243573478851939e-08,
    "pluto": 2.1750964648933581e-12,
}
