"""Builders for the tests of the masters: simulated frames of one small sensor in the archive, and jobs worked off.

The camera is minicam with the one sensor R22_S11, of which two amplifiers are read: as good as the whole in every
number that is an amplifier's, and eight times as quick.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from astropy.io import fits

from calib.certification import lookup
from calib.models import Assessment, Judgement, Level, Measurement, Product, ProductSet
from calib.products import gate, generator
from calib.products.configuration import configuration
from dayops.archive import store
from dayops.camera import Camera, Detector, load
from dayops.day_plan import Plan, PlannedExposure
from dayops.engine import work_off
from dayops.images import read_segments, scan, subtract_overscan
from dayops.models import Exposure, RawFrame, Run, Task
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import fault_named
from dayops.simulator.fits_writer import write_frame
from dayops.simulator.frames import Shot, simulate
from dayops.simulator.truth import DetectorTruth, truth_for
from tests.calib.test_truth_recovered import narrow
from tests.conftest import _empty_what_the_test_left

DAY, BEFORE, SEED = 20261122, 20261120, 7
SENSOR = 4
MINICAM = load("minicam")
ONE = replace(MINICAM, detectors=(MINICAM.by_id[SENSOR],))
SMALL = replace(MINICAM, detectors=(narrow(MINICAM.by_id[SENSOR], 2),))
Segments = npt.NDArray[Any]  # raw, (amplifiers, rows, columns)
Change = Callable[[PlannedExposure, Segments], Segments]
_STRUCTURE = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND", "CHECKSUM", "DATASUM"}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Taken:
    """A raw file and what is known of it: its header, and of a flat its level, e⁻/s of each amplifier."""

    content: bytes
    header: dict[str, Any]
    level: tuple[float, ...]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@contextmanager
def committed(blocker: Any, camera: Camera = SMALL) -> Iterator[None]:
    """What is done within stays for the tests that roll back what they do, until the end; the camera is `camera`."""
    with blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("dayops.camera.load", lambda name: camera)
        yield
        _empty_what_the_test_left(None)  # type: ignore[arg-type]


def truth(camera: Camera = SMALL, day_obs: int = DAY) -> DetectorTruth:
    return truth_for(camera, SENSOR, SEED, day_obs)


def steps(*names: str) -> list[int]:
    """Numbers of the exposures of DAY's plan whose step begins with one of `names`; of all without any."""
    plan = Plan.load().exposures(DAY)
    return [planned.seq_num for planned in plan if not names or planned.step.startswith(names)]


def take(
    day_obs: int = DAY,
    only: Sequence[int] = (),
    *,
    camera: Camera = SMALL,
    fault: str = "",
    change: Change | None = None,
    detectors: Sequence[int] = (SENSOR,),
) -> list[RawFrame]:
    """The exposures of a day (or `only` those of these numbers), archived, measured and judged to be good.

    `change` gets the raw segments of each frame and gives those that are archived, integers or not.
    """
    begins = ObservingDay(day_obs).begins + timedelta(hours=4)
    frames, levels = [], []
    for planned in Plan.load().exposures(day_obs):
        if only and planned.seq_num not in only:
            continue
        shot = Shot(camera, day_obs, planned, begins + timedelta(seconds=planned.begins_after_s))
        exposure = _exposure(shot, len(detectors))
        for number in detectors:
            taken = _simulated(shot, number, fault)
            if change is not None:
                taken = _changed(taken, change, camera.by_id[number], planned)
            frames.append(_frame(exposure, camera.by_id[number], taken))
            levels.append(taken.level)
    kept = RawFrame.objects.bulk_create(frames)
    _judge(kept, levels)
    return kept


def start(day_obs: int = DAY, exclude: Sequence[int] = (), **changes: Any) -> Run:
    """A job of the generator, with `changes` of the daily configuration."""
    wanted = configuration("daily", changes)
    return generator.start(wanted, day_obs, exclude=exclude, requested_by="tester", key=f"test:{next(_numbers)}")


def worked_off(run: Run) -> ProductSet:
    """The set of a job after all its tasks."""
    work_off(generator.QUEUE, "tester", limit_s=300)
    return ProductSet.objects.get(run=run)


def made(day_obs: int = DAY, exclude: Sequence[int] = (), **changes: Any) -> ProductSet:
    return worked_off(start(day_obs, exclude, **changes))


def used(day_obs: int = DAY) -> dict[tuple[str, str], str]:
    """SHA-256 of what is certified for the night of `day_obs`, by type and filter."""
    found = lookup("minicam", gate.usual_validity(day_obs))
    return {(str(one.type), one.filter): one.sha256 for one in found}


