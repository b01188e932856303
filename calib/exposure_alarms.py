"""Alarms of raw calibrations: one for each check, and for each metric, that puts the newest exposure in ERROR.

What another check in ERROR explains has none: a shutter that is stuck rings once, not forty times.

Exposures may be judged in another order than they were taken: what is open in the end is the same.
"""

import zlib
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import Count
from django.utils.timezone import now

from calib.metric_words import number, stored_title, stored_unit
from calib.models import CheckResult, Finding, Level, Measurement
from calib.science import checks
from dayops import alarms
from dayops.models import Alarm, Exposure

_NAMED = 3  # detectors or amplifiers that a sentence names; the page has them all
_LOOK = "Open the exposure, look at the amplifiers named, and accept or reject their frames."


Explained = dict[str, set[str]]
Sentences = dict[str, tuple[str, str, str]]  # name, sentence and remedy of an alarm, by its key

_HISTORY = timedelta(days=1)  # taken so long before the newest, an exposure raises no alarm
_FORGOTTEN = timedelta(days=2)  # an alarm of what nothing measures any more is closed
_LOCK_CLASS = 0x7124


def tell(exposure: Exposure, results: Sequence[CheckResult]) -> None:
    """Raise an alarm for everything in ERROR; clear those that the newest exposure of the kind shows to be over."""
    _one_after_another(exposure)
    newest = _newest(exposure)
    if newest.began_at - exposure.began_at > _HISTORY:
        return
    explained = _explained(results)
    told = _of_checks(exposure, results, explained) | _of_metrics(exposure, explained)
    for key, (name, sentence, remedy) in told.items():
        alarms.raise_alarm(
            key=key,
            name=name,
            activity="calib",
            day_obs=exposure.day_obs,
            sentence=sentence,
            remedy=remedy,
            subject=f"exposure:{exposure.camera}/{exposure.name}",
        )
    _clear(newest)


def _one_after_another(exposure: Exposure) -> None:
    """Exposures of one kind share their alarms: judged at once, neither would see that the other is newer."""
    with connection.cursor() as cursor:
        key = zlib.crc32(_prefix(exposure).encode()) % 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, key])


def _explained(results: Sequence[CheckResult]) -> Explained:
    """The detectors (empty: all) in which a check in ERROR explains a metric or another check."""
    found: Explained = {}
    for result in results:
        if result.level == Level.ERROR:
            for name in checks.BY_NAME[result.check_name].explains:
                found.setdefault(name, set()).add(result.detector)
    return found


def _of_checks(exposure: Exposure, results: Sequence[CheckResult], explained: Explained) -> Sentences:
    found: Sentences = {}
    for name, check in checks.BY_NAME.items():
        known = explained.get(name, set())
        bad = [
            result
            for result in results
            if result.check_name == name and result.level == Level.ERROR and not known & {"", result.detector}
        ]
        if bad:
            where = _some([result.detector for result in bad if result.detector])
            sentence = f"{check.title}: {exposure.name} {where}{bad[0].sentence} ({_limit(bad[0].limit, check.unit)})."
            found[_key(name, exposure)] = (name, sentence, check.remedy)
    return found


def _of_metrics(exposure: Exposure, explained: Explained) -> Sentences:
    bad = Finding.objects.filter(assessment__exposure=exposure, level=Level.ERROR)
    for name, detectors in explained.items():
        here = {} if "" in detectors else {"assessment__frame__detector_name__in": detectors}
        bad = bad.exclude(metric=name, **here)
    counts = dict(bad.values_list("metric").annotate(Count("id")))
    firsts = bad.select_related("assessment__frame").order_by("metric", "id").distinct("metric")
    found: Sentences = {}
    for first in firsts.defer("assessment__frame__header", "assessment__frame__amplifier_headers"):
        metric, unit = first.metric, stored_unit(first.metric)
        where = f"{first.assessment.frame.detector_name} {first.amplifier}".strip()
        value = f"is {number(first.value)} {unit}".strip() if first.limit is not None else "could not be measured"
        others = f", and {counts[metric] - 1} more" if counts[metric] > 1 else ""
        title = stored_title(metric).capitalize()
        sentence = f"{title} of {exposure.name} {where} {value} ({_limit(first.limit, unit)}){others}."
        found[_key(metric, exposure)] = (metric, sentence, _LOOK)
    return found


def _key(name: str, exposure: Exposure) -> str:
    return f"{_prefix(exposure)}{name}"


def _prefix(exposure: Exposure) -> str:
    """Names a kind of exposures: a good flat in one filter says nothing of another's."""
    kind = f"{exposure.image_type} {exposure.filter}".strip()
    return f"calib:{exposure.camera}:{kind}:"


def _clear(newest: Exposure) -> None:
    """What `newest` does not measure, such as the gain of a flat whose partner is yet to come, stays as it is."""
    results = CheckResult.objects.filter(judgement__exposure=newest)
    findings = Finding.objects.filter(assessment__exposure=newest, level=Level.ERROR)
    bad = {*results.filter(level=Level.ERROR).values_list("check_name", flat=True)}
    bad |= {*findings.values_list("metric", flat=True).distinct()}
    measured = {*results.values_list("check_name", flat=True)}
    measured |= {*Measurement.objects.filter(exposure=newest).values_list("metric", flat=True).distinct()}
    for alarm in Alarm.objects.filter(cleared_at=None, key__startswith=_prefix(newest)).exclude(name__in=bad):
        if alarm.name in measured:
            alarms.clear(alarm.key, why=f"{newest.name} is within its limits.")
        elif alarm.seen_at < now() - _FORGOTTEN:
            alarms.clear(alarm.key, why=f"Nothing has measured it since {alarm.seen_at:%Y-%m-%d %H:%M} UTC.")


def _newest(exposure: Exposure) -> Exposure:
    """The newest judged exposure of the kind of `exposure`, which is judged itself."""
    same = Exposure.objects.filter(
        camera=exposure.camera, image_type=exposure.image_type, filter=exposure.filter, judgement__isnull=False
    )
    return same.latest("began_at", "pk")


def _some(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}: "


def _limit(limit: float | None, unit: str) -> str:
    if limit is None:
        return "no limit"
    return f"limit {number(limit)} {unit}".strip() if limit else "none is allowed"
