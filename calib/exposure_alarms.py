"""Alarms of raw calibrations: one for each check, and for each metric, that puts the newest exposure in ERROR."""

from collections.abc import Sequence

from django.db.models import Count

from calib.metric_words import number, stored_title, stored_unit
from calib.models import CheckResult, Finding, Level
from calib.science import checks
from dayops import alarms
from dayops.models import Alarm, Exposure

_NAMED = 3  # detectors or amplifiers that a sentence names; the page has them all
_LOOK = "Open the exposure, look at the amplifiers named, and accept or reject their frames."


def tell(exposure: Exposure, results: Sequence[CheckResult]) -> None:
    """Raise an alarm for everything in ERROR; clear those that this exposure, if it is the newest, shows to be over."""
    sentences = _of_checks(exposure, results) | _of_metrics(exposure)
    for key, (name, sentence, remedy) in sentences.items():
        alarms.raise_alarm(
            key=key,
            name=name,
            activity="calib",
            day_obs=exposure.day_obs,
            sentence=sentence,
            remedy=remedy,
            subject=f"exposure:{exposure.camera}/{exposure.name}",
        )
    if _is_newest(exposure):
        _clear(exposure, keep=set(sentences))


def _of_checks(exposure: Exposure, results: Sequence[CheckResult]) -> dict[str, tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    for name, check in checks.BY_NAME.items():
        bad = [result for result in results if result.check_name == name and result.level == Level.ERROR]
        if bad:
            where = _some([result.detector for result in bad if result.detector])
            sentence = f"{check.title}: {exposure.name} {where}{bad[0].sentence} ({_limit(bad[0].limit, check.unit)})."
            found[_key(name, exposure)] = (name, sentence, check.remedy)
    return found


def _of_metrics(exposure: Exposure) -> dict[str, tuple[str, str, str]]:
    bad = Finding.objects.filter(assessment__exposure=exposure, level=Level.ERROR)
    counts = dict(bad.values_list("metric").annotate(Count("id")))
    found: dict[str, tuple[str, str, str]] = {}
    for metric, count in counts.items():
        worst = bad.filter(metric=metric).select_related("assessment__frame").order_by("id").first()
        assert worst is not None
        unit = stored_unit(metric)
        where = f"{worst.assessment.frame.detector_name} {worst.amplifier}".strip()
        value = f"is {number(worst.value)} {unit}".strip() if worst.limit is not None else "could not be measured"
        others = f", and {count - 1} more" if count > 1 else ""
        title = stored_title(metric).capitalize()
        sentence = f"{title} of {exposure.name} {where} {value} ({_limit(worst.limit, unit)}){others}."
        found[_key(metric, exposure)] = (metric, sentence, _LOOK)
    return found


def _key(name: str, exposure: Exposure) -> str:
    return f"{_prefix(exposure)}{name}"


def _prefix(exposure: Exposure) -> str:
    return f"calib:{exposure.camera}:{exposure.image_type}:"


def _clear(exposure: Exposure, keep: set[str]) -> None:
    over = Alarm.objects.filter(cleared_at=None, key__startswith=_prefix(exposure)).exclude(key__in=keep)
    for key in over.values_list("key", flat=True):
        alarms.clear(key, why=f"{exposure.name} is within its limits.")


def _is_newest(exposure: Exposure) -> bool:
    later = Exposure.objects.filter(
        camera=exposure.camera, image_type=exposure.image_type, began_at__gt=exposure.began_at, judgement__isnull=False
    )
    return not later.exists()


def _some(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}: "


def _limit(limit: float | None, unit: str) -> str:
    return "no limit" if limit is None else f"limit {number(limit)} {unit}".strip()