def files(made_set: ProductSet) -> dict[tuple[str, str], str]:
    """SHA-256 of what a set has, by type and filter."""
    rows = Product.objects.filter(product_set=made_set).values_list("type", "filter", "sha256")
    return {(kind, band): sha256 for kind, band, sha256 in rows}


def glow(*numbers: int) -> Change:
    """Forty more ADU in a corner of the first amplifier, in the exposures of these numbers."""

    def change(planned: PlannedExposure, segments: Segments) -> Segments:
        if planned.seq_num in numbers:
            segments[0, 100:180, 20:100] += 40
        return segments

    return change


def product(made_set: ProductSet, kind: str, band: str = "") -> Product:
    return Product.objects.get(product_set=made_set, type=kind, filter=band, detector=SENSOR)


def problems(made_set: ProductSet) -> list[str]:
    """What the stages could not make, in words."""
    told = Task.objects.filter(run=made_set.run).order_by("pk").values_list("result", flat=True)
    return [result["problem"] for result in told if "problem" in result]


@cache
def _simulated(shot: Shot, detector: int, fault: str) -> Taken:
    content = simulate(shot, detector, SEED, fault_named(fault) if fault else None)
    return _known(content, shot.camera.by_id[detector], shot.planned)


def _known(content: bytes, detector: Detector, planned: PlannedExposure) -> Taken:
    header = scan(io.BytesIO(content))[0].cards
    if planned.image_type != "FLAT":
        return Taken(content, header, ())
    level = [
        float(np.median(subtract_overscan(segment, amplifier)[amplifier.image.slices])) * amplifier.gain
        for segment, amplifier in zip(_segments(content, detector), detector.amplifiers, strict=True)
    ]
    return Taken(content, header, tuple(each / planned.exposure_s for each in level))


def _changed(taken: Taken, change: Change, detector: Detector, planned: PlannedExposure) -> Taken:
    before = _segments(taken.content, detector)
    after = change(planned, before.copy())
    if np.array_equal(before, after):
        return taken
    cards = [(name, value, "") for name, value in taken.header.items() if name not in _STRUCTURE]
    if after.dtype.kind == "i":
        content = write_frame(detector, after, cards)
    else:
        file, segments = io.BytesIO(), zip(detector.amplifiers, after.astype(np.float32), strict=True)
        with fits.conf.set_temp("extension_name_case_sensitive", True):
            images = [fits.ImageHDU(pixels, name=amplifier.extension) for amplifier, pixels in segments]
            fits.HDUList([fits.PrimaryHDU(header=fits.Header(cards)), *images]).writeto(file)
        content = file.getvalue()
    return _known(content, detector, planned)


def _segments(content: bytes, detector: Detector) -> Segments:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "frame.fits"
        path.write_bytes(content)
        return np.stack(read_segments(path, detector))


def _exposure(shot: Shot, expected: int) -> Exposure:
    planned = shot.planned
    return Exposure.objects.create(
        camera=shot.camera.name,
        name=shot.name,
        day_obs=shot.day_obs,
        seq_num=planned.seq_num,
        image_type=planned.image_type,
        filter=planned.filter,
        exposure_s=planned.exposure_s,
        step=planned.step,
        began_at=shot.begins_at,
        detectors_expected=expected,
    )


def _frame(exposure: Exposure, detector: Detector, taken: Taken) -> RawFrame:
    if not store().exists(taken.sha256):
        store().put(io.BytesIO(taken.content))
    return RawFrame(
        exposure=exposure,
        detector=detector.id,
        detector_name=detector.name,
        sha256=taken.sha256,
        size=len(taken.content),
        file_name=f"{exposure.name}_{detector.name}.fits",
        source="a test",
        verified=True,
        header=taken.header,
    )


def _judge(frames: Sequence[RawFrame], levels: Sequence[tuple[float, ...]]) -> None:
    same = {"level": Level.OK, "code_version": "a test"}
    Assessment.objects.bulk_create(
        Assessment(frame=frame, exposure=frame.exposure, detector=frame.detector, **same) for frame in frames
    )
    Measurement.objects.bulk_create(
        Measurement(
            exposure=frame.exposure,
            frame=frame,
            detector=frame.detector,
            metric="flat_level",
            values=list(level),
            levels=[0] * len(level),
        )
        for frame, level in zip(frames, levels, strict=True)
        if level
    )
    exposures = {frame.exposure_id: frame.exposure for frame in frames}
    Judgement.objects.bulk_create(
        Judgement(exposure=each, measured=each.detectors_expected, expected=each.detectors_expected, **same)
        for each in exposures.values()
    )
