"""The gate for untrusted frames: what passes is a whole, plain FITS file that a camera here could have written.

The file is opened only in a limited child process. It sends back header cards as JSON, and only they are interpreted
in this one.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayops import images
from dayops.archive.errors import InspectionImpossible, InspectionStalled
from dayops.archive.fits_header import BadStructure
from dayops.archive.fits_structure import Limits, walk
from dayops.archive.regular import NotRegular, open_regular
from dayops.camera.geometry import Detector
from dayops.camera.headers import BadFrame, FrameDescription, describe
from dayops.sandbox import SandboxError, run_limited

_MEMORY_BYTES = 1024**3
_CPU_S = 30
_WALL_S = 90
# What readout says about one amplifier, worth keeping for triage without opening the file again.
_AMPLIFIER_CARDS = ("EXTNAME", "CHANNEL", "GAIN", "RDNOISE", "AVERAGE", "STDEV", "AVGBIAS", "STDVBIAS")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the gate learnt about a frame. `doubts` are sentences about FITS checksums that do not agree."""

    description: FrameDescription
    header: dict[str, Any]
    amplifier_headers: list[dict[str, Any]]
    doubts: tuple[str, ...]


def inspect(path: Path, file_name: str, camera: str | None = None) -> Inspection:
    """Let a raw frame pass, or say everything that is wrong with it.

    Parameters
    ----------
    path
        The file, in a place that only we write to.
    file_name
        As the sender called it; a label, never opened.
    camera
        Name of the camera, where the headers are not to be asked.

    Raises
    ------
    BadFrame
        With a sentence for each problem. Trying again will not help.
    InspectionStalled, InspectionImpossible
        Trying again may help.
    """
    found = _read_in_child(path)
    if "trouble" in found:
        raise InspectionImpossible(f"Reading its headers failed on this machine: {found['trouble']}.")
    if "problems" in found:
        raise BadFrame(found["problems"])
    headers: list[dict[str, Any]] = found["headers"]
    shapes = [None if shape is None else tuple(shape) for shape in found["shapes"]]
    description = describe(headers, shapes, file_name, camera)
    return Inspection(
        description=description,
        header=headers[0],
        amplifier_headers=_amplifier_headers(headers, description.detector),
        doubts=tuple(found["doubts"]),
    )


def _read_in_child(path: Path) -> dict[str, Any]:
    try:
        with tempfile.TemporaryDirectory(prefix="dayops-gate-") as scratch:
            found: dict[str, Any] = run_limited(
                _read,
                path,
                scratch,
                memory_bytes=_MEMORY_BYTES,
                cpu_s=_CPU_S,
                wall_s=_WALL_S,
                file_bytes=Limits().inflated_bytes,
            )
    except SandboxError as error:
        if error.limit == "wall":
            raise InspectionStalled(f"Reading its headers did not end: {error}.") from error
        if error.limit == "killed":
            raise InspectionImpossible(f"Reading its headers did not end: it {error}") from error
        raise BadFrame([f"Reading its headers {error}. No raw frame does that; see who sent it."]) from error
    return found


def _read(path: Path, scratch: str) -> dict[str, Any]:
    """Runs in the child. What it inflates lies in `scratch`, which the parent removes even when the child is killed."""
    tempfile.tempdir = scratch
    try:
        with open_regular(path) as file:
            units = walk(file)
        headers, shapes = images.read_headers(path)
    except (BadStructure, NotRegular) as error:
        return {"problems": [str(error)]}
    except BadFrame as error:
        return {"problems": error.problems}
    except OSError as error:
        return {"trouble": str(error)}
    return {"headers": headers, "shapes": shapes, "doubts": [doubt for unit in units for doubt in unit.doubts]}


def _amplifier_headers(headers: list[dict[str, Any]], detector: Detector) -> list[dict[str, Any]]:
    by_extension = {str(header.get("EXTNAME", "")).strip(): header for header in headers}
    found = [by_extension.get(amplifier.extension, {}) for amplifier in detector.amplifiers]
    return [{key: header[key] for key in _AMPLIFIER_CARDS if key in header} for header in found]
