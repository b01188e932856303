"""Builders of whole product sets: rows, small real files in the archive, tests, and the gate's decision."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.table import Table

from calib.models import Product, ProductSet, ProductType, Verification
from calib.products import gate, image_file, tables
from calib.products.generator import STAGES
from calib.products.image_file import MasterImage
from calib.products.made import storable
from calib.science.defects import DefectBox
from calib.science.mask_planes import Plane
from dayops import runs
from dayops.archive import store
from dayops.camera import Detector, load
from dayops.models import Exposure, Phase, RawFrame, Run, Task
from tests.calib.exposures import archived, exposure
from tests.work import task

DAY = 20261122
BEFORE = 20261121
REASON = "R22_S11: Noise of that bias over what is expected, less 1: C12 0.31; expected -0.05 to 0.05. Look."
SLOTS = (
    *((kind, "") for kind in ("bias", "dark", "crosstalk", "ptc", "linearity")),
    *(("flat", band) for band in "grizy"),
    ("defects", ""),
)
_numbers = count(1)
_cached: dict[Any, bytes] = {}


def made_set(
    day_obs: int = DAY,
    state: str = "CERTIFIED",
    *,
    detectors: Sequence[int] = (4,),
    slots: Sequence[tuple[str, str]] = SLOTS,
    camera: str = "minicam",
    reasons: Sequence[str] = (REASON,),
    level: float = 0.0,
    files: bool = False,
) -> ProductSet:
    """A set with a product of each of `slots` for each of `detectors`, decided on by the gate.

    Where it is REFUSED the first bias failed. `files` puts real files behind it; `level` makes them differ.
    """
    run = _run(day_obs, detectors, slots, is_over=state != "MAKING")
    made = ProductSet.objects.create(
        run=run,
        camera=camera,
        day_obs=day_obs,
        configuration="daily",
        parameters={"collection": "daily", "days": 7, "clip_sigma": 4.0, "exclude": []},
        created_at=datetime.now(UTC),
    )
    frames = _frames(day_obs, detectors, camera)
    products = Product.objects.bulk_create(
        _product(made, kind, band, load(camera).by_id[detector], frames[detector], level, files=files)
        for detector in detectors
        for kind, band in slots
    )
    for number, product in enumerate(products):
        is_bad = state == "REFUSED" and number == 0
        verified(product, passed=not is_bad, sentence=reasons[0] if is_bad and reasons else "")
    if state != "MAKING":
        gate.decide(made, list(reasons) if state == "REFUSED" else [], None)
    made.refresh_from_db()
    return made


def verified(product: Product, *, passed: bool = True, sentence: str = "", test: str = "") -> Verification:
    """A test of the product on one of its held-out frames; one that failed has an amplifier beyond its limit."""
    values = np.full(16, 0.01)
    values[2] = 0.01 if passed else 0.31
    values[5] = np.nan
    return Verification.objects.create(
        product=product,
        test=test or {"flat": "flat_ratio", "ptc": "ptc_noise"}.get(product.type, f"{product.type}_noise"),
        frame_id=product.held_out[0] if product.held_out else None,
        values=values.tolist(),
        lower=-0.05,
        upper=0.05,
        incumbent=0.02,
        passed=passed,
        sentence=sentence,
    )


def _run(day_obs: int, detectors: Sequence[int], slots: Sequence[tuple[str, str]], *, is_over: bool) -> Run:
    names = [load("minicam").detectors[0].name, *map(str, detectors)][1:]
    kinds = dict.fromkeys(kind for kind, _ in slots)
    tasks = [task(f"{stage} {name}", stage=stage) for stage in (*kinds, "verify") for name in names]
    run, _ = runs.start(
        activity="products",
        key=f"products:test:{next(_numbers)}",
        title="Make the masters (daily master calibrations)",
        day_obs=day_obs,
        tasks=[*tasks, task("certify", stage="certify")],
        stages=STAGES,
        parameters={"left_out": ["R22_S11 MC_S_20261122_000009 was taken at -90.0 °C: expected -100.0 ± 1 °C."]},
        requested_by="the OCS",
    )
    began = datetime.now(UTC) - timedelta(seconds=300)
    if is_over:
        every = Task.objects.filter(run=run)
        every.update(phase=Phase.COMPLETED, started_at=began, ended_at=began + timedelta(seconds=40))
        Task.objects.filter(run=run, stage="verify").update(result={"failed": 1, "passed": 20})
        Run.objects.filter(pk=run.pk).update(phase=Phase.COMPLETED, started_at=began, ended_at=datetime.now(UTC))
    run.refresh_from_db()
    return run


def _frames(day_obs: int, detectors: Sequence[int], camera: str) -> dict[int, list[RawFrame]]:
    """Three biases of the day, of each detector; those that are there are used again."""
    exposures = list(Exposure.objects.filter(day_obs=day_obs, camera=camera)[:3])
    if not exposures:
        began = datetime(day_obs // 10000, day_obs // 100 % 100, day_obs % 100, 16, tzinfo=UTC)
        fields: dict[str, Any] = {"day_obs": day_obs, "camera": camera}
        exposures = [
            exposure(n, name=f"MC_S_{day_obs}_{n:06d}", began_at=began + timedelta(seconds=30 * n), **fields)
            for n in (1, 2, 3)
        ]
    found: dict[int, list[RawFrame]] = {}
    for detector in detectors:
        frames = list(RawFrame.objects.filter(exposure__in=exposures, detector=detector).order_by("pk"))
        found[detector] = frames or [archived(each, detector) for each in exposures]
    return found


def _product(
    made: ProductSet, kind: str, band: str, detector: Detector, frames: list[RawFrame], level: float, *, files: bool
) -> Product:
    number = next(_numbers)
    fields: dict[str, Any] = {"sha256": f"{number:064x}", "size": 1000}
    if files:
        kept = store().put(io.BytesIO(_content(kind, detector, level)))
        fields = {"sha256": kept.sha256, "size": kept.size}
    first, *others = frames
    return Product(
        product_set=made,
        type=kind,
        camera=made.camera,
        detector=detector.id,
        detector_name=detector.name,
        filter=band,
        day_obs=made.day_obs,
        inputs=[frame.pk for frame in others],
        held_out=[first.pk],
        statistics=storable(statistics(kind, level)),
        provenance=_provenance(kind, band, detector, others, [first]),
        **fields,
    )


def statistics(kind: str, level: float = 0.0, n: int = 16) -> dict[str, Any]:
    """Numbers such as the stages keep."""
    each = np.linspace(0.98, 1.02, n)
    if kind == "ptc":
        signal = np.outer(np.geomspace(300, 80_000, 8), each).T
        gain = (1.5 + level / 100) * each
        variance = signal / gain[:, None] + 14
        return {
            "gain": gain, "gain_error": gain * 1e-3, "read_noise_e": 5.7 * each, "a00": -2e-6 * each,
            "a00_error": 1e-7 * each, "turnoff": 90_000 * each, "full_well_e": 135_000 * each,
            "brightest": signal[:, -1],
            "reduced_chi2": each, "freedom": [6] * n, "cubic": 0 * each, "notes": [],
            "residuals": np.tile(np.linspace(-0.002, 0.002, 8), (n, 1)), "used": [[True] * 7 + [False]] * n,
            "signal": signal, "variance": variance, "errors": variance / 100, "noise": np.full((n, 8), 14.0),
        }  # fmt: skip
    if kind == "linearity":
        signal = np.outer(each, np.geomspace(300, 80_000, 8))
        residuals = np.outer(each, np.linspace(-0.004, 0.004, 8))
        coefficients = np.stack([1e-8 * each, 1e-13 * each], axis=1)
        return {
            "coefficients": coefficients, "errors": coefficients / 10, "maximum_residual": 0.004 * each,
            "reduced_chi2": each, "residuals": residuals, "signal": signal, "offset_s": 0 * each,
        }  # fmt: skip
    if kind == "crosstalk":
        place = np.arange(n)
        matrix = 1e-4 / (1 + np.abs(place[:, None] - place)) * (1 - np.eye(n))
        return {"coefficients": matrix, "errors": np.full((n, n), 1e-6), "applied": matrix, "unit": "ADU/ADU"}
    if kind == "defects":
        return {"boxes": 3, "kinds": {"HOT": 2, "COLD": 1}, "bad_pixels": 12, "bad_fraction": 1.2e-5}
    middle = {"bias": level, "dark": 0.002, "flat": 1.0}[kind]
    return {"median": middle * each, "noise": 2.0 * each, "read_noise_adu": 3.8 * each, "frames": 1.9, "no_data": 4,
            "rejected": 210, "quantiles": {"50": middle}}  # fmt: skip


def _content(kind: str, detector: Detector, level: float) -> bytes:
    key = (kind, detector.id, level)
    if key not in _cached:
        _cached[key] = _image(detector, level) if kind in {"bias", "dark", "flat"} else _table(kind, detector, level)
    return _cached[key]


def _image(detector: Detector, level: float) -> bytes:
    shape = (detector.height, detector.width)
    random = np.random.default_rng(detector.id)
    image: npt.NDArray[np.float32] = random.normal(100 + level, 2, shape).astype(np.float32)
    image += np.linspace(0, 20, detector.width, dtype=np.float32)
    image[100:140, 200:240] += 40 + level
    mask = np.zeros(shape, dtype=np.int32)
    mask[10, 20] = Plane.HOT | Plane.BAD
    master = MasterImage(image, np.full(shape, 4, np.float32), mask, np.full(shape, 2, np.int16))
    return image_file.to_bytes(master, [("OBSTYPE", "bias", "")], "adu")


def _table(kind: str, detector: Detector, level: float) -> bytes:
    if kind != "defects":
        return tables.to_bytes(Table({"amplifier": [each.name for each in detector.amplifiers]}), {"OBSTYPE": kind})
    boxes = [DefectBox(20, 10, 1, 1, "HOT", 30.0), DefectBox(300, 500, 1, 200, "DARK_COLUMN", 0.4)]
    boxes.append(DefectBox(100 + int(level), 700, 2, 1, "HOT", 9.5))
    return tables.to_bytes(tables.defects_table(boxes), {"OBSTYPE": kind})


def _provenance(
    kind: str, band: str, detector: Detector, inputs: list[RawFrame], held_out: list[RawFrame]
) -> dict[str, Any]:
    return {
        "type": kind,
        "filter": band,
        "detector": detector.name,
        "inputs": [_origin(frame) | {"scale": 1.0} for frame in inputs],
        "held out": [_origin(frame) for frame in held_out],
        "dates": {"first": "2026-11-22T16:00:37.000", "last": "2026-11-22T16:01:37.000", "scale": "TAI"},
        "parameters": {"days": 7, "clip_sigma": 4.0},
        "calibrations": [],
        "software": {"dayops": "0.1 (abc)", "numpy": np.__version__},
        "instrument": {"camera": "minicam", "CCDTEMP": -100.0},
    }


def _origin(frame: RawFrame) -> dict[str, Any]:
    return {
        "exposure": frame.exposure.name,
        "frame": frame.pk,
        "began": "2026-11-22T16:00:37.000",
        "exposure_s": 0.0,
        "filter": "",
        "sha256": frame.sha256,
    }


def product_of(made: ProductSet, kind: str, band: str = "", detector: int = 4) -> Product:
    return Product.objects.get(product_set=made, type=ProductType(kind), filter=band, detector=detector)
