"""The scheduler's duty: once a second every device has a heartbeat, loses it, or loses its workers."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from dayops.devices import jobs
from dayops.devices.changes import SILENT_AFTER, changing, into_fault
from dayops.devices.clock import now
from dayops.devices.registry import devices, kinds
from dayops.devices.states import State
from dayops.models import Device, WorkerProcess

DUTY_EVERY_S = 1.0
WORKER_SILENT_AFTER = timedelta(seconds=35)
ACTOR = "scheduler"


def look_after() -> None:
    """One round: the heartbeat, then the workers, then the jobs."""
    beat()
    watch_workers()
    jobs.follow()


def beat() -> None:
    """The heartbeat of every device. One that was ENABLED without it for too long is in FAULT."""
    devices()
    silent = Device.objects.filter(state=State.ENABLED, heartbeat_at__lt=Now() - SILENT_AFTER)
    for name in silent.filter(name__in=_known()).values_list("name", flat=True):
        _lost_heartbeat(name)
    with transaction.atomic():  # a device that is being changed just now is attended to
        free = Device.objects.select_for_update(skip_locked=True, no_key=True).values("pk")
        Device.objects.filter(pk__in=free).update(heartbeat_at=Now())


def _known() -> list[str]:
    return [kind.name for kind in kinds()]


def _lost_heartbeat(name: str) -> None:
    with changing(name) as device:
        until = now()
        gap = until - device.heartbeat_at
        if device.state == State.ENABLED and gap > SILENT_AFTER:
            span = f"from {device.heartbeat_at:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} UTC"
            into_fault(
                device,
                f"It had no heartbeat for {gap.total_seconds():.0f} s, {span}: no scheduler looked after it.",
                actor=ACTOR,
            )
            Device.objects.filter(pk=device.pk).update(heartbeat_at=Now())


def watch_workers() -> None:
    """A device that has been ENABLED for a while, and whose queue no worker has served lately, is in FAULT.

    One that was enabled a moment ago may have been so before its workers had started.
    """
    queues = {kind.name: kind.queue for kind in kinds() if kind.queue}
    long = Device.objects.filter(state=State.ENABLED, state_since__lt=Now() - WORKER_SILENT_AFTER)
    enabled = list(long.filter(name__in=queues).values_list("name", flat=True))
    if not enabled:
        return
    rows = WorkerProcess.objects.filter(queue__in=set(queues.values()))
    alive = set(rows.filter(seen_at__gt=Now() - WORKER_SILENT_AFTER).values_list("queue", flat=True))
    for name in enabled:
        if queues[name] not in alive:
            _lost_workers(name, queues[name])


def _lost_workers(name: str, queue: str) -> None:
    last = WorkerProcess.objects.filter(queue=queue).aggregate(last=Max("seen_at"))["last"]
    seen = f"the last was seen at {last:%Y-%m-%d %H:%M:%S} UTC" if last else "none was ever seen"
    with changing(name) as device:
        if device.state == State.ENABLED:
            into_fault(
                device,
                f"No worker serves {queue}, {seen}. Start: python manage.py worker --queues {queue}",
                actor=ACTOR,
            )
