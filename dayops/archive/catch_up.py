"""Catch-up: what the Camera Data System offers and the archive lacks is queued, oldest first.

Asked every few seconds, it costs one listing and a constant number of queries when there is nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from dayops import events, runs
from dayops.archive.ingest import ACTOR
from dayops.archive.jobs import FETCH
from dayops.camera_data_system import CameraDataSystemError, OfferedFrame, open_camera_data_system
from dayops.camera_data_system.offers import offer_as_json
from dayops.models import Event, Phase, RawFrame, Severity, Task
from dayops.runs import NewTask, NotPossible

ACTIVITY = "archiver"
QUEUE = "alert-production"
_STAGE = "fetch"
_PRIORITY = 10  # before every measurement: bytes that are not archived can still be lost
_EXPOSURES_AT_ONCE = 50  # so that a long backlog does not hold up the tick
_TROUBLE, _WELL = "camera_data_system.trouble", "camera_data_system.well"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Frames offered, archived, queued just now, waiting (in all) and given up; `trouble` says why nothing is known."""

    offered: int = 0
    archived: int = 0
    queued: int = 0
    waiting: int = 0
    failed: int = 0
    trouble: str = ""


def catch_up(url: str, day_obs: int | None = None) -> CatchUp:
    """Queue the fetching of every offered frame (of one dayObs if given) that the archive lacks. Idempotent."""
    try:
        offered = open_camera_data_system(url).frames(day_obs)
    except CameraDataSystemError as error:
        _note(_TROUBLE, str(error), Severity.WARN)
        return CatchUp(trouble=str(error))
    _note(_WELL, f"The Camera Data System at {url} answers again.", Severity.INFO)
    lacking = _lacking(offered)
    phases = _phases(lacking)
    unknown = [frame for frame in lacking if _key(frame) not in phases]
    failed = sum(phases.get(_key(frame)) in {Phase.ERROR, Phase.ABORTED} for frame in lacking)
    return CatchUp(
        offered=len(offered),
        archived=len(offered) - len(lacking),
        queued=_queue(unknown, url),
        waiting=len(lacking) - failed,
        failed=failed,
    )


def backlog(day_obs: int | None = None) -> int:
    """How many frames are known to be offered and not archived yet (of one dayObs if given). One query."""
    waiting = Task.objects.filter(
        run__activity=ACTIVITY, phase__in=[Phase.PENDING, Phase.QUEUED, Phase.EXECUTING], function=FETCH
    )
    return (waiting if day_obs is None else waiting.filter(run__day_obs=day_obs)).count()


def _lacking(offered: Sequence[OfferedFrame]) -> list[OfferedFrame]:
    """Offered frames whose content the archive lacks: by checksum, or by name where the sender gives none."""
    sums = {frame.sha256 for frame in offered if frame.sha256}
    unsummed = {frame.name for frame in offered if not frame.sha256}
    here = set(RawFrame.objects.filter(sha256__in=sums).values_list("sha256", flat=True)) if sums else set()
    named = (
        set(RawFrame.objects.filter(file_name__in=unsummed).values_list("file_name", flat=True)) if unsummed else set()
    )
    return [frame for frame in offered if not (frame.sha256 in here if frame.sha256 else frame.name in named)]


def _run_key(frame: OfferedFrame) -> str:
    return f"archive:{settings.CAMERA}:{frame.exposure}"[:200]


def _task_key(frame: OfferedFrame) -> str:
    """New for new bytes: a sender that mends a frame has it fetched again."""
    return f"{frame.name[:160]}:{frame.sha256[:12] if frame.sha256 else frame.size}"


def _key(frame: OfferedFrame) -> tuple[str, str]:
    return _run_key(frame), _task_key(frame)


def _phases(frames: Iterable[OfferedFrame]) -> dict[tuple[str, str], str]:
    """Phase of the task of each frame that has one, by run and task."""
    keys = {_run_key(frame) for frame in frames}
    rows = Task.objects.filter(run__key__in=keys).values_list("run__key", "key", "phase") if keys else []
    return {(run, task): phase for run, task, phase in rows}


def _queue(frames: Sequence[OfferedFrame], url: str) -> int:
    """One run for each exposure, one task for each of its frames. Returns how many tasks are new."""
    exposures: dict[str, list[OfferedFrame]] = {}
    for frame in frames:
        exposures.setdefault(_run_key(frame), []).append(frame)
    return sum(_queue_exposure(key, exposures[key], url) for key in list(exposures)[:_EXPOSURES_AT_ONCE])


def _queue_exposure(key: str, frames: list[OfferedFrame], url: str) -> int:
    tasks = [
        NewTask(
            stage=_STAGE,
            key=_task_key(frame),
            function=FETCH,
            arguments={"url": url, "frame": offer_as_json(frame)},
            queue=QUEUE,
            priority=_PRIORITY,
        )
        for frame in frames
    ]
    exposure = frames[0].exposure
    run, created = runs.start(
        activity=ACTIVITY,
        key=key,
        title=f"Archive {exposure}"[:200],
        day_obs=frames[0].day_obs,
        tasks=tasks,
        stages=[_STAGE],
        subject=f"exposure:{settings.CAMERA}/{exposure}"[:200],
        requested_by=ACTOR,
    )
    if created:
        return len(tasks)
    try:
        return runs.add_tasks(run, tasks)
    except NotPossible:
        return 0  # a person aborted this exposure's run; it stays so until a person says otherwise


def _note(kind: str, text: str, severity: Severity) -> None:
    """An event when the Camera Data System goes away or returns, not each time it is asked."""
    subject = "camera_data_system"
    last = Event.objects.filter(subject=subject).order_by("-id").values_list("kind", flat=True).first()
    if kind != (last or _WELL):
        events.record(kind, text, actor=ACTOR, severity=severity, subject=subject)
