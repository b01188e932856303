"""From raw headers to what DayOps knows about a frame: which exposure, which detector, what kind, when, how long."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from dayops.camera import generic, segments
from dayops.camera.cards import Cards, Findings, Header, as_number, clean
from dayops.camera.generic import Shape
from dayops.camera.geometry import Camera, Detector
from dayops.camera.image_type import exposure_s, image_type
from dayops.camera.start_time import began_at, day_obs_of
from dayops.camera.toml import for_instrument, load, names

GENERIC = "generic"
_EXPOSURE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}", re.ASCII)


class BadFrame(ValueError):
    """A frame that cannot be understood; `problems` has one sentence for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class FrameDescription:
    """What the headers of one raw frame say, in DayOps' words.

    `began_at` is UTC. `detectors_expected` is how many frames the exposure should have. `remarks` are sentences about
    oddities that do not prevent archiving.
    """

    camera: str
    exposure: str
    day_obs: int
    seq_num: int
    image_type: str
    exposure_s: float
    filter: str
    step: str
    began_at: datetime
    detector: Detector
    detectors_expected: int
    remarks: tuple[str, ...] = ()


def describe(
    headers: Sequence[Header],
    shapes: Sequence[Shape],
    file_name: str,
    camera: str | None = None,
    *,
    now: datetime | None = None,
) -> FrameDescription:
    """Describe a raw frame by its headers alone.

    Parameters
    ----------
    headers
        The cards of each HDU in file order, the primary one first.
    shapes
        The shape of each HDU's image, rows first; None where it has none.
    file_name
        As the sender called it; it names the exposure of a generic camera and is never opened.
    camera
        The camera's name, where the sender knows better than INSTRUME; ``"generic"`` for one without a file here.
    now
        UTC, to tell clocks that run ahead; the present by default.

    Raises
    ------
    BadFrame
        With every problem at once: what is missing, contradictory, or not as the camera's geometry has it.
    """
    _refuse_finished_products(headers)
    findings = Findings()
    cards = Cards(_merged(headers, shapes), findings)
    known = _camera(cards, camera)
    detector = _detector(known, cards, headers, shapes)
    kind = image_type(cards)
    time_s = exposure_s(cards, kind)
    began = began_at(cards)
    day_obs = day_obs_of(began, cards, now or datetime.now(UTC)) if began else 0
    exposure = _exposure(known, cards, file_name)
    if findings.problems or detector is None or began is None:
        raise BadFrame(findings.problems)
    return FrameDescription(
        camera=known.name if known else GENERIC,
        exposure=exposure,
        day_obs=day_obs,
        seq_num=_sequence_number(cards),
        image_type=kind,
        exposure_s=time_s,
        filter=_filter(known, cards),
        step=cards.text("DAYSTEP", limit=60),
        began_at=began,
        detector=detector,
        detectors_expected=_detectors_expected(known, cards),
        remarks=tuple(findings.remarks),
    )


def _merged(headers: Sequence[Header], shapes: Sequence[Shape]) -> Header:
    """The primary cards, and the first image's where the primary HDU is an empty wrapper (fpack)."""
    image = next((header for header, shape in zip(headers, shapes, strict=True) if shape), {})
    return {**image, **headers[0]} if headers else {}


def _camera(cards: Cards, asked: str | None) -> Camera | None:
    """The camera asked for or known by INSTRUME; None for a generic one."""
    instrument = cards.text("INSTRUME")
    known = for_instrument(instrument)
    if asked is None:
        if not instrument:
            cards.findings.remarks.append("No INSTRUME is said: the frame is described as a generic camera's.")
        return known
    if asked != GENERIC and asked not in names():
        choices = ", ".join((*names(), GENERIC))
        cards.findings.problems.append(f"There is no camera {clean(asked, 40)!r}: expected one of {choices}.")
        return None
    wanted = None if asked == GENERIC else load(asked)
    if known is not None and known != wanted:
        cards.findings.remarks.append(f"INSTRUME says {instrument}; the frame was taken as {asked}'s, as asked.")
    return wanted


def _refuse_finished_products(headers: Sequence[Header]) -> None:
    planes = {clean(header.get("EXTTYPE")).upper() for header in headers} & {"MASK", "VARIANCE"}
    made = any(key.startswith("CALIB_") for header in headers[:1] for key in header)
    if planes or made:
        raise BadFrame(
            ["This is a finished calibration product (mask, variance or CALIB_ cards), not a raw frame: archive raws."]
        )


def _detector(
    camera: Camera | None, cards: Cards, headers: Sequence[Header], shapes: Sequence[Shape]
) -> Detector | None:
    if camera is None:
        if any(as_number(header.get("BITPIX")) < 0 for header, shape in zip(headers, shapes, strict=True) if shape):
            cards.findings.remarks.append("The pixels are floating-point: they may have been processed already.")
        return generic.detector(headers, shapes, cards.findings)
    detector = _named_detector(camera, cards)
    if detector is not None:
        cards.findings.problems += segments.problems(detector, headers, shapes)
    return detector


def _named_detector(camera: Camera, cards: Cards) -> Detector | None:
    if len(camera.detectors) == 1:
        return camera.detectors[0]
    raft, slot = cards.text("RAFTBAY", limit=20), cards.text("CCDSLOT", limit=20)
    detector = camera.by_name.get(f"{raft}_{slot}")
    if not (raft and slot):
        cards.findings.problems.append("The detector is missing: expected RAFTBAY and CCDSLOT, such as R22 and S11.")
    elif detector is None:
        cards.findings.problems.append(f"{camera.title} has no detector {raft}_{slot} (RAFTBAY and CCDSLOT).")
    return detector


def _exposure(camera: Camera | None, cards: Cards, file_name: str) -> str:
    if camera is None:
        return _stem(file_name)
    name = cards.text("OBSID")
    if _EXPOSURE_NAME.fullmatch(name) is None:
        cards.findings.problems.append(
            f"OBSID is {name[:40]!r}: expected a name such as MC_O_20261122_000012."
            if name
            else "The exposure's name is missing: expected OBSID, such as MC_O_20261122_000012."
        )
    return name


def _stem(file_name: str) -> str:
    """The file's name without folders and FITS endings, with only characters that may stand in an address."""
    stem = re.sub(r"(?i)(\.(fits?|fts|gz|fz))+$", "", PurePosixPath(file_name.replace("\\", "/")).name)
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", stem, flags=re.ASCII).lstrip("_.+-")[:100] or "unnamed"


def _sequence_number(cards: Cards) -> int:
    number = cards.number("SEQNUM", "FRAMENUM", "RUNNUM")
    return int(number) if 0 <= number < 2**31 else 0


def _filter(camera: Camera | None, cards: Cards) -> str:
    """The physical filter; LSST's second wheel, of neutral density, is joined as ``SDSSi~ND_OD0.5``."""
    first, second = cards.text("FILTER", "FILTER1", "FILTERS", limit=25), cards.text("FILTER2", limit=14)
    return f"{first}~{second}" if camera and first and second.upper() not in {"", "EMPTY"} else first


def _detectors_expected(camera: Camera | None, cards: Cards) -> int:
    everything = len(camera.science_detectors) if camera else 1
    said = cards.number("NEXPECT")
    return int(said) if math.isfinite(said) and 1 <= said <= (len(camera.detectors) if camera else 1) else everything
