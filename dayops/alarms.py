"""Alarms: raised once, cleared when it is over, acknowledged or snoozed by people, and never forgotten.

A check calls `raise_alarm` as often as it sees its condition and `clear` as often as it does not. The first sight opens
an alarm, tells it as an event and queues its messages (`dayops.alarm_delivery` sends them); the others only count.
An open alarm asks for attention until someone acknowledges it. A snoozed one is silent until its time; if it is still
open then, it asks again by itself, for whether it does is a question about the clock and not a state.
"""

import logging
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from dayops import events
from dayops.models import Alarm, AlarmDelivery, Event, Severity
from dayops.runs import NotPossible

log = logging.getLogger(__name__)

FLAP_S = 900
LONGEST_SNOOZE = timedelta(days=7)
EMAIL, WEBHOOK = "email", "webhook"
_ONE_OPEN = "alarm_one_open_per_key"


def still_open() -> QuerySet[Alarm]:
    """Alarms whose condition is not known to be over."""
    return Alarm.objects.filter(cleared_at=None)


def asking() -> QuerySet[Alarm]:
    """Open alarms that ask for attention: neither acknowledged nor snoozed now."""
    return still_open().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=Now()), acknowledged_at=None)


def raise_alarm(
    *,
    key: str,
    name: str,
    activity: str,
    day_obs: int,
    sentence: str,
    remedy: str = "",
    subject: str = "",
    severity: Severity = Severity.ALARM,
) -> Alarm:
    """The open alarm of `key`, opened now or counted once more. Called inside the caller's transaction.

    While it is open, seeing it again updates `times`, `seen_at`, the sentence, remedy and severity, and tells nobody.
    One that was cleared less than `FLAP_S` ago opens again with its acknowledgement, without a message. Two processes
    that see a new condition at once make one alarm: the constraint lets one win, and the other counts. Texts are cut
    to the size of their columns, since an alarm must not fail for being long.
    """
    said = {"sentence": _clean(sentence), "remedy": _clean(remedy), "severity": severity}
    key = _clean(key)[:200]
    while True:
        if seen := _seen_again(key, said):
            return seen
        try:
            with transaction.atomic():
                return _reopened(key, said) or _opened(
                    key=key,
                    name=_clean(name)[:60],
                    activity=activity[:40],
                    day_obs=day_obs,
                    subject=_clean(subject)[:200],
                    **said,
                )
        except IntegrityError as error:
            if _ONE_OPEN not in str(error):
                raise  # it is not that somebody else was faster


def _clean(text: str) -> str:
    """Text that PostgreSQL can keep: without NUL, and with `?` for halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _seen_again(key: str, said: dict[str, str]) -> Alarm | None:
    alarms = still_open().filter(key=key)
    return alarms.get() if alarms.update(times=F("times") + 1, seen_at=Now(), **said) else None


def _reopened(key: str, said: dict[str, str]) -> Alarm | None:
    """The key's newest alarm, open again, where it was cleared a moment ago."""
    alarm = Alarm.objects.filter(key=key).order_by("-id").first()
    if alarm is None:
        return None
    lately = Alarm.objects.filter(pk=alarm.pk, cleared_at__gt=Now() - timedelta(seconds=FLAP_S))
    if not lately.update(cleared_at=None, times=F("times") + 1, seen_at=Now(), **said):
        return None
    alarm.refresh_from_db()
    _tell("reopened", alarm, f"Again: {alarm.sentence}", actor=alarm.activity)
    return alarm


def _opened(**fields: object) -> Alarm:
    alarm = Alarm.objects.create(**fields)
    alarm.refresh_from_db()
    _tell("raised", alarm, alarm.sentence, actor=alarm.activity, severity=Severity(alarm.severity))
    log.warning("alarm %s (%s): %s", alarm.pk, alarm.key, alarm.sentence)
    addresses = [(EMAIL, address) for address in settings.ALARM_EMAILS]
    addresses += [(WEBHOOK, address) for address in settings.ALARM_WEBHOOKS]
    AlarmDelivery.objects.bulk_create(
        AlarmDelivery(alarm=alarm, channel=channel, address=address) for channel, address in addresses
    )
    return alarm


