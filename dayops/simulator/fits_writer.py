"""Raw frames as LSST writes them: one RICE-compressed extension for each amplifier, LSST's keywords, sealed.

Byte-deterministic: nothing here looks at a clock, and cfitsio writes into memory.
"""

from typing import Any

import fitsio
import numpy as np
from numpy.typing import NDArray

from dayops.camera import Amplifier, Detector
from dayops.camera.sections import format_section
from dayops.images.fits_checksum import seal

Card = tuple[str, Any, str]
_UNSEALED = "0" * 16


def write_frame(detector: Detector, segments: NDArray[np.int32], primary: list[Card]) -> bytes:
    """The FITS file of one detector's raw `segments` (n, raw_height, raw_width), with the `primary` header given."""
    with fitsio.FITS("mem://", "rw") as file:
        file.write(None, header=_records(primary))
        _reserve_seal(file)
        for amplifier, segment in zip(detector.amplifiers, segments, strict=True):
            file.write(
                segment,
                extname=amplifier.extension,
                header=_records(_segment_cards(detector, amplifier, segment)),
                compress="RICE",
                tile_dims=(1, amplifier.raw_width),
            )
            _reserve_seal(file)
        offsets = [hdu.get_offsets() for hdu in file]
        raw = bytearray(file.read_raw())
    for offset in offsets:
        start, end = offset["header_start"], offset["data_end"]
        block = raw[start:end]
        seal(block, offset["data_start"] - start)
        raw[start:end] = block
    return bytes(raw)


def _reserve_seal(file: Any) -> None:
    for keyword in ("CHECKSUM", "DATASUM"):
        file[-1].write_key(keyword, _UNSEALED)


def _records(cards: list[Card]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, "comment": comment} for name, value, comment in cards]


def _segment_cards(detector: Detector, amplifier: Amplifier, segment: NDArray[np.int32]) -> list[Card]:
    image, serial = amplifier.image, amplifier.serial_overscan
    bias = segment[serial.slices] if serial else np.zeros(1, dtype=np.int32)
    return [
        ("CHANNEL", amplifier.index + 1, "number of the segment in reading order"),
        ("CCDSUM", "1 1", "binning"),
        ("DATASEC", format_section(image), "light-sensitive pixels of the segment"),
        ("BIASSEC", format_section(serial) if serial else "UNKNOWN", "serial overscan of the segment"),
        (
            "DETSEC",
            format_section(amplifier.place, flip_x=amplifier.flip_x, flip_y=amplifier.flip_y),
            "where DATASEC lies on the detector",
        ),
        ("DETSIZE", f"[1:{detector.width},1:{detector.height}]", "the whole detector"),
        ("AVERAGE", round(float(segment[image.slices].mean()), 4), "[adu] mean of DATASEC"),
        ("STDEV", round(float(segment[image.slices].std()), 4), "[adu] standard deviation of DATASEC"),
        ("AVGBIAS", round(float(bias.mean()), 4), "[adu] mean of BIASSEC"),
        ("STDVBIAS", round(float(bias.std()), 4), "[adu] standard deviation of BIASSEC"),
    ]
