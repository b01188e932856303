"""The verdict of difi (Moeyens et al.), an independent scorer of linkages.

Its Python package imports ray and adam_core, which nothing here needs; its Rust core stands alone and is loaded so.
"""

import importlib.metadata
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mops.science.detections import Detections


def core() -> ModuleType:
    """The Rust core; skips the running test where difi or pyarrow is not installed."""
    pytest.importorskip("pyarrow", reason="pyarrow, which writes difi's input, is not installed")
    try:
        files = importlib.metadata.distribution("difi").files or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("difi, the independent scorer, is not installed")
    path = next(Path(str(file.locate())) for file in files if file.name.startswith("_core."))
    spec = importlib.util.spec_from_file_location("difi._core", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


METRIC = json.dumps(
    {
        "type": "tracklets",
        "tracklet_min_obs": 2,
        "max_obs_separation": 1.5 / 24,
        "min_linkage_nights": 3,
        "min_obs_angular_separation": 1.0,
    }
)


def findable(folder: Path, seen: Detections, truth: np.ndarray) -> np.ndarray:
    """Objects that difi calls findable, ascending."""
    verdict = core().analyze_observations(_observations(folder, seen, truth), metric_json=METRIC)
    return np.array(sorted(int(each["object_id"]) for each in verdict["objects"] if each["findable"]), dtype=np.int64)


def linkages(folder: Path, seen: Detections, truth: np.ndarray, first: np.ndarray, members: np.ndarray) -> Any:
    """difi's classification of linkages: any foreign detection makes one impure."""
    import pyarrow as pa
    from pyarrow import parquet

    number = np.repeat(np.arange(len(first) - 1), np.diff(first))
    table = pa.table({"linkage_id": _words(number), "obs_id": _words(members)})
    parquet.write_table(table, folder / "linkages.parquet")
    return core().analyze_linkages(
        _observations(folder, seen, truth),
        str(folder / "linkages.parquet"),
        metric_json=METRIC,
        min_obs=6,
        contamination_percentage=0.0,
    )


def _observations(folder: Path, seen: Detections, truth: np.ndarray) -> str:
    import pyarrow as pa
    from pyarrow import parquet

    days = np.floor(seen.mjd_tai).astype(np.int64)
    nanos = np.round((seen.mjd_tai - days) * 86400e9).astype(np.int64)
    table = pa.table(
        {
            "id": _words(np.arange(len(seen))),
            "time": pa.StructArray.from_arrays([pa.array(days), pa.array(nanos)], ["days", "nanos"]),
            "ra": seen.ra,
            "dec": seen.dec,
            "observatory_code": _words(np.full(len(seen), 1)),
            "object_id": pa.array([str(o) if o >= 0 else None for o in truth], pa.large_string()),
            "night": seen.night.astype(np.int64),
        }
    )
    path = folder / "observations.parquet"
    parquet.write_table(table, path)
    return str(path)


def _words(numbers: np.ndarray):
    import pyarrow as pa

    return pa.array([str(number) for number in numbers], pa.large_string())
