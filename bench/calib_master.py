"""The master bias of one LSSTCam CCD from 20 raw files, RICE-compressed as they come from the archive.

Ours (files to mean, variance and number of values) against the obvious way in ccdproc, amplifier by amplifier: CCDData,
subtract_overscan, trim_image, Combiner with 3 sigma clipping, average_combine. Same files, one thread, each in a
process of its own, so that its peak memory (VmHWM) is its own; seconds are those of the work without imports and
compiling. A third process combines whole frames with ccdproc, for its peak memory; another only decodes, which is the
floor. Both masters must agree, or nothing was measured.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from calib.science import combine as combining
from dayops import camera, images
from dayops.camera import Detector
from dayops.day_plan import Plan
from dayops.simulator.frames import Shot, simulate
from dayops.simulator.truth import truth_for

NEEDS_DATABASE = False
CLIP_SIGMA = 3.0
DAY, SEED = 20261122, 4
WIDEST_DIFFERENCE = 4.0  # sigma of the mean; each value of 20 that only one of them clips moves it by 0.7
FULL_FRAME_GIB = 13.0  # free memory, without which whole frames are not tried


def run(*, quick: bool) -> dict[str, Any]:
    """`quick` takes eight frames of minicam; whole frames are then combined all the same."""
    name, count, turns = ("minicam", 8, 1) if quick else ("lsstcam", 20, 5)
    detector = _detector(name)
    with tempfile.TemporaryDirectory(prefix="dayops-bench-") as folder:
        _write_biases(Path(folder), name, count)
        megabytes = sum(path.stat().st_size for path in Path(folder).glob("*.fits")) / 1e6
        print(f"{count} frames of {len(detector.amplifiers)} segments, {megabytes:.1f} MB", flush=True)
        ours = _child("ours", name, folder, turns)
        decode = _child("decode", name, folder, turns)
        ccdproc = _child("ccdproc", name, folder, 1)
        roomy = quick or _available_gib() >= FULL_FRAME_GIB
        full = _child("full_frame", name, folder, 1) if roomy else None
        difference = _difference(Path(folder), name, count)
    if not difference < WIDEST_DIFFERENCE:
        raise SystemExit(f"The masters differ by {difference:.2f} sigma of the mean: nothing was measured.")
    return {
        "cpu_s": round(ours["cpu_s"], 3),
        "wall_s": round(ours["wall_s"], 3),
        "decode_cpu_s": round(decode["cpu_s"], 3),
        "ccdproc_cpu_s": round(ccdproc["cpu_s"], 2),
        "cpu_ratio_vs_ccdproc": round(ccdproc["cpu_s"] / ours["cpu_s"], 2),
        "cpu_ratio_vs_decode": round(ours["cpu_s"] / decode["cpu_s"], 2),
        "peak_gib": round(ours["peak_gib"], 3),
        "ccdproc_peak_gib": round(ccdproc["peak_gib"], 3),
        "ccdproc_full_frame_peak_gib": round(full["peak_gib"], 3) if full else None,
        "memory_ratio_vs_ccdproc_full_frame": round(ours["peak_gib"] / full["peak_gib"], 3) if full else None,
        "max_difference_sigma": round(difference, 3),
        "frames": count,
    }


def measure(route: str, name: str, folder: str, turns: int) -> None:
    """In a process of its own: run one route `turns` times, and print what it took as JSON."""
    work, cpu, wall = ROUTES[route], [], []
    paths, detector = sorted(Path(folder).glob("*.fits")), _detector(name)
    images.warm_up()
    combining.warm_up()
    if route == "ours":  # the kernels of the overscan, too
        combining.combine([combining.Frame(path) for path in paths[:2]], _first_of(detector), gain=[1.5])
    for _ in range(turns):
        began = time.process_time(), time.perf_counter()
        master = work(paths, detector)
        cpu.append(time.process_time() - began[0])
        wall.append(time.perf_counter() - began[1])
    if master is not None:
        np.save(Path(folder) / f"{route}.npy", master)
    print(
        json.dumps({"cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall), "peak_gib": _status("VmHWM")})
    )


def _child(route: str, name: str, folder: str, turns: int) -> dict[str, float]:
    call = f"from bench.calib_master import measure; measure({route!r}, {name!r}, {folder!r}, {turns})"
    done = subprocess.run([sys.executable, "-c", call], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{route:<12} {found['cpu_s']:8.2f} s CPU {found['wall_s']:8.2f} s wall {found['peak_gib']:6.2f} GiB",
        flush=True,
    )
    return found


def _detector(name: str) -> Detector:
    return camera.load(name).by_name["R22_S11"]


def _first_of(detector: Detector) -> Detector:
    return replace(detector, amplifiers=detector.amplifiers[:1])


def _write_biases(folder: Path, name: str, count: int) -> None:
    whole = camera.load(name)
    planned = next(exposure for exposure in Plan.load().exposures(DAY) if exposure.image_type == "BIAS")
    shot = Shot(whole, DAY, planned, datetime(2026, 11, 22, 16, 20, tzinfo=UTC))
    for repeat in range(count):
        (folder / f"{repeat:02d}.fits").write_bytes(simulate(shot, _detector(name).id, SEED, repeat=repeat))
        print(f"\rsimulated {repeat + 1} of {count} ", end="\n" if repeat + 1 == count else "", flush=True)


def _ours(paths: list[Path], detector: Detector) -> Any:
    frames = [combining.Frame(path) for path in paths]
    gain = [amplifier.gain for amplifier in detector.amplifiers]
    return combining.combine(frames, detector, gain=gain, clip=CLIP_SIGMA).mean


def _decode(paths: list[Path], detector: Detector) -> None:
    for path in paths:
        images.read_segments(path, detector)


def _ccdproc(paths: list[Path], detector: Detector) -> Any:
    """Amplifier by amplifier, which needs a sixteenth of the memory."""
    return images.assemble(
        [
            _in_raw_shape(_combined_by_ccdproc([_reduced(path, amplifier) for path in paths]), amplifier)
            for amplifier in detector.amplifiers
        ],
        detector,
    )


def _ccdproc_full_frame(paths: list[Path], detector: Detector) -> None:
    from astropy.nddata import CCDData

    frames = []
    for path in paths:
        whole = np.empty((detector.height, detector.width))
        for amplifier in detector.amplifiers:
            whole[amplifier.place.slices] = _reduced(path, amplifier).data  # turned or not, memory is the same
        frames.append(CCDData(whole, unit="adu"))
    _combined_by_ccdproc(frames)


def _reduced(path: Path, amplifier: camera.Amplifier) -> Any:
    import ccdproc  # type: ignore[import-untyped]
    from astropy.nddata import CCDData

    assert amplifier.serial_overscan is not None
    frame = CCDData.read(path, hdu=amplifier.extension, unit="adu")
    rows, columns = amplifier.image.slices
    over = amplifier.serial_overscan
    frame = ccdproc.trim_image(frame[rows])
    frame = ccdproc.subtract_overscan(frame, overscan=frame[:, over.x0 + 3 : over.x1], median=True)
    return ccdproc.trim_image(frame[:, columns])


def _combined_by_ccdproc(frames: list[Any]) -> Any:
    import ccdproc

    combiner = ccdproc.Combiner(frames)
    combiner.sigma_clipping(low_thresh=CLIP_SIGMA, high_thresh=CLIP_SIGMA, func="mean", dev_func="std")
    return combiner.average_combine().data


def _in_raw_shape(light: Any, amplifier: camera.Amplifier) -> Any:
    segment = np.zeros((amplifier.raw_height, amplifier.raw_width), dtype=np.float32)
    segment[amplifier.image.slices] = light
    return segment


def _difference(folder: Path, name: str, count: int) -> float:
    """The largest distance of the two masters in sigma of the mean, as the read noise makes it.

    ccdproc takes off a level for each row, ours one for all: of every amplifier's row the median is taken off first.
    """
    detector, truth = _detector(name), truth_for(camera.load(name), _detector(name).id, SEED, DAY)
    difference, largest = np.load(folder / "ours.npy") - np.load(folder / "ccdproc.npy"), []
    for amplifier, noise in zip(detector.amplifiers, truth.read_noise_e / truth.gain, strict=True):
        part = difference[amplifier.place.slices]
        part = part - np.median(part, axis=1, keepdims=True)
        largest.append(np.abs(part).max() * np.sqrt(count) / noise)
    return float(max(largest))


def _status(key: str, file: str = "/proc/self/status") -> float:
    """A size that Linux states in kB, in GiB."""
    return int(Path(file).read_text().split(f"{key}:")[1].split()[0]) / 2**20


def _available_gib() -> float:
    return _status("MemAvailable", "/proc/meminfo")


ROUTES: dict[str, Callable[[list[Path], Detector], Any]] = {
    "ours": _ours,
    "decode": _decode,
    "ccdproc": _ccdproc,
    "full_frame": _ccdproc_full_frame,
}
