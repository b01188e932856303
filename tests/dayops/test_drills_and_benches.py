"""A short slice of each drill and benchmark, run as a person runs it, and held to the keys it promises."""

import json
import os
import subprocess
import sys
from typing import Any

from dayops.embedded import CHECKOUT
from dayops.processes import manage


def last_line(words: list[str]) -> dict[str, Any]:
    """Run a command away from the tests' own servers; its last line as JSON."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DAYOPS_", "DJANGO_"))}
    done = subprocess.run(
        words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_the_chaos_drill_loses_and_doubles_nothing_where_its_control_is_damaged() -> None:
    found = last_line(manage("chaos", "--quick"))
    assert found["committed"] == found["tasks"] == 20
    assert (found["lost"], found["doubled"], found["different"]) == (0, 0, 0)
    assert found["kills"] >= 5
    assert found["control_damaged"] >= 1


def test_the_fault_drill_names_its_faults_and_leaves_healthy_frames_in_peace() -> None:
    found = last_line(manage("fault_drill", "--quick"))
    assert found["faults"] == found["caught"] == found["named"] == 2
    assert (found["false_errors"], found["false_warnings"], found["healthy_frames"]) == (0, 0, 36)


def test_the_certification_drill_certifies_a_healthy_day_and_nothing_bad() -> None:
    found = last_line(manage("certification_drill", "--quick"))
    assert (found["healthy_sets"], found["bad_sets"]) == (1, 1)
    assert (found["certified_bad"], found["refused_good"]) == (0, 0)
    assert found["good_sets"] >= 1


def test_the_pages_benchmark_measures_every_page_with_constant_queries() -> None:
    found = last_line([sys.executable, "-m", "bench", "pages", "--quick"])
    assert found["rows"] == 2 * 21 * 3024
    for page in ("board", "exposures", "focal_plane", "trend", "trend_raft", "trend_detector", "compare", "coverage"):
        assert found[f"p95_ms_{page}"] > 0
        assert 0 < found[f"queries_{page}"] <= 45


def test_the_assessment_benchmark_beats_its_peer_on_the_same_file() -> None:
    found = last_line([sys.executable, "-m", "bench", "calib_qa", "--quick"])
    assert found["cpu_ratio_vs_astropy"] >= 4
    assert found["decode_cpu_s"] > 0
    assert 0 < found["peak_gib"] < 2


def test_the_master_benchmark_beats_its_peer_on_the_same_files() -> None:
    found = last_line([sys.executable, "-m", "bench", "calib_master", "--quick"])
    assert found["cpu_ratio_vs_ccdproc"] >= 4
    assert found["max_difference_sigma"] < 4
    assert found["cpu_ratio_vs_decode"] > 0
    assert 0 < found["memory_ratio_vs_ccdproc_full_frame"] < 1


def test_the_exposure_benchmark_brings_every_offered_file_to_a_verdict() -> None:
    found = last_line([sys.executable, "-m", "bench", "calib_exposure", "--quick"])
    assert found["detectors"] == 9
    assert 0 < found["p95_archived_to_verdict_s"] < found["p95_file_to_verdict_s"] <= found["seconds"]
    assert min(found["cpu_s_workers"], found["cpu_s_postgres"]) > 0


def test_the_group_benchmark_makes_and_certifies_the_masters_of_a_ccd() -> None:
    found = last_line([sys.executable, "-m", "bench", "calib_group", "--quick"])
    stages = ("bias", "dark", "crosstalk", "ptc", "linearity", "flat", "defects", "verify")
    assert min(found[f"cpu_s_{stage}"] for stage in stages) > 0
    assert found["cpu_s_per_ccd"] < found["seconds_189_ccd_2_cores"] < found["limit_s"]
    assert 0 < found["peak_gib"] < 2


def test_the_calibration_database_benchmark_finds_every_slot_and_lets_one_certifier_win() -> None:
    found = last_line([sys.executable, "-m", "bench", "calib_database", "--quick"])
    assert found["certifications"] == 5 * 189 * 12
    assert found["rows"] == (2 * 5 - 1) * 189 * 12
    assert (found["overlaps"], found["winners"]) == (0, [1, 1])
    for name in ("lookup_ms", "focal_plane_lookup_ms", "certify_night_ms", "rollback_night_ms"):
        assert found[name] > 0


def test_a_benchmark_tells_of_an_option_that_it_has_not() -> None:
    words = [sys.executable, "-m", "bench", "linking", "--rows", "3"]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert "unrecognized arguments: --rows 3" in done.stderr
    assert "Traceback" not in done.stderr
