"""First assessment of one LSSTCam CCD, 16 RICE-compressed segments of 576 × 2048 pixels, as it comes from the archive.

Ours (read the file, measure every amplifier) against what a scientist would write with fitsio and astropy.stats, and
against fitsio's reading alone; same file, same process, one thread, the median of several turns. Both must find the
same levels and noises, or nothing was measured.
"""

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fitsio
import numpy as np

from calib.science.amplifier import measure_detector, warm_up
from dayops import camera, images
from dayops.camera import Detector

NEEDS_DATABASE = False
READ_NOISE_E = 5.7
AGREEMENT_ADU = 1.0  # of integers, astropy knows medians to half an ADU and 1.48 MAD to three quarters
CLIP_SIGMA = 5.0
ROWS = ("overscan_level", "read_noise_adu", "median", "robust_sigma")


def run(*, quick: bool) -> dict[str, Any]:
    """Measure ours first, so that the peak memory is ours alone. `quick` takes two of the amplifiers, once."""
    turns = 1 if quick else 7
    detector = camera.load("lsstcam").by_name["R22_S11"]
    if quick:
        detector = replace(detector, amplifiers=detector.amplifiers[:2])
    with tempfile.TemporaryDirectory(prefix="dayops-bench-") as folder:
        path = Path(folder) / "bias.fits"
        _write_bias(path, detector)
        pixels = sum(amplifier.raw_width * amplifier.raw_height for amplifier in detector.amplifiers)
        print(f"{len(detector.amplifiers)} segments, {pixels / 1e6:.1f} Mpix, {path.stat().st_size / 1e6:.1f} MB")
        warm_up()
        images.warm_up()
        found, cpu_s, wall_s = _timed(lambda: _ours(path, detector), turns, "DayOps")
        peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        _, decode_cpu_s, _ = _timed(lambda: _decoded(path), turns, "fitsio reads")
        expected, astropy_cpu_s, _ = _timed(lambda: _astropy(path, detector), min(turns, 3), "fitsio + astropy.stats")
    if not np.allclose(found, expected, rtol=0, atol=AGREEMENT_ADU):
        raise SystemExit(f"DayOps and astropy disagree:\n{found}\n{expected}")
    return {
        "cpu_s": round(cpu_s, 4),
        "wall_s": round(wall_s, 4),
        "decode_cpu_s": round(decode_cpu_s, 4),
        "astropy_cpu_s": round(astropy_cpu_s, 4),
        "cpu_ratio_vs_astropy": round(astropy_cpu_s / cpu_s, 2),
        "cpu_ratio_vs_decode": round(cpu_s / decode_cpu_s, 3),
        "peak_gib": round(peak_gib, 3),
        "megapixels": round(pixels / 1e6, 2),
    }


def _write_bias(path: Path, detector: Detector) -> None:
    """A bias of nominal read noise and one hot column in each amplifier, a segment at a time to stay small."""
    rng = np.random.default_rng(22)
    with fitsio.FITS(str(path), "rw") as file:
        file.write(None)
        for amplifier in detector.amplifiers:
            shape = (amplifier.raw_height, amplifier.raw_width)
            segment = rng.standard_normal(shape, dtype=np.float32) * np.float32(READ_NOISE_E / amplifier.gain)
            segment += np.float32(24_000 + 100 * amplifier.index)
            segment[:, 100] += 3_000
            file.write(
                np.rint(segment).astype(np.int32),
                extname=amplifier.extension,
                compress="RICE",
                tile_dims=(1, amplifier.raw_width),
            )


def _timed(work: Callable[[], Any], turns: int, name: str) -> tuple[Any, float, float]:
    """What `work` gives, and the medians of its CPU and wall seconds."""
    cpu, wall = [], []
    for _ in range(turns):
        began = time.process_time(), time.perf_counter()
        found = work()
        cpu.append(time.process_time() - began[0])
        wall.append(time.perf_counter() - began[1])
    cpu_s, wall_s = statistics.median(cpu), statistics.median(wall)
    print(f"{name:<24} {1000 * cpu_s:8.1f} ms CPU {1000 * wall_s:8.1f} ms wall")
    return found, cpu_s, wall_s


def _ours(path: Path, detector: Detector) -> Any:
    found = measure_detector(images.read_segments(path, detector), detector, 0.0, "BIAS")
    return np.stack([found.of(name) for name in ROWS])


def _decoded(path: Path) -> list[Any]:
    with fitsio.FITS(str(path)) as file:
        return [hdu.read() for hdu in file[1:]]


def _astropy(path: Path, detector: Detector) -> Any:
    """Level and noise of the overscan, median and robust sigma of the image, saturated and hot pixels."""
    from astropy.stats import mad_std, sigma_clipped_stats

    columns = []
    for raw, amplifier in zip(_decoded(path), detector.amplifiers, strict=True):
        assert amplifier.serial_overscan is not None
        overscan, image = raw[amplifier.serial_overscan.slices], raw[amplifier.image.slices]
        _, level, noise = sigma_clipped_stats(overscan, sigma=CLIP_SIGMA)
        _, median, _ = sigma_clipped_stats(image, sigma=CLIP_SIGMA)
        np.count_nonzero(image >= amplifier.saturation), np.count_nonzero(image > median + 1_000)
        columns.append([level, noise, median - level, mad_std(image)])
    return np.array(columns).T
