"""Where a product comes from: the seven things that DMS-REQ-0132 asks for, as JSON and as header cards."""

import platform
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from calib.models import Product, ProductSet
from dayops.models import RawFrame
from dayops.observing_day import ObservingDay, mjd_tai, tai_offset
from dayops.version import code_version

_PACKAGES = ("numpy", "scipy", "numba", "astropy", "fitsio", "django")
_INSTRUMENT_CARDS = ("INSTRUME", "TELESCOP", "LSST_NUM", "CCD_MANU", "CCD_TYPE", "TEMP_SET", "CCDTEMP", "SEQFILE")
Card = tuple[str, Any, str]


def provenance(
    product_set: ProductSet,
    kind: str,
    detector_name: str,
    band: str,
    frames: Sequence[RawFrame],
    held_out: Sequence[RawFrame],
    scales: Sequence[float],
    calibrations: Sequence[Product],
) -> dict[str, Any]:
    """Inputs and their dates, parameters, calibrations, software and environment, type, instrument and filter.

    The time of creation is the product row's own; the file holds no clock, so that it can be made again to the byte.
    """
    header: Mapping[str, Any] = frames[0].header if frames else {}
    return {
        "type": kind,
        "filter": band,
        "detector": detector_name,
        "inputs": [
            _frame(frame) | ({"scale": scale} if scales else {})
            for frame, scale in zip(frames, scales or [1.0] * len(frames), strict=True)
        ],
        "held out": [_frame(frame) for frame in held_out],
        "dates": _dates(frames),
        "parameters": product_set.parameters,
        "configuration": product_set.configuration,
        "calibrations": [
            {"product": one.pk, "type": one.type, "dayObs": one.day_obs, "sha256": one.sha256} for one in calibrations
        ],
        "software": {"dayops": code_version(), **environment()},
        "instrument": {
            "camera": product_set.camera,
            **{card: header[card] for card in _INSTRUMENT_CARDS if card in header},
        },
    }


@cache
def environment() -> dict[str, str]:
    """Python, the machine's kind and the libraries whose numbers these are."""
    packages = {name: version(name) for name in _PACKAGES}
    return {"python": sys.version.split()[0], "machine": platform.machine(), **packages}


def header_cards(origin: Mapping[str, Any], day_obs: int) -> list[Card]:
    """The cards that LSST's own masters carry, from the product's provenance."""
    inputs = origin["inputs"]
    cards: list[Card] = [
        ("OBSTYPE", str(origin["type"]), "kind of master calibration"),
        ("INSTRUME", str(origin["instrument"].get("INSTRUME", origin["instrument"]["camera"])), "instrument"),
        ("DETECTOR", str(origin["detector"]), "detector"),
        ("CALIB_ID", f"detector={origin['detector']} calibDate={ObservingDay(day_obs)}", "as LSST's tools name it"),
        ("DAYOBS", str(day_obs), "date of TAI - 12 h that it was made for"),
        ("TIMESYS", "TAI", "time scale of every date here"),
        ("DATE-BEG", origin["dates"]["first"], "start of the first exposure in it"),
        ("DATE-END", origin["dates"]["last"], "start of the last exposure in it"),
        ("SOFTWARE", str(origin["software"]["dayops"]), "DayOps' release and commit"),
        ("CPP_N", len(inputs), "number of frames that were combined"),
    ]
    if origin["filter"]:
        cards.insert(3, ("FILTER", str(origin["filter"]), "filter in the beam"))
    for number, one in enumerate(inputs):
        cards += [
            (f"CPP_INPUT_{number}", one["exposure"], "input exposure"),
            (f"CPP_INPUT_DATE_{number}", one["began"], "its start, TAI"),
            (f"CPP_INPUT_EXPT_{number}", one["exposure_s"], "[s] its exposure time"),
            (f"CPP_INPUT_SCALE_{number}", one.get("scale", 1.0), "its scale"),
        ]
    return cards


def table_meta(origin: Mapping[str, Any], day_obs: int) -> dict[str, Any]:
    """The same for the header of a table."""
    return {name: value for name, value, _ in header_cards(origin, day_obs)}


def _frame(frame: RawFrame) -> dict[str, Any]:
    exposure = frame.exposure
    began = (exposure.began_at + tai_offset(exposure.began_at)).replace(tzinfo=None)
    return {
        "exposure": exposure.name,
        "frame": frame.pk,
        "dayObs": exposure.day_obs,
        "began": began.isoformat(timespec="milliseconds"),
        "mjd_tai": round(mjd_tai(exposure.began_at), 8),
        "exposure_s": exposure.exposure_s,
        "filter": exposure.filter,
        "sha256": frame.sha256,
    }


def _dates(frames: Sequence[RawFrame]) -> dict[str, Any]:
    began = sorted(_frame(frame)["began"] for frame in frames)
    return (
        {"first": began[0], "last": began[-1], "scale": "TAI"} if began else {"first": "", "last": "", "scale": "TAI"}
    )
