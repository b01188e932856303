"""The Level 1 database: sources of difference images, their objects, and the Solar System in them (docs/level1.md).

Tables and columns carry the names, units and nullability of Rubin's APDB schema 10.0.0, for every column that DayOps
reads or writes. What is added for our own needs (`night`, `healpix`, `loadId`) is said to be ours where it is declared.
"""
