"""A short slice of the benchmark, as a person runs it."""

import sys

from tests.dayops.test_drills_and_benches import last_line


def test_the_loading_benchmark_loads_once_replays_nothing_and_searches():
    found = last_line([sys.executable, "-m", "bench", "diasource_load", "--quick"])
    assert (found["rows"], found["columns"], found["replay_changed_rows"]) == (100_000, 26, 0)
    assert found["indexes"] >= 4
    assert found["seconds"] > 0
    assert found["cone_rows"] > 0
    assert found["cone_p95_ms"] > 0
