"""Which pixels of a few darks hold the tracks of cosmic rays, by their shape.

Clipping finds a ray in a dark of 180 s where another dark contradicts it; one of 15 s, twelve times as noisy for its
time, contradicts nothing below some 270 e⁻ a pixel. What touches its neighbours is a track; a place that is bright in
two frames is a defect and stays.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from calib.science.bright_pixels import TRACK, bright_pixels
from calib.science.distribution import Pixels, distribution
from dayops.camera.geometry import Detector
from dayops.images import assemble

LIMIT_SIGMA = 6.0  # bright_pixels: a higher limit cuts tracks into pieces
GROW = 2  # pixels around a track that hold its faint edge, as cp_pipe has it
Mask = npt.NDArray[np.bool_]


def cosmic_rays(frames: Sequence[Sequence[Pixels]], detector: Detector) -> list[Mask]:
    """For each dark, given as its raw segments, the pixels (height, width) of its tracks and their surroundings."""
    tracks = [_tracks(segments, detector) for segments in frames]
    seen = np.zeros((detector.height, detector.width), dtype=np.int16)
    for mask in tracks:
        seen += mask
    again = seen > 1
    return [_grown(mask & ~again) & ~_grown(again) for mask in tracks]


def _grown(mask: Mask) -> Mask:
    grown = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    for down in range(-GROW, GROW + 1):
        for right in range(-GROW, GROW + 1):
            grown[_within(rows + down, mask.shape[0]), _within(columns + right, mask.shape[1])] = True
    return grown


def _within(places: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """A place beyond the edge counts as the last one before it, which is nearer."""
    return np.clip(places, 0, length - 1)


def _tracks(segments: Sequence[Pixels], detector: Detector) -> Mask:
    pieces = []
    for segment, amplifier in zip(segments, detector.amplifiers, strict=True):
        piece = np.zeros(segment.shape, dtype=np.float32)
        image = segment[amplifier.image.slices]
        spread = distribution(image)
        bright = bright_pixels(image, spread.median + LIMIT_SIGMA * max(spread.robust_sigma, 1.0))
        track = bright.kinds == TRACK
        piece[amplifier.image.y0 + bright.rows[track], amplifier.image.x0 + bright.columns[track]] = 1
        pieces.append(piece)
    return np.asarray(assemble(pieces, detector) == 1)
