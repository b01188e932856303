"""Rounds of delivery: what is due, tried at once, and what became of it."""

import logging
from concurrent.futures import Future, wait
from datetime import timedelta
from threading import Thread

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from dayops import events
from dayops.alarm_delivery import mail, webhook
from dayops.alarm_delivery.messages import shown
from dayops.alarms import EMAIL
from dayops.models import AlarmDelivery, Severity

log = logging.getLogger(__name__)

DUTY_EVERY_S = 2.0
TRY_S = 5.0
MOST_TRIES = 8
FIRST_PAUSE = timedelta(seconds=10)  # doubled with each try: the eighth is 21 minutes after the first


def deliver() -> None:
    """Send what is due, until nothing is or nothing can be. The scheduler's duty; takes no longer than its tries."""
    while due := _due():
        errors = _try_all(due)
        for delivery, error in zip(due, errors, strict=True):
            _record(delivery, error)
        if all(errors):
            return


def _due() -> list[AlarmDelivery]:
    silent = Q(alarm__snoozed_until__gt=Now())
    waiting = AlarmDelivery.objects.filter(~silent, state=AlarmDelivery.State.WAITING, not_before__lte=Now())
    oldest = waiting.order_by("channel", "address", "not_before", "id").distinct("channel", "address")
    return list(oldest.select_related("alarm"))


def _try_all(due: list[AlarmDelivery]) -> list[str]:
    """Why each could not be sent; empty where it was. A thread that is late is left to end by itself."""
    tries: list[Future[None]] = [Future() for _ in due]
    for delivery, outcome in zip(due, tries, strict=True):
        Thread(target=_try, args=(delivery, outcome), daemon=True).start()
    wait(tries, timeout=TRY_S)
    return [_error(outcome) for outcome in tries]


def _try(delivery: AlarmDelivery, outcome: "Future[None]") -> None:
    send = mail.send if delivery.channel == EMAIL else webhook.send
    try:
        outcome.set_result(send(delivery, TRY_S))
    except Exception as error:
        outcome.set_exception(error)


def _error(outcome: "Future[None]") -> str:
    if not outcome.done():
        return f"no answer within {TRY_S:.0f} s"
    error = outcome.exception()
    return "" if error is None else str(error) or type(error).__name__


@transaction.atomic
def _record(delivery: AlarmDelivery, error: str) -> None:
    row = AlarmDelivery.objects.filter(pk=delivery.pk)
    if not error:
        row.update(state=AlarmDelivery.State.SENT, sent_at=Now(), tries=F("tries") + 1, error="")
        return
    tries = delivery.tries + 1
    error = error.replace("\0", "").encode(errors="replace").decode()[:1000]
    pause = FIRST_PAUSE * 2**delivery.tries
    row.update(tries=tries, error=error, not_before=Now() + pause)
    log.warning("alarm %s by %s to %s: %s", delivery.alarm_id, delivery.channel, shown(delivery), error)
    if tries >= MOST_TRIES:
        row.update(state=AlarmDelivery.State.FAILED)
        _tell_given_up(delivery, error)


def _tell_given_up(delivery: AlarmDelivery, error: str) -> None:
    events.record(
        "alarm.undelivered",
        f"No {delivery.channel} about an alarm reached {shown(delivery)} in {MOST_TRIES} tries: {error}",
        actor="scheduler",
        day_obs=delivery.alarm.day_obs,
        severity=Severity.WARN,
        subject=f"alarm:{delivery.alarm_id}",
    )
