"""Builders of small FITS files, good and bad, byte by byte: no library decides what is legal here."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from dayops.camera import load

BLOCK = 2880
DAY = 20261122
Cards = Mapping[str, object]


def card(key: str, value: object) -> bytes:
    """One 80-byte header card. A string is quoted, a truth value is T or F, anything else is written as it prints."""
    if isinstance(value, bool):
        text = f"{'T' if value else 'F':>20}"
    elif isinstance(value, str):
        text = "'" + value.replace("'", "''").ljust(8) + "'"
    else:
        text = f"{value!s:>20}"
    return f"{key:<8}= {text}".encode("ascii").ljust(80)


def padded(content: bytes, fill: bytes = b"\0") -> bytes:
    return content + fill * (-len(content) % BLOCK)


def header(cards: Cards) -> bytes:
    return padded(b"".join(card(key, value) for key, value in cards.items()) + b"END".ljust(80), b" ")


def image_cards(shape: tuple[int, int], bitpix: int = 16) -> dict[str, object]:
    return {"BITPIX": bitpix, "NAXIS": 2, "NAXIS1": shape[1], "NAXIS2": shape[0]}


def hdu(cards: Cards, content: bytes = b"") -> bytes:
    return header(cards) + padded(content)


def ones_complement(content: bytes) -> int:
    """The FITS checksum's sum, the slow way."""
    total = 0
    for start in range(0, len(content), 4):
        total += int.from_bytes(content[start : start + 4], "big")
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def facts(image_type: str = "BIAS", exposure_s: float = 0.0, began: str = "2026-11-22T15:00:00") -> dict[str, object]:
    """The cards every frame needs."""
    return {"INSTRUME": "Bench", "IMAGETYP": image_type, "EXPTIME": exposure_s, "DATE-OBS": began}


def small(level: int = 1000, shape: tuple[int, int] = (24, 32), **cards: object) -> bytes:
    """A frame of a camera nobody described: one small 16-bit image. Keywords replace cards; None leaves one out."""
    pixels = np.full(shape, level, dtype=">i2").tobytes()
    said = {"SIMPLE": True, **image_cards(shape), **facts(), **cards}
    return hdu({key: value for key, value in said.items() if value is not None}, pixels)


def minicam(
    detector: int = 0,
    seq_num: int = 1,
    image_type: str = "BIAS",
    exposure_s: float = 0.0,
    level: int = 1000,
    **cards: object,
) -> bytes:
    """A raw frame of minicam: sixteen flat segments. Keywords replace primary cards; None leaves one out."""
    sensor = load("minicam").by_id[detector]
    said = {
        "SIMPLE": True,
        "BITPIX": 8,
        "NAXIS": 0,
        "EXTEND": True,
        "INSTRUME": "MiniCam",
        "OBSID": exposure_name(seq_num),
        "SEQNUM": seq_num,
        "RAFTBAY": sensor.raft,
        "CCDSLOT": sensor.slot,
        "IMGTYPE": image_type,
        "EXPTIME": exposure_s,
        "TIMESYS": "UTC",
        "DATE-BEG": (datetime(2026, 11, 22, 15, tzinfo=UTC) + timedelta(seconds=30 * seq_num)).isoformat()[:19],
        **cards,
    }
    segments = [_segment(amplifier.extension, level) for amplifier in sensor.amplifiers]
    return hdu({key: value for key, value in said.items() if value is not None}) + b"".join(segments)


def exposure_name(seq_num: int) -> str:
    return f"MC_S_{DAY}_{seq_num:06d}"


def frame_name(detector: int, seq_num: int) -> str:
    return f"{exposure_name(seq_num)}_{load('minicam').by_id[detector].name}.fits"


@cache
def _segment(extension: str, level: int) -> bytes:
    amplifier = load("minicam").detectors[0].amplifiers[0]
    shape = (amplifier.raw_height, amplifier.raw_width)
    cards = {"XTENSION": "IMAGE", **image_cards(shape), "PCOUNT": 0, "GCOUNT": 1, "EXTNAME": extension, "AVERAGE": 1.5}
    return hdu(cards, np.full(shape, level, dtype=">i2").tobytes())


# Bad ones.


def truncated(content: bytes, keep: int) -> bytes:
    return content[:keep]


def claiming(**cards: object) -> bytes:
    """A primary header that may claim anything, and nothing behind it."""
    return header({"SIMPLE": True, "BITPIX": 16, "NAXIS": 0, **cards})


def tile_bomb(side: int = 200_000) -> bytes:
    """A tile-compressed image that claims side × side pixels in a table of almost nothing."""
    table = {
        "XTENSION": "BINTABLE",
        "BITPIX": 8,
        "NAXIS": 2,
        "NAXIS1": 8,
        "NAXIS2": 1,
        "PCOUNT": 0,
        "GCOUNT": 1,
        "ZIMAGE": True,
        "ZBITPIX": 32,
        "ZNAXIS": 2,
        "ZNAXIS1": side,
        "ZNAXIS2": side,
    }
    return header({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0}) + hdu(table, b"\0" * 8)


def gzip_bomb(mebibytes: int = 64) -> bytes:
    """A well-formed frame whose image inflates to `mebibytes`, in a file a thousandth of that size."""
    side = 1024
    return gzip.compress(small(shape=(mebibytes * 1024 * 1024 // 2 // side, side)), compresslevel=9)


HTML = b"<!DOCTYPE html><html><title>502 Bad Gateway</title></html>"
