"""The Level 1 database: difference-image sources, what they belong to, and the Solar System found in them (docs/level1.md).

Tables and columns carry the names, units and nullability of Rubin's APDB schema 10.0.0, for every column that DayOps
reads or writes. What is added for our own needs (`night`, `healpix`, `loadId`) is said to be ours where it is declared.
"""
