"""Catch-up: what the Camera Data System offers and the archive lacks is queued, oldest first.

Asked every few seconds, it costs one listing and a constant number of queries when there is nothing new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.utils.timezone import now

from dayops import runs
from dayops.archive.conditions import Condition, tell
from dayops.archive.ingest import ACTOR
from dayops.archive.jobs import FETCH
from dayops.archive.labels import printable
from dayops.camera_data_system import CameraDataSystemError, Listing, OfferedFrame, open_camera_data_system
from dayops.camera_data_system.offers import offer_as_json
from dayops.models import Event, Phase, RawFrame, Severity, Task
from dayops.runs import NewTask, NotPossible

ACTIVITY = "archiver"
QUEUE = "alert-production"
_STAGE = "fetch"
_PRIORITY = 10  # before every measurement: bytes that are not archived can still be lost
_EXPOSURES_AT_ONCE = 50  # so that a long backlog does not hold up the tick
_TROUBLE, _WELL = "camera_data_system.trouble", "camera_data_system.well"
_MANY_TRIES = 20  # by the pauses between tries, more than an hour
_ALL_TRIED_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Frames offered, archived, queued just now, waiting (in all) and given up.

    `bad` counts entries that cannot be fetched; `trouble` says why nothing is known.
    """

    offered: int = 0
    archived: int = 0
    queued: int = 0
    waiting: int = 0
    failed: int = 0
    bad: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Try:
    """How the fetching of a frame stands."""

    phase: str
    number: int
    error: str


def catch_up(url: str, day_obs: int | None = None) -> CatchUp:
    """Queue the fetching of every offered frame (of one dayObs if given) that the archive lacks. Idempotent."""
    try:
        listing = open_camera_data_system(url).listing(day_obs)
    except CameraDataSystemError as error:
        tell(Condition("camera_data_system", "trouble", _TROUBLE, str(error), Severity.WARN))
        return CatchUp(trouble=str(error))
    lacking = _lacking(listing.frames)
    tries = _tries(lacking)
    unknown = [frame for frame in lacking if _key(frame) not in tries]
    known = [(frame, tries[_key(frame)]) for frame in lacking if _key(frame) in tries]
    failed = sum(its.phase in {Phase.ERROR, Phase.ABORTED} for _, its in known)
    tell(_answers(url), _bad_entries(listing, url), _stuck(known))
    return CatchUp(
        offered=len(listing.frames),
        archived=len(listing.frames) - len(lacking),
        queued=_queue(unknown, url),
        waiting=len(lacking) - failed,
        failed=failed,
        bad=len(listing.bad),
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
    """New for new bytes: a frame that its sender mends, or was still writing, is fetched again."""
    return f"{frame.name[:160]}:{(frame.sha256 or '')[:12]}:{frame.size}"


def _key(frame: OfferedFrame) -> tuple[str, str]:
    return _run_key(frame), _task_key(frame)


def _tries(frames: Iterable[OfferedFrame]) -> dict[tuple[str, str], _Try]:
    """How the task of each frame that has one stands, by run and task."""
    keys = {_run_key(frame) for frame in frames}
    fields = ("run__key", "key", "phase", "attempt", "error")
    rows = Task.objects.filter(run__key__in=keys).values_list(*fields) if keys else []
    return {(run, task): _Try(*rest) for run, task, *rest in rows}


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


def _answers(url: str) -> Condition:
    return Condition("camera_data_system", "", _WELL, f"The Camera Data System at {url} answers again.")


def _bad_entries(listing: Listing, url: str) -> Condition:
    subject = "camera_data_system.entries"
    if not listing.bad:
        return Condition(subject, "", "camera_data_system.entries_well", f"Every frame at {url} can be fetched again.")
    names = sha256("\n".join(sorted(entry.name for entry in listing.bad)).encode()).hexdigest()
    shown = " | ".join(f"{entry.name}: {entry.problem}" for entry in listing.bad[:5])
    text = (
        f"{len(listing.bad)} of {len(listing.frames) + len(listing.bad)} entries at {url} cannot be fetched: "
        f"{shown[:1500]}. Mend, rename or remove them there; the others are fetched."
    )
    return Condition(subject, names, "camera_data_system.bad_entries", printable(text), Severity.WARN)


def _stuck(known: Iterable[tuple[OfferedFrame, _Try]]) -> Condition:
    """Frames that are tried again and again. After an outage of the whole service each is given time for one more."""
    waiting = {Phase.QUEUED, Phase.EXECUTING}
    stuck = [(frame, its) for frame, its in known if its.number >= _MANY_TRIES and its.phase in waiting]
    if not stuck or _just_came_back():
        return Condition("archiver.stuck", "", "archiver.unstuck", "Every offered frame can be archived again.")
    frame, its = stuck[0]
    text = (
        f"{len(stuck)} offered frames are still not archived after {its.number} tries; the first is {frame.name}: "
        f"{its.error[:500]} They are tried again every 5 minutes; mend the cause, or abort their runs."
    )
    return Condition("archiver.stuck", "stuck", "archiver.stuck", text, Severity.ALARM)


def _just_came_back() -> bool:
    newest = Event.objects.filter(subject="camera_data_system").order_by("-id").first()
    return newest is not None and (newest.kind == _TROUBLE or newest.at > now() - _ALL_TRIED_AGAIN)
