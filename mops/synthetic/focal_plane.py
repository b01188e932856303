"""Which detector of LSSTCam a place in the field falls on, and where on it: a plan without gaps or rotation."""

import numpy as np
import numpy.typing as npt

from mops.synthetic.sky import tangents, unit_vectors

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

PIXEL_ARCSEC = 0.2
PITCH_PIXELS = 4225  # from one detector to the next: 42.25 mm at 10 µm; the gaps count as rims here
ACROSS = 15  # detectors: five rafts of three
DETECTORS = 189  # of science, in 21 rafts; the four corner rafts follow, four numbers each


def detector_places(ra: Array, dec: Array, centre_ra: Array, centre_dec: Array) -> tuple[Indices, Array, Array]:
    """Detector, x and y (pixels) of directions in fields of given centres, degrees, (n,) each; north is up.

    Places in a corner raft have one of its numbers, from 189 on. Directions off the camera go to its rim.
    """
    centre = unit_vectors(centre_ra, centre_dec)
    east, north = tangents(centre_ra, centre_dec)
    unit = unit_vectors(ra, dec)
    along = np.einsum("ij,ij->i", unit, centre)
    plane = [np.einsum("ij,ij->i", unit, axis) / along for axis in (east, north)]
    pixels = [np.degrees(offset) * 3600 / PIXEL_ARCSEC + ACROSS * PITCH_PIXELS / 2 for offset in plane]
    column, row = (np.clip(np.floor(each / PITCH_PIXELS), 0, ACROSS - 1).astype(np.int64) for each in pixels)
    x, y = (
        np.clip(each - PITCH_PIXELS * cell, 0, PITCH_PIXELS) for each, cell in zip(pixels, (column, row), strict=True)
    )
    return _numbers()[column, row], x, y


def _numbers() -> Indices:
    """Detector of each column and row: rafts in the order of LSSTCam's, nine sensors each, the corners last."""
    column, row = np.meshgrid(np.arange(ACROSS), np.arange(ACROSS), indexing="ij")
    slot = column % 3 * 3 + row % 3
    raft = column // 3 * 5 + row // 3
    corners = np.array([0, 4, 20, 24])
    before = np.searchsorted(corners, raft)
    corner = DETECTORS + 4 * before + slot // 3
    return np.where(np.isin(raft, corners), corner, (raft - before) * 9 + slot)
