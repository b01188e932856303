"""One LSSTCam exposure, from its offer to its verdict: 189 files of 16 × 576 × 2048 pixels through the whole pipeline.

A folder is the Camera Data System; the scheduler's catch-up finds the files, two real worker processes archive, measure
and judge them, with PostgreSQL and Valkey on the same machine. The clock starts when all files are offered at once and
stops with the exposure's judgement. The files are two simulated biases of each vendor's sensors, re-headered so that
each names its own detector and has bytes of its own; they are made before the clock starts.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from dayops import camera, embedded
from dayops.camera import Camera, Detector
from dayops.camera_data_system import OfferedFrame
from dayops.camera_data_system.offers import offer_as_json
from dayops.day_plan import PlannedExposure
from dayops.images.fits_checksum import seal
from dayops.processes import Child, manage, worker
from dayops.simulator.frames import Shot, simulate

ENVIRONMENT = {"DAYOPS_CAMERA": "lsstcam"}
BEGAN = datetime(2026, 1, 1, 20, tzinfo=UTC)
WORKERS = 2
LIMIT_S = 1800.0
_DISTINCT = 2  # simulated biases of each vendor
_LOOK_S = 0.1
_SAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds for each file, shape (files,): to its verdict, from its offer and from its archiving; to measure it."""

    from_offer: Any
    from_archived: Any
    measuring: Any


def run(*, quick: bool) -> dict[str, Any]:
    """`quick` takes the nine small detectors of minicam."""
    observed = camera.load("minicam" if quick else "lsstcam")
    shot = Shot(observed, 20260101, PlannedExposure(1, "bias", "BIAS", "", 0.0, 0.0), BEGAN)
    state = embedded.state_dir()
    folder = state / "camera"
    offers = _write_files(folder, shot)
    children = _start(state, folder)
    try:
        before = _cpu_s(children)
        offered_at = _offer(folder, offers)
        seconds = _wait_for_judgement(len(offers), offered_at)
        cpu_s = {name: after - before[name] for name, after in _cpu_s(children).items()}
    finally:
        _stop(children)
    _check(len(offers))
    return _report(seconds, _latencies(offered_at), cpu_s)


def _write_files(folder: Path, shot: Shot) -> list[OfferedFrame]:
    """One file for each science detector, and an empty manifest, so that none is offered yet."""
    folder.mkdir()
    _publish(folder, [])
    templates = _templates(shot)
    offers = []
    for number, detector in enumerate(shot.camera.science_detectors):
        of_vendor = templates[detector.vendor]
        content = _of_detector(of_vendor[number % len(of_vendor)], detector, shot.camera)
        name = shot.file_name(detector)
        _write_synced(folder / name, content)
        sha256 = hashlib.sha256(content).hexdigest()
        offers.append(OfferedFrame(name, shot.name, shot.day_obs, 1, detector.name, len(content), sha256, BEGAN))
    print(f"wrote {len(offers)} files, {sum(offer.size for offer in offers) / 1e6:.0f} MB")
    return offers


