"""Tracklets, linking and orbits of fifteen nights, ours against heliolinx, on the same simulated detections.

The pointings are OpSim's (baseline v2.0, nights 60422-60436) where the real files are, else a small survey of our own.
Both start from arrays in memory and end with the linkages; heliolinx's tracklets, heliolinc and link_purify are counted
and its preparation is not; ours counts everything, the N-body orbits too. Each runs in a process of its own with one
thread: CPU seconds are comparable and the peak memory (VmHWM) is its own. Compiling is not counted.

The increment is what a new night costs when tracklets and linkages of the nights before are kept: its own tracklets,
the linkages that they extend, and the new ones with at least one of them.

``python -m bench linking --objects 500000 --false-per-deg2 4`` takes other sizes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.science.constants import AU_KM, GM_SUN, OBLIQUITY
from mops.science.detections import Detections
from mops.science.ephemeris import earth
from mops.science.linking import hypotheses, search
from mops.science.linking.link import reference_time
from mops.science.linking.purify import Linkages
from mops.science.orbit_status import Status
from mops.science.time_scales import tdb_from_tai
from mops.science.tracklets import Tracklets, make_tracklets
from mops.synthetic.detections import simulate
from mops.synthetic.findability import findable
from mops.synthetic.population import make_population
from mops.synthetic.scoring import Score, score
from mops.synthetic.survey import Pointings, pointings_from_opsim, small_survey

NEEDS_DATABASE = False
REAL = Path(os.environ.get("DAYOPS_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
OPSIM = ("moving_objects", "baseline_v2.0_nights60422_60436.csv")
PEER_HYPOTHESES = ("moving_objects", "heliolinx_demo", "radhypo_mb02a.txt")
PEER = ("heliolinx==0.0.2", "numpy<2")  # numpy 2 crashes it
SEED, FAINTER = 20240424, 0.03  # magnitudes: 100,000 objects have about 109,000 detections
_KM_S = AU_KM / 86400


def run(
    *, quick: bool, objects: int = 100_000, false_per_deg2: float = 0.0, nights: int = 15, peer: bool = True
) -> dict[str, Any]:
    """`quick` takes 50,000 objects on a small survey of five nights, without the peer."""
    if quick:
        objects, peer = 50_000, False
    pointings, detections, truth = _catalogue(objects, false_per_deg2, nights, quick=quick)
    wanted = findable(detections, truth)
    print(f"{len(detections):,} detections of {objects:,} objects, {len(wanted):,} findable", flush=True)
    with tempfile.TemporaryDirectory(prefix="dayops-bench-") as folder:
        np.savez(Path(folder) / "in.npz", **{each.name: getattr(detections, each.name) for each in fields(Detections)})
        ours = _child([sys.executable, "-m", "bench.linking", folder])
        own = score(*_lists(Path(folder) / "ours.npz"), truth, wanted)
        _say("ours", ours, own)
        report = _report(detections, wanted, ours, own)
        if peer:
            _write_for_peer(Path(folder) / "peer.npz", pointings, detections)
            theirs = _child([str(_peer_python()), str(Path(__file__).parent / "_heliolinx.py"),
                             f"{folder}/peer.npz", f"{folder}/theirs.npz"])  # fmt: skip
            theirs["cpu_s"] = sum(theirs["seconds"].values())
            other = score(*_lists(Path(folder) / "theirs.npz"), truth, wanted)
            _say("heliolinx", theirs, other)
            report |= _compared(ours, theirs, other)
    return report


def _report(detections: Detections, wanted: npt.NDArray[np.int64], ours: dict[str, Any], own: Score) -> dict[str, Any]:
    return {
        "detections": len(detections),
        "findable": len(wanted),
        "tracklets": ours["tracklets"],
        "linkages": ours["linkages"],
        "completeness": round(own.completeness.value, 5),
        "purity": round(own.purity.value, 5),
        "seconds": round(ours["wall_s"], 2),
        "cpu_s": round(ours["cpu_s"], 2),
        "peak_gib": round(ours["peak_gib"], 3),
        "increment_cpu_s": round(ours["increment_cpu_s"], 2),
        "increment_linkages": ours["increment_linkages"],
        "heliolinx_completeness": None,
        "heliolinx_purity": None,
        "heliolinx_cpu_s": None,
        "cpu_ratio_vs_heliolinx": None,
    }


def _compared(ours: dict[str, Any], theirs: dict[str, Any], other: Score) -> dict[str, Any]:
    return {
        "heliolinx_completeness": round(other.completeness.value, 5),
        "heliolinx_purity": round(other.purity.value, 5),
        "heliolinx_cpu_s": round(theirs["cpu_s"], 2),
        "heliolinx_peak_gib": round(theirs["peak_gib"], 3),
        "heliolinx_tracklets": theirs["tracklets"],
        "cpu_ratio_vs_heliolinx": round(theirs["cpu_s"] / ours["cpu_s"], 2),
        "increment_ratio_vs_heliolinx": round(theirs["cpu_s"] / ours["increment_cpu_s"], 2),
    }


def _say(who: str, took: dict[str, Any], result: Score) -> None:
    print(
        f"{who:<10} {took['cpu_s']:8.2f} CPU s {took['peak_gib']:6.3f} GiB  complete {result.completeness}  "
        f"pure {result.purity}  {took['seconds']}",
        flush=True,
    )


def _catalogue(
    objects: int, false_per_deg2: float, nights: int, *, quick: bool
) -> tuple[Pointings, Detections, npt.NDArray[np.int64]]:
    if quick or not REAL.joinpath(*OPSIM).is_file():
        pointings = small_survey(20240424, nights=5)
    else:
        pointings = pointings_from_opsim(REAL.joinpath(*OPSIM))
        pointings = pointings.take(np.isin(pointings.night, np.unique(pointings.night)[:nights]))
    population = make_population(objects, seed=SEED, fainter=FAINTER)
    detections, truth = simulate(population, pointings, seed=SEED, false_per_deg2=false_per_deg2)
    return pointings, detections, truth


def measure(folder: str) -> None:
    """In a process of its own: link the detections of `folder`, and print what it took as JSON."""
    stored = np.load(Path(folder) / "in.npz")
    detections = Detections(**{each.name: stored[each.name] for each in fields(Detections)})
    search.warm_up()
    began = time.process_time(), time.perf_counter()
    tracklets = make_tracklets(detections).tracklets
    in_tracklets = time.process_time() - began[0]
    linkages = search.search(detections, tracklets, progress=_progress)
    cpu, wall = time.process_time() - began[0], time.perf_counter() - began[1]
    peak = _peak_gib()
    np.savez(Path(folder) / "ours.npz", first=linkages.first, members=linkages.members)
    increment, fresh = _increment(detections, tracklets)
    print(
        json.dumps(
            {
                "seconds": {"tracklets": round(in_tracklets, 2), "the rest": round(cpu - in_tracklets, 2)},
                "cpu_s": cpu,
                "wall_s": wall,
                "peak_gib": peak,
                "tracklets": len(tracklets),
                "linkages": len(linkages),
                "usable_orbits": int(np.count_nonzero(linkages.orbits.status == Status.OK)),
                "increment_cpu_s": increment,
                "increment_linkages": len(fresh),
            }
        )
    )


def _increment(detections: Detections, tracklets: Tracklets) -> tuple[float, Linkages]:
    """CPU seconds of the last night, when the tracklets and linkages of those before are kept."""
    night = int(detections.night.max())
    before = np.flatnonzero(tracklets.night < night)
    known = search.search(detections, tracklets.take(before))
    known = replace(known, tracklet_members=before[known.tracklet_members])
    fresh = detections.take(detections.night == night)
    began = time.process_time()
    make_tracklets(fresh)
    linkages = search.search(detections, tracklets, new_night=night, known=known)
    return time.process_time() - began, linkages


def _progress(look: search.Look, among: int, clusters: int, linkages: int) -> None:
    print(f"  {look.hypotheses.__name__}, {look.nights} nights: {among:,} tracklets, {clusters:,} clusters; "
          f"{linkages:,} linkages", file=sys.stderr, flush=True)  # fmt: skip


def _peak_gib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 2**20
    return float("nan")


def _child(command: list[str]) -> dict[str, Any]:
    environment = os.environ | {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ended with {done.returncode}: nothing was measured.")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def _lists(path: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lists of detections: ours as they are, the peer's from pairs of cluster and detection."""
    stored = np.load(path)
    if "first" in stored:
        return stored["first"], stored["members"]
    order = np.argsort(stored["cluster"], kind="stable")
    cuts = np.flatnonzero(np.diff(stored["cluster"][order], prepend=-1))
    return np.append(cuts, len(order)).astype(np.int64), stored["detection"][order].astype(np.int64)


