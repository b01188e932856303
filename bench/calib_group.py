"""The masters of one LSSTCam CCD from the day's 25 exposures, and from that the time for 189 CCDs on two cores.

In: the job's start (its selection of frames), every task of the real pipeline from raw files to verified products, with
the engine, the files and the tables, and the certification of the set; CPU of the worker and of PostgreSQL. The tasks
are those of one CCD. Start and certification are measured for the whole focal plane, on copies of the rows of that CCD.
Out: simulating, archiving and assessing the frames, which happens while they come in (``bench calib_exposure``), and
the fork of a process for each task. The CCD is one of ITL: those of e2v do not pass the gate as long as the simulator's
charge does not repel charge, which theirs is known to do. DMS-REQ-0131 allows 1200 s for the group.
"""

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from dayops import camera, embedded, kernels
from dayops.camera import Camera
from dayops.day_plan import Plan

DAY, SEED = 20261122, 22
LIMIT_S, CORES, CCDS = 1200, 2, 189


@dataclass
class Spent:
    """CPU seconds of this process and of PostgreSQL, and wall seconds, so far."""

    worker_s: float = 0.0
    postgres_s: float = 0.0
    wall_s: float = 0.0
    tasks: int = 0

    @property
    def cpu_s(self) -> float:
        return self.worker_s + self.postgres_s


@dataclass
class Group:
    """What the work on one CCD took, by stage, and the worker's largest resident memory."""

    stages: dict[str, Spent] = field(default_factory=lambda: defaultdict(Spent))
    peak_gib: float = 0.0


def run(*, quick: bool) -> dict[str, Any]:
    """`quick` takes a CCD of minicam and nine of them."""
    from django.conf import settings
    from django.db import connections

    from calib.drills.narrowed import narrowed

    settings.CAMERA, name = ("minicam", "R22_S11") if quick else ("lsstcam", "R01_S11")
    whole = camera.load(settings.CAMERA)
    among = len(whole.science_detectors)
    kernels.warm_up()
    _take(narrowed(settings.CAMERA, [name]))
    vars(whole).pop("science_detectors")
    selecting = _start_whole_focal_plane(whole)
    narrowed(settings.CAMERA, [name])
    connections.close_all()
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:  # its memory is that of a worker
        for key in ("first", "second"):  # beside whose products stand those of the first, as on any other day
            group = pool.submit(_make, key).result()
    vars(whole).pop("science_detectors")
    return _report(group, selecting, _certify_whole_focal_plane(whole), among)


def _take(observed: Camera) -> None:
    """Frames of a day into the archive, assessed."""
    from calib.drills.days import crew
    from calib.reviews import usable_frames
    from dayops.simulator.observatory import Programme, usual_beginning

    began, planned = time.monotonic(), len(Plan.load().exposures(DAY))
    with crew(CORES) as workers:
        workers.take_at_once(Programme(observed, DAY, SEED, usual_beginning(DAY, datetime.now(UTC))))
    if (usable := usable_frames().count()) != planned:
        raise SystemExit(f"{usable} of {planned} frames are usable: nothing was measured.")
    print(
        f"{planned} frames of one CCD simulated, archived and assessed in {time.monotonic() - began:.0f} s", flush=True
    )


def _start_whole_focal_plane(whole: Camera) -> Spent:
    """The start of a job for every CCD, on copies of this one's frames; nothing of it stays."""
    from django.db import transaction

    with transaction.atomic():
        _copy_frames(whole)
        with _measuring(Spent(tasks=1)) as spent:
            _start("whole focal plane")
        transaction.set_rollback(True)
    return spent


def _copy_frames(whole: Camera) -> None:
    """The rows of the CCD's frames, their assessments and measurements for all other CCDs."""
    from calib.models import Assessment, Measurement
    from dayops.models import RawFrame

    rows = [*RawFrame.objects.all()]
    assessments = {row.frame_id: row for row in Assessment.objects.all()}
    levels = [*Measurement.objects.filter(metric="flat_level")]
    for detector in _others(whole):
        frames = {row.pk: _copy(row, detector=detector.id, detector_name=detector.name) for row in rows}
        RawFrame.objects.bulk_create(frames.values())
        Assessment.objects.bulk_create(
            _copy(row, frame=frames[key], detector=detector.id) for key, row in assessments.items()
        )
        Measurement.objects.bulk_create(
            _copy(row, frame=frames[row.frame_id], detector=detector.id) for row in levels if row.frame_id
        )


def _certify_whole_focal_plane(whole: Camera) -> Spent:
    """The gate's decision on the set of every CCD, on copies of this one's products; nothing of it stays."""
    from django.db import transaction

    from calib import certification
    from calib.models import Product
    from calib.products import gate

    with transaction.atomic():
        _copy_frames(whole)
        made = _start("all products").product_set
        _copy_products(whole, made)
        seen = certification.state_seen(made.camera, str(made.parameters["collection"]))
        with _measuring(Spent(tasks=1)) as spent:
            certified = gate.decide(made, gate.objections(made, [], {}), seen)
        if not certified:
            raise SystemExit(f"The set of the whole focal plane was not certified: {made.reasons}")
        spent.tasks = Product.objects.filter(product_set=made).count()
        transaction.set_rollback(True)
    return spent


