"""Bits of an analogue-to-digital converter that never change."""

import numpy as np

from calib.science.distribution import Distribution

TAIL = 0.025  # of the pixels at either end are not looked at: bright or dark columns are 1.6 % of a small amplifier
PERIODS = 2  # of a bit that the pixels must span before it can be told from chance
STUCK_BELOW = 0.001  # of the pixels: a bit that changes has half of them


def stuck_bits(image: Distribution, saturation: float = np.nan) -> float:
    """How many bits are set in fewer than 0.1 % or more than 99.9 % of the pixels although those span both.

    Only pixels below `saturation` (ADU as read; NaN for none) are looked at, and none is called stuck where these are
    fewer than half: full pixels are all alike.

    A bit of 2^b ADU can be told only where the middle 95 % of the pixels spread over 2·2^(b + 1) ADU: in a bias only
    the lowest ones, in a flat those of its noise. NaN without pixels, and for pixels that are not integers or lie too
    far apart to be counted value by value.
    """
    counts, support = image.counts, image.support
    if not image.count or not image.half_width or len(support) <= support[-1] - support[0]:
        return np.nan
    unsaturated = len(support) if np.isnan(saturation) else int(np.searchsorted(support, saturation))
    image = Distribution(support[:unsaturated], counts[:unsaturated], image.half_width)
    if 2 * image.count < counts.sum():
        return 0.0
    counts, support = image.counts, image.support
    first, last = np.searchsorted(np.cumsum(counts), (TAIL * image.count, (1 - TAIL) * image.count))
    low, counts = int(support[first]), counts[first : last + 1]
    total, span, stuck = counts.sum(), len(counts), 0
    bits = max(int(np.log2(span / PERIODS)), 0)
    for _ in range(bits):
        counts = np.pad(counts, (low % 2, (low + len(counts)) % 2))
        share = counts[1::2].sum() / total
        stuck += not STUCK_BELOW <= share <= 1 - STUCK_BELOW
        low, counts = low // 2, counts[::2] + counts[1::2]  # the histogram without its lowest bit
    return float(stuck)
