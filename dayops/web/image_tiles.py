"""Tiles of a large image, rendered when a viewer asks for them. The other side of ``static/js/viewer.js``.

Level z is binned by 2^z, so z = 0 is full resolution and the last level fits into one tile. Row 0 of an image is the
lowest row of the detector and the first line of the tile that holds it; the viewer draws y upwards.
"""

import io
import math
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from astropy.visualization import ZScaleInterval
from numpy.typing import NDArray
from PIL import Image

TILE = 512
SAMPLE = 400_000
Stretch = Literal["linear", "asinh", "log", "histogram"]
Range = Literal["zscale", "99.5", "95", "minmax"]
STRETCHES: tuple[Stretch, ...] = get_args(Stretch)
RANGES: tuple[Range, ...] = get_args(Range)
Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Pyramid:
    """An image, shape (height, width), NaN where there is no pixel, and its coarser levels, made when needed."""

    pixels: Pixels
    _levels: list[Pixels] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def levels(self) -> int:
        """How many levels there are; the last fits into one tile."""
        return max(0, math.ceil(math.log2(max(self.height, self.width, 1) / TILE))) + 1

    @property
    def nbytes(self) -> int:
        """Bytes with all levels made: each has a quarter of the pixels of the one below."""
        return self.pixels.nbytes * 4 // 3

    def level(self, z: int) -> Pixels:
        """The image binned by 2^z."""
        with self._lock:
            if not self._levels:
                self._levels.append(self.pixels)
            while len(self._levels) <= z:
                self._levels.append(halved(self._levels[-1]))
            return self._levels[z]

    @cached_property
    def sample(self) -> NDArray[np.float32]:
        """At most about SAMPLE finite pixels, evenly spread and sorted."""
        step = max(1, math.isqrt(self.pixels.size // SAMPLE))
        chosen = self.pixels[::step, ::step]
        return np.sort(chosen[np.isfinite(chosen)])

    def limits(self, name: Range) -> tuple[float, float]:
        """The pixel values drawn as black and white. An image without finite pixels has 0 and 1."""
        if not self.sample.size:
            return 0.0, 1.0
        low, high = _limits(self.sample, name)
        return (low, high) if low < high else (low - 0.5, high + 0.5)

    def tile(self, z: int, x: int, y: int, stretch: Stretch, limits: Range) -> bytes | None:
        """PNG of tile (x, y) of level z, at most TILE × TILE grey pixels; None where there is no such tile."""
        if not 0 <= z < self.levels or x < 0 or y < 0:
            return None
        part = self.level(z)[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE]
        if not part.size:
            return None
        buffer = io.BytesIO()
        Image.fromarray(self.grey(part, stretch, limits)).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()

    def grey(self, part: Pixels, stretch: Stretch, limits: Range) -> NDArray[np.uint8]:
        """`part` of this image as 0 (black, also for NaN) to 255."""
        low, high = self.limits(limits)
        if stretch == "histogram":
            within = self.sample[(self.sample >= low) & (self.sample <= high)]
            ranks = np.quantile(within, np.linspace(0, 1, 256)) if within.size else np.linspace(low, high, 256)
            fraction = np.interp(part, ranks, np.linspace(0, 1, 256)).astype(np.float32)
        else:
            fraction = _stretched(np.clip((part - low) / (high - low), 0.0, 1.0), stretch)
        return (np.nan_to_num(fraction, nan=0.0) * 255.0 + 0.5).astype(np.uint8)


def halved(pixels: Pixels) -> Pixels:
    """The mean of each 2 × 2 block, of its finite pixels; an odd last row or column is averaged by itself."""
    height, width = pixels.shape
    even = np.pad(pixels, ((0, height % 2), (0, width % 2)), constant_values=np.nan)
    corners = even[0::2, 0::2], even[1::2, 0::2], even[0::2, 1::2], even[1::2, 1::2]
    plain = (corners[0] + corners[1] + corners[2] + corners[3]) * np.float32(0.25)
    rows, columns = np.nonzero(~np.isfinite(plain))
    if rows.size:
        blocks = np.stack([corner[rows, columns] for corner in corners])
        finite = np.isfinite(blocks)
        total, count = np.where(finite, blocks, 0).sum(axis=0), finite.sum(axis=0)
        plain[rows, columns] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return plain


def _limits(sample: NDArray[np.float32], name: Range) -> tuple[float, float]:
    """`sample` is sorted and not empty."""
    if name == "minmax":
        return float(sample[0]), float(sample[-1])
    if name == "zscale":
        low, high = ZScaleInterval().get_limits(sample)
        return float(low), float(high)
    beyond = (100.0 - float(name)) / 2
    low, high = np.percentile(sample, [beyond, 100.0 - beyond])
    return float(low), float(high)


def _stretched(fraction: Pixels, stretch: Stretch) -> Pixels:
    stretched: Pixels = fraction
    if stretch == "asinh":
        stretched = (np.arcsinh(10.0 * fraction) / np.arcsinh(10.0)).astype(np.float32)
    elif stretch == "log":
        stretched = (np.log1p(1000.0 * fraction) / np.log(1001.0)).astype(np.float32)
    return stretched
