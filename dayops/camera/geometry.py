"""What a camera is made of: detectors on a focal plane, amplifiers on a detector.

Pixels are counted from zero and boxes are half-open, as NumPy slices are. FITS sections such as ``[4:512,1:2000]``
are translated where they are read (`dayops.camera.sections`), never further in.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

DetectorKind = Literal["SCIENCE", "GUIDER", "WAVEFRONT"]


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open pixel rectangle: columns ``x0 <= x < x1``, rows ``y0 <= y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of a two-dimensional array (rows first)."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


@dataclass(frozen=True, slots=True)
class Amplifier:
    """One readout channel: where its pixels lie in the raw segment and where they belong on the detector.

    `raw_width` × `raw_height` is the shape of the raw segment. `image` holds light; `prescan`, `serial_overscan` and
    `parallel_overscan` do not, and are None where the camera has none. `place` is the image's box on the assembled
    detector; `flip_x`/`flip_y` say that the segment's first column/row lands on the far side of `place`.
    `gain` is e⁻/ADU, `read_noise` e⁻, `saturation` ADU: nominal values, to be replaced by measured ones.
    """

    index: int
    name: str
    extension: str
    raw_width: int
    raw_height: int
    image: Box
    prescan: Box | None
    serial_overscan: Box | None
    parallel_overscan: Box | None
    place: Box
    flip_x: bool
    flip_y: bool
    gain: float
    read_noise: float
    saturation: float


@dataclass(frozen=True)
class Detector:
    """One sensor. `width` × `height` are its light-sensitive pixels; `x_mm`, `y_mm` its centre on the focal plane.

    `rotation_deg` turns the detector's own axes onto the focal plane, counter-clockwise, in steps of 90.
    """

    id: int
    name: str
    raft: str
    slot: str
    kind: DetectorKind
    vendor: str
    width: int
    height: int
    pixel_um: float
    x_mm: float
    y_mm: float
    rotation_deg: int
    amplifiers: tuple[Amplifier, ...] = field(repr=False)

    @cached_property
    def amplifier_by_name(self) -> dict[str, Amplifier]:
        return {amplifier.name: amplifier for amplifier in self.amplifiers}


@dataclass(frozen=True)
class Camera:
    """A camera: its name (as in URLs), its title (for people) and its detectors in the order of their ids.

    `instruments` are the values of INSTRUME by which its raw frames are known.
    """

    name: str
    title: str
    filters: tuple[str, ...]
    detectors: tuple[Detector, ...] = field(repr=False)
    instruments: tuple[str, ...] = ()

    @cached_property
    def by_id(self) -> dict[int, Detector]:
        return {detector.id: detector for detector in self.detectors}

    @cached_property
    def by_name(self) -> dict[str, Detector]:
        return {detector.name: detector for detector in self.detectors}

    @cached_property
    def science_detectors(self) -> tuple[Detector, ...]:
        return tuple(detector for detector in self.detectors if detector.kind == "SCIENCE")