@transaction.atomic
def clear(key: str, *, why: str) -> bool:
    """Close the open alarm of `key`, and whether there was one. It costs one query where there is none."""
    alarm = still_open().filter(key=_clean(key)[:200]).select_for_update(no_key=True).first()
    if alarm is None:
        return False
    Alarm.objects.filter(pk=alarm.pk).update(cleared_at=Now())
    _tell("cleared", alarm, f"Over: {alarm.sentence}", actor=alarm.activity, reason=_clean(why))
    return True


@transaction.atomic
def acknowledge(alarm_id: int, *, actor: str, reason: str) -> None:
    """Someone has taken it up: it stays open and asks no more. Ends a snooze. Raises NotPossible in words."""
    alarm = _open_one(alarm_id, reason)
    if refusal := why_not_acknowledge(alarm):
        raise NotPossible(refusal)
    taken = {"acknowledged_at": Now(), "acknowledged_by": actor, "snoozed_until": None, "snoozed_by": ""}
    Alarm.objects.filter(pk=alarm.pk).update(reason=_clean(reason), **taken)
    _tell("acknowledged", alarm, f"{actor} acknowledged: {alarm.sentence}", actor=actor, reason=_clean(reason))


@transaction.atomic
def snooze(alarm_id: int, *, actor: str, reason: str, until: datetime) -> None:
    """Silence it until the instant `until`, at most seven days ahead: no message, no count, not among what asks.

    Takes an acknowledgement back, so that it asks again when the snooze is over. Raises NotPossible in words.
    """
    alarm = _open_one(alarm_id, reason)
    if refusal := why_not_snooze(alarm) or _why_not_until(until):
        raise NotPossible(refusal)
    silenced = {"snoozed_until": until, "snoozed_by": actor, "acknowledged_at": None, "acknowledged_by": ""}
    Alarm.objects.filter(pk=alarm.pk).update(reason=_clean(reason), **silenced)
    text = f"{actor} snoozed until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {alarm.sentence}"
    _tell("snoozed", alarm, text, actor=actor, reason=_clean(reason))


def why_not_acknowledge(alarm: Alarm) -> str:
    """Why it cannot be acknowledged now; empty where it can."""
    if alarm.acknowledged_at and not alarm.cleared_at:
        return f"It was acknowledged by {alarm.acknowledged_by} at {alarm.acknowledged_at:%Y-%m-%d %H:%M} UTC already."
    return why_not_snooze(alarm)


def why_not_snooze(alarm: Alarm) -> str:
    """Why it cannot be snoozed now; empty where it can."""
    if alarm.cleared_at:
        return f"It has been over since {alarm.cleared_at:%Y-%m-%d %H:%M} UTC: there is nothing to silence."
    return ""


def _why_not_until(until: datetime) -> str:
    now = datetime.now(UTC)
    if until <= now:
        return f"A snooze must end in the future; {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC has passed."
    if until > now + LONGEST_SNOOZE:
        return f"A snooze may last {LONGEST_SNOOZE.days} days at most: choose an earlier end, and look again then."
    return ""


def _open_one(alarm_id: int, reason: str) -> Alarm:
    if not _clean(reason).strip():
        raise NotPossible("A reason is needed: say in a few words why, so that the next shift understands.")
    return Alarm.objects.select_for_update(no_key=True).get(pk=alarm_id)


def history(alarm: Alarm) -> QuerySet[Event]:
    """What happened to it, newest first."""
    return Event.objects.filter(subject=f"alarm:{alarm.pk}").order_by("-id")


def _tell(
    what: str, alarm: Alarm, text: str, *, actor: str, reason: str = "", severity: Severity = Severity.INFO
) -> None:
    events.record(
        f"alarm.{what}",
        text,
        actor=actor,
        day_obs=alarm.day_obs,
        severity=severity,
        reason=reason,
        subject=f"alarm:{alarm.pk}",
        data={"key": alarm.key, "about": alarm.subject},
    )
