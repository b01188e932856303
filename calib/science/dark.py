"""What the bright pixels of a dark say: hot pixels, cosmic rays and crosstalk."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from calib.science.bright_pixels import bright_pixels, cosmic_ray_rate
from calib.science.crosstalk import crosstalk
from calib.science.distribution import Pixels
from dayops.camera.geometry import Detector

Values = npt.NDArray[np.float64]

HOT_RATE = 5.0  # electrons a second in a dark: a bright pixel in LSST's electro-optical tests (eo_pipe, SITCOMTN-148)
BRIGHT_SIGMA = 6.0  # what is less might be noise: neither hot, nor a track, nor a source of crosstalk


def measure_dark(
    images: Sequence[Pixels], medians: Values, sigmas: Values, detector: Detector, exposure_s: float, dark_s: float
) -> tuple[Values, dict[str, float]]:
    """Hot pixels of each amplifier, and the detector's cosmic rays and crosstalk.

    `images` are the image pixels of each amplifier, `medians` and `sigmas` their level and robust scatter as read, in
    ADU; `dark_s` the seconds over which charge collects.
    """
    gains = np.array([amplifier.gain for amplifier in detector.amplifiers])
    noise = BRIGHT_SIGMA * sigmas
    hot = np.where(gains > 0, np.maximum(HOT_RATE * exposure_s / np.where(gains > 0, gains, 1.0), noise), np.nan)
    found = [
        bright_pixels(image, median + limit, median + above)
        for image, median, limit, above in zip(images, medians, noise, hot, strict=True)
    ]
    whole = {"cosmic_ray_rate": cosmic_ray_rate(found, detector, dark_s)}
    if len({image.shape for image in images}) == 1:
        whole["crosstalk"] = crosstalk(images, found, list(medians), list(sigmas)).coefficient
    return np.array([bright.hot_pixels for bright in found]), whole
