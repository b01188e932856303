"""Kernels of DayMOPS: arrays in, arrays out. No Django, no database.

States are heliocentric, ICRF axes (equatorial J2000), au and au/day; epochs and dynamical times are MJD TDB. Detections
carry MJD TAI, degrees, and sigmas in arcseconds on the sky.
"""
