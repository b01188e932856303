"""A small synthetic sky, loaded and searched by a worker of our own."""

from typing import Any

from dayops.engine import work_off
from dayops.models import Run, Task
from mops.models import Night
from mops.pipeline.start import start
from mops.pipeline.synthetic_nights import Sky, load_nights

NIGHTS = 4
LAST = 20261121
BEFORE = 20261120
SKY = Sky(objects=150)


def load(nights: int = NIGHTS, *, leave_out: tuple[int, ...] = (), sky: Sky = SKY) -> int:
    """Nights up to `LAST`; returns how many detections are new."""
    return load_nights(LAST, nights, sky, leave_out=leave_out)


def search(day_obs: int = LAST, configuration: str = "usual", **options: Any) -> Night:
    """Start a search, work it off, and give its night; a task that failed fails the test, unless it is let."""
    may_fail = options.pop("may_fail", False)
    run = start(day_obs, configuration, requested_by="otto", **options)
    work(run, may_fail=may_fail)
    return Night.objects.get(run=run)


def work(run: Run, *, may_fail: bool = False) -> None:
    Task.objects.update(not_before="2020-01-01T00:00Z")
    work_off("archive-center", "tester", limit_s=600)
    failed = Task.objects.filter(run=run, phase="ERROR").values_list("key", "error")
    assert may_fail or not failed, list(failed)
