"""Faults of headers, files and what is offered: the pixels are good."""

from dataclasses import replace

from dayops.simulator.faults.fault import Acts, Fault, Hit, Where
from dayops.simulator.fits_writer import Card


def _exposure_time(cards: list[Card], hit: Hit) -> list[Card]:
    """What the shutter's clock would not say: dates and DARKTIME stay."""
    return [(name, value * hit.amplitude if name == "EXPTIME" else value, comment) for name, value, comment in cards]


def _truncated(content: bytes, hit: Hit) -> bytes:
    return content[: int(len(content) * hit.amplitude)]


_ONE_DARK = Where(image_types=("DARK",), skip=1, count=1)

FILE_FAULTS = (
    Fault(
        "wrong-exposure-time",
        "The header tells a wrong exposure time",
        2.0,
        "times the true EXPTIME",
        "one of the plan's times given for another; DATE-END and the light contradict it",
        Where(steps=("flat-i",), detectors=None),
        Acts(on_cards=_exposure_time),
        ("header_contradicts_pixels",),
    ),
    Fault(
        "missing-detector",
        "A detector is missing",
        0.0,
        "of its frames offered",
        "a sensor that is not read out; NEXPECT still counts it",
        Where(),
        Acts(offers=0),
        ("expected_frames",),
    ),
    Fault(
        "truncated-file",
        "A file is cut short",
        0.5,
        "of its bytes",
        "a disk that is full half-way; the checksum vouches for the half that was written",
        _ONE_DARK,
        Acts(on_bytes=_truncated, refusable=1),
        ("frame.refused",),
    ),
    Fault(
        "duplicate-exposure",
        "An exposure is offered twice with other bytes",
        2.0,
        "offers of one frame",
        "a re-sent frame of the same name; the one archived first stays",
        replace(_ONE_DARK, skip=0),
        Acts(offers=2, refusable=1),
        ("frame.quarantined",),
    ),
)
