"""FITS in: headers without touching pixels, raw segments, and the detector they make up.

Files come from outside: nothing here trusts a name, a size or a number in a header before it is checked.
"""

from dayops.images.headers import Hdu, read_hdus, read_headers, scan
from dayops.images.inflation import INFLATED_LIMIT_BYTES, inflated
from dayops.images.pixels import Segment, assemble, read_segments, subtract_overscan, trim
from dayops.images.rice import warm_up
from dayops.images.strips import RawStrips, open_strips

__all__ = [
    "INFLATED_LIMIT_BYTES",
    "Hdu",
    "RawStrips",
    "Segment",
    "assemble",
    "inflated",
    "open_strips",
    "read_hdus",
    "read_headers",
    "read_segments",
    "scan",
    "subtract_overscan",
    "trim",
    "warm_up",
]
