"""First assessment of one LSSTCam CCD, 16 RICE-compressed segments of 576 × 2048 pixels, as it comes from the archive.

Ours (read the file, measure every amplifier) against what a scientist would write with fitsio, astropy.stats, NumPy
and SciPy, and against fitsio's reading alone; same file, same process, one thread, the median of several turns. Both
must find the same numbers, or nothing was measured.
"""

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
CLIP_SIGMA = 5.0
AGREEMENT = {  # of integers, astropy knows medians to half an ADU and 1.48 MAD to three quarters
    "overscan_level": 0.6,
    "read_noise_adu": 0.1,
    "median": 1.0,
    "robust_sigma": 1.0,
    "overscan_slope": 0.3,
    "overscan_rms": 0.1,
    "overscan_maximum": 0.3,
    "bias_shifts": 0.1,
    "banding": 0.1,
    "corner_mean": 0.6,
    "gradient": 0.1,
    "row_structure": 0.1,
    "column_structure": 0.3,
    "line_amplitude": 0.1,
    "amplifier_correlation": 0.02,
    "stuck_bits": 0.0,
}


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
        peak_gib = _peak_gib()
        _, decode_cpu_s, _ = _timed(lambda: _decoded(path), turns, "fitsio reads")
        expected, astropy_cpu_s, _ = _timed(lambda: _astropy(path, detector), min(turns, 3), "fitsio + astropy.stats")
    wrong = [name for name, by in AGREEMENT.items() if not np.allclose(found[name], expected[name], rtol=0, atol=by)]
    if wrong:
        raise SystemExit("\n".join(f"{name}: DayOps {found[name]}\nastropy {expected[name]}" for name in wrong))
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


def _peak_gib() -> float:
    """Of this process alone: what getrusage says is at least what the process had that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


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


def _ours(path: Path, detector: Detector) -> dict[str, Any]:
    found = measure_detector(images.read_segments(path, detector), detector, 0.0, "BIAS")
    return {name: found.of(name) for name in AGREEMENT}


def _decoded(path: Path) -> list[Any]:
    with fitsio.FITS(str(path)) as file:
        return [hdu.read() for hdu in file[1:]]


def _astropy(path: Path, detector: Detector) -> dict[str, Any]:
    """The same of a bias, in the obvious way: clipped masks, means, fits, transforms."""
    columns, residuals = [], []
    for raw, amplifier in zip(_decoded(path), detector.amplifiers, strict=True):
        assert amplifier.serial_overscan is not None
        overscan, image = raw[amplifier.serial_overscan.slices][:, 3:], raw[amplifier.image.slices]
        level, found, residual = _overscan_in_astropy(overscan)
        np.count_nonzero(image >= amplifier.saturation), np.count_nonzero(image > np.median(image) + 1_000)
        columns.append({**found, **_image_in_astropy(image, level), "stuck_bits": _stuck_bits_in_numpy(image)})
        residuals.append(residual)
    correlations = np.abs(np.corrcoef(residuals)) - np.eye(len(residuals))
    same = {name: np.array([column[name] for column in columns]) for name in columns[0]}
    return {**same, "amplifier_correlation": correlations.max(axis=1)}


def _overscan_in_astropy(pixels: Any) -> tuple[float, dict[str, float], Any]:
    from astropy.stats import sigma_clip, sigma_clipped_stats
    from scipy.ndimage import uniform_filter1d

    _, level, noise = sigma_clipped_stats(pixels, sigma=CLIP_SIGMA)
    clipped = sigma_clip(pixels, sigma=CLIP_SIGMA)
    rows = clipped.mean(axis=1).filled(level)
    y = np.arange(len(rows))
    slope, start = np.polyfit(y, rows, 1)
    about_line = rows - slope * y - start
    windows = uniform_filter1d(about_line, 30)[15:-14]
    found = {
        "overscan_level": level,
        "read_noise_adu": noise,
        "overscan_slope": slope * (len(rows) - 1),
        "overscan_rms": about_line.std(),
        "overscan_maximum": np.abs(about_line).max(),
        "bias_shifts": np.abs(windows[30:] - windows[:-30]).max(),
        "banding": _line_in_scipy(about_line[None, :], 4, len(rows) / 8),
    }
    centred = clipped - rows[:, None]
    return level, found, (centred - centred.mean(axis=0)).filled(0.0).ravel()


def _image_in_astropy(image: Any, level: float) -> dict[str, float]:
    from astropy.stats import mad_std, sigma_clipped_stats

    _, median, _ = sigma_clipped_stats(image, sigma=CLIP_SIGMA)
    sigma = mad_std(image)
    clipped = np.clip(image, median - CLIP_SIGMA * sigma, median + CLIP_SIGMA * sigma)
    y, x = np.arange(image.shape[0]), np.arange(image.shape[1])
    rows, columns = clipped.mean(axis=1), clipped.mean(axis=0)
    down, across = np.polyfit(y, rows, 1), np.polyfit(x, columns, 1)
    noise = (clipped - rows[:, None] - columns + clipped.mean()).var()
    along = (clipped - columns)[::15]
    return {
        "median": median - level,
        "robust_sigma": sigma,
        "corner_mean": clipped[:200, :200].mean() - level,
        "gradient": abs(down[0]) * (len(y) - 1) + abs(across[0]) * (len(x) - 1),
        "row_structure": np.sqrt(max((rows - np.polyval(down, y)).var() - noise / len(x), 0.0)),
        "column_structure": np.sqrt(max((columns - np.polyval(across, x)).var() - noise / len(y), 0.0)),
        "line_amplitude": _line_in_scipy(along - along.mean(axis=1, keepdims=True), 2, len(x) / 4),
    }


def _line_in_scipy(series: Any, shortest: float, longest: float) -> float:
    from scipy.signal import periodogram

    frequency, power = periodogram(series, window="hann", scaling="spectrum", detrend=False)
    band = power.mean(axis=0)[(frequency >= 1 / longest) & (frequency <= 1 / shortest)]
    return float(np.sqrt(2 * max(band.max() - np.median(band) / (1 - 1 / (9 * len(series))) ** 3, 0.0)))


def _stuck_bits_in_numpy(image: Any) -> int:
    low, high = np.percentile(image, [2.5, 97.5])
    inner = image[(image >= low) & (image <= high)]
    shares = [np.mean((inner >> bit) & 1) for bit in range(18) if high - low + 1 >= 2 ** (bit + 2)]
    return sum(not 0.001 <= share <= 0.999 for share in shares)