def _write_synced(path: Path, content: bytes) -> None:
    """Nothing is left to be written to disk once the clock has started."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _templates(shot: Shot) -> dict[str, list[bytes]]:
    detectors = shot.camera.science_detectors
    found: dict[str, list[bytes]] = {}
    for detector in detectors:
        if len(made := found.setdefault(detector.vendor, [])) < _DISTINCT:
            made.append(simulate(shot, detector.id, seed=22))
            print(f"simulated {detector.name} ({detector.vendor})", flush=True)
    return found


def _of_detector(template: bytes, detector: Detector, of: Camera) -> bytes:
    """`template` as a file of `detector`: other cards in its primary header, sealed anew."""
    size = template.index(b"XTENSION= ")
    header = bytearray(template[:size])
    cards = {
        "RAFTBAY": f"'{detector.raft:<8}'",
        "CCDSLOT": f"'{detector.slot:<8}'",
        "LSST_NUM": f"'{detector.vendor}-{detector.id:03d}'",
        "NEXPECT": f"{len(of.science_detectors):>20}",
        "CHECKSUM": f"'{'0' * 16}'",
    }
    for start in range(0, size, 80):
        keyword = header[start : start + 8].decode().strip()
        if keyword in cards:
            header[start : start + 80] = f"{keyword:<8}= {cards[keyword]}".ljust(80).encode()
    seal(header, size)
    return bytes(header) + template[size:]


def _publish(folder: Path, offers: Sequence[OfferedFrame]) -> None:
    beside = folder / ".manifest.part"
    beside.write_text(json.dumps({"frames": [offer_as_json(offer) for offer in offers]}))
    beside.replace(folder / "manifest.json")


def _offer(folder: Path, offers: Sequence[OfferedFrame]) -> datetime:
    """Offer all files at once; returns when."""
    at = datetime.now(UTC)
    _publish(folder, offers)
    return at


def _start(state: Path, folder: Path) -> list[Child]:
    """Scheduler and workers, once all of them say that they are alive."""
    from dayops.models import WorkerProcess

    environment, logs = {"DAYOPS_CAMERA_DATA_SYSTEM": str(folder)}, state / "log"
    children = [Child("scheduler", manage("scheduler"), logs / "scheduler.log", environment)]
    children += [worker("alert-production", number + 1, logs, environment) for number in range(WORKERS)]
    for child in children:
        child.start()
    deadline = time.monotonic() + LIMIT_S
    while WorkerProcess.objects.count() < len(children):
        if time.monotonic() > deadline or not all(child.alive for child in children):
            _stop(children)
            raise SystemExit("\n".join(child.log.read_text(errors="replace")[-2000:] for child in children))
        time.sleep(_LOOK_S)
    print(f"scheduler and {WORKERS} workers are ready", flush=True)
    return children


def _stop(children: Sequence[Child]) -> None:
    for child in children:
        child.stop()


def _wait_for_judgement(files: int, offered_at: datetime) -> float:
    """Seconds from the offer until the judgement of all `files` can be read."""
    from calib.models import Assessment, Judgement
    from dayops.models import RawFrame

    said = began = time.monotonic()
    while not Judgement.objects.filter(measured=files).exists():
        if time.monotonic() - began > LIMIT_S:
            raise SystemExit(f"The exposure was not judged in {LIMIT_S:.0f} s.")
        if time.monotonic() - said > _SAY_S:
            said = time.monotonic()
            archived, measured = RawFrame.objects.count(), Assessment.objects.count()
            print(f"{said - began:6.0f} s  {archived} archived, {measured} measured", flush=True)
        time.sleep(_LOOK_S)
    return (datetime.now(UTC) - offered_at).total_seconds()


def _cpu_s(children: Sequence[Child]) -> dict[str, float]:
    """CPU seconds so far: of the scheduler, of the workers with all that they forked, and of the database."""
    servers = embedded.running(embedded.state_dir()) or {}
    seconds = {"scheduler": 0.0, "workers": 0.0, "postgres": _tree_cpu_s(servers["PostgreSQL"])}
    for child in children:
        if child.process is not None:
            seconds[child.name if child.name in seconds else "workers"] += _tree_cpu_s(child.process.pid)
    return seconds


def _tree_cpu_s(pid: int) -> float:
    """Of a process, its living descendants, and those that each of them has outlived."""
    root, total = psutil.Process(pid), 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def _check(files: int) -> None:
    """Every file archived, measured and judged, at the first attempt, or nothing was measured."""
    from calib.models import Assessment, Measurement
    from dayops.models import Attempt, Phase, RawFrame, Task

    found = {
        "frames archived": RawFrame.objects.filter(state="ARCHIVED", verified=True).count(),
        "frames assessed": Assessment.objects.count(),
        "frames with rows": Measurement.objects.filter(metric="read_noise_e").count(),
        "fetched": Task.objects.filter(function="archive.fetch", phase=Phase.COMPLETED).count(),
        "measured": Task.objects.filter(function="calib.measure", phase=Phase.COMPLETED).count(),
    }
    wrong = [f"{name}: {count} of {files}" for name, count in found.items() if count != files]
    if wrong or Attempt.objects.count() != 2 * files:
        raise SystemExit(f"Not every file went through once. {'; '.join(wrong)}, {Attempt.objects.count()} attempts")


def _latencies(offered_at: datetime) -> Latencies:
    from calib.models import Assessment
    from dayops.models import Task

    times = Assessment.objects.values_list("frame__archived_at", "assessed_at")
    begun = Task.objects.filter(function="calib.measure").values_list("started_at", "ended_at")
    return Latencies(
        from_offer=np.array([(assessed - offered_at).total_seconds() for _, assessed in times]),
        from_archived=np.array([(assessed - archived).total_seconds() for archived, assessed in times]),
        measuring=np.array([(ended - started).total_seconds() for started, ended in begun if started and ended]),
    )


def _report(seconds: float, latencies: Latencies, cpu_s: dict[str, float]) -> dict[str, Any]:
    files = len(latencies.from_offer)
    print(f"{files} files, offered at once, to the exposure's judgement {seconds:8.1f} s")
    for name, found in asdict(latencies).items():
        p50, p95 = np.percentile(found, (50, 95))
        print(f"file {name:<14} median {p50:8.2f} s   p95 {p95:8.2f} s")
    judging_s = seconds - float(latencies.from_offer.max())
    print(f"judgement after the last file's verdict {judging_s:8.2f} s")
    for name, spent in cpu_s.items():
        print(f"CPU of {name:<10} {spent:8.1f} s   {1000 * spent / files:6.0f} ms a file")
    return {
        "detectors": files,
        "seconds": round(seconds, 2),
        "p95_file_to_verdict_s": round(float(np.percentile(latencies.from_offer, 95)), 2),
        "p95_archived_to_verdict_s": round(float(np.percentile(latencies.from_archived, 95)), 2),
        "judging_s": round(judging_s, 2),
        "files_per_s": round(files / seconds, 2),
        **{f"cpu_s_{name}": round(spent, 1) for name, spent in cpu_s.items()},
    }