def _copy_products(whole: Camera, made: Any) -> None:
    from calib.models import Product, ProductSet, Verification

    certified = ProductSet.objects.filter(state=ProductSet.State.CERTIFIED).last()
    rows = [*Product.objects.filter(product_set=certified)]
    tests = [*Verification.objects.filter(product__product_set=certified)]
    for detector in whole.science_detectors:
        copies = {
            row.pk: _copy(row, product_set=made, detector=detector.id, detector_name=detector.name) for row in rows
        }
        Product.objects.bulk_create(copies.values())
        Verification.objects.bulk_create(_copy(row, product=copies[row.product_id]) for row in tests)


def _others(whole: Camera) -> list[Any]:
    from dayops.models import RawFrame

    known = set(RawFrame.objects.values_list("detector_name", flat=True))
    return [detector for detector in whole.science_detectors if detector.name not in known]


def _copy(row: Any, **changed: Any) -> Any:
    """`row` as one that is not in the database yet, with `changed` fields."""
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    fields.pop(row._meta.pk.attname)
    for name in changed:
        fields.pop(row._meta.get_field(name).attname)
    return type(row)(**fields, **changed)


def _start(key: str) -> Any:
    from calib.products.configuration import configuration
    from calib.products.generator import start

    return start(configuration("daily"), DAY, requested_by="bench", key=key)


def _make(key: str) -> Group:
    """Start the job of the one CCD and perform its tasks, one after the other, in this process."""
    from calib.models import ProductSet
    from calib.products.generator import QUEUE
    from dayops.engine import claim, perform
    from dayops.models import Task

    group = Group()
    with _measuring(group.stages["start"]):
        run = _start(key)
    while True:
        spent = Spent()
        with _measuring(spent):
            if (work := claim(QUEUE, "bench")) is None:
                break
            perform(work)
        stage = group.stages[Task.objects.get(pk=work.task_id).stage]
        stage.worker_s += spent.worker_s
        stage.postgres_s += spent.postgres_s
        stage.wall_s += spent.wall_s
        stage.tasks += 1
    made = ProductSet.objects.get(run=run)
    if made.state != ProductSet.State.CERTIFIED:
        raise SystemExit(f"The set is {made.state}: {' '.join(made.reasons)} {run.error}")
    group.peak_gib = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**20
    return group


@contextmanager
def _measuring(spent: Spent) -> Iterator[Spent]:
    worker, postgres, wall = time.process_time(), _postgres_s(), time.perf_counter()
    try:
        yield spent
    finally:
        spent.worker_s += time.process_time() - worker
        spent.postgres_s += _postgres_s() - postgres
        spent.wall_s += time.perf_counter() - wall


def _postgres_s() -> float:
    """CPU seconds of the database server so far, with all that it forked, dead or alive."""
    server = psutil.Process((embedded.running(embedded.state_dir()) or {})["PostgreSQL"])
    return sum(sum(process.cpu_times()[:4]) for process in (server, *server.children(recursive=True)))


def _report(group: Group, selecting: Spent, certifying: Spent, among: int) -> dict[str, Any]:
    print(f"\n{'stage':<10} tasks  worker s  postgres s   wall s")
    for stage, spent in group.stages.items():
        print(f"{stage:<10} {spent.tasks:5d} {spent.worker_s:9.2f} {spent.postgres_s:11.2f} {spent.wall_s:8.2f}")
    once = ("start", "certify")
    per_ccd = sum(spent.cpu_s for stage, spent in group.stages.items() if stage not in once)
    print(f"{'all of one CCD, but for start and certification':<48} {per_ccd:8.2f} CPU s")
    print(f"{f'start for {among} CCDs':<48} {selecting.cpu_s:8.2f} CPU s {selecting.wall_s:8.2f} s")
    words = f"certification of {certifying.tasks} products"
    print(f"{words:<48} {certifying.cpu_s:8.2f} CPU s {certifying.wall_s:8.2f} s")
    seconds = per_ccd * CCDS / CORES + selecting.wall_s + certifying.wall_s  # neither is done by two
    print(f"{CCDS} CCDs on {CORES} cores: {seconds:.0f} s of {LIMIT_S} s", flush=True)
    return {
        "cpu_s_per_ccd": round(per_ccd, 3),
        "seconds_189_ccd_2_cores": round(seconds, 1),
        "limit_s": LIMIT_S,
        "start_s": round(selecting.wall_s, 2),
        "certify_s": round(certifying.wall_s, 2),
        "peak_gib": round(group.peak_gib, 3),
        "ccds": among,
        **{f"cpu_s_{stage}": round(spent.cpu_s, 3) for stage, spent in group.stages.items()},
    }