def _peer_python() -> Path:
    """The Python of heliolinx's own environment, made in the cache folder the first time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dayops" / "heliolinx-0.0.2"
    python = cache / "bin" / "python"
    if not (cache / "complete").is_file():
        print(f"Making heliolinx's environment in {cache}", flush=True)
        venv.create(cache, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEER], check=True)
        (cache / "complete").write_text("\n".join(PEER))
    return python


def _write_for_peer(path: Path, pointings: Pointings, detections: Detections) -> None:
    """Arrays in the order, the units (km, km/s, ecliptic axes) and with the hypotheses that heliolinx takes."""
    visits, first, visit = np.unique(detections.visit, return_index=True, return_inverse=True)
    order = np.argsort(detections.mjd_tai[first], kind="stable")
    place_of = np.argsort(order)  # of each visit among the images, which are in the order of time
    first = first[order]
    where = np.flatnonzero(np.isin(pointings.visit, visits))
    where = where[np.argsort(pointings.visit[where])][order]
    reference = reference_time(detections)
    days = np.arange(np.floor(reference) - 40, np.floor(reference) + 41)
    place, velocity = earth(days)
    speed = _speeds(detections, first)
    np.savez(
        path,
        mjd=detections.mjd_tai,
        ra=detections.ra,
        dec=detections.dec,
        mag=detections.mag,
        image=place_of[visit],
        image_mjd=detections.mjd_tai[first],
        image_ra=pointings.ra[where],
        image_dec=pointings.dec[where],
        image_place=_ecliptic(detections.observer[first]) * AU_KM,
        image_velocity=_ecliptic(speed) * _KM_S,
        hypotheses=_peer_hypotheses(),
        earth_mjd=days,
        earth_place=_ecliptic(place) * AU_KM,
        earth_velocity=_ecliptic(velocity) * _KM_S,
        reference=reference,
    )


def _speeds(detections: Detections, first: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """The observer's velocity at each image, au/day: the Earth's is near enough for what it is used for."""
    return np.asarray(earth(np.asarray(tdb_from_tai(detections.mjd_tai[first])))[1])


def _ecliptic(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    sine, cosine = np.sin(OBLIQUITY), np.cos(OBLIQUITY)
    return np.asarray(vectors @ np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]]))


def _peer_hypotheses() -> npt.NDArray[np.float64]:
    """Its own 213 of the main belt, else ours in its columns: r, rdot, −rddot r² / GM."""
    path = REAL.joinpath(*PEER_HYPOTHESES)
    if path.is_file():
        return np.loadtxt(path, skiprows=1)
    own = hypotheses.grid("main_belt", (1.5, 100.0), 0.03, (0.6, 0.2))
    return np.stack([own.r, own.rdot, -own.rddot * own.r**2 / GM_SUN], axis=1)


if __name__ == "__main__":  # the measured child
    measure(sys.argv[1])
