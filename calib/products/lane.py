"""The lane of the daily calibration products on the day board."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q

from calib.models import ProductSet
from calib.products.generator import NAME
from calib.products.progress import usual_duration
from calib.products.standing import with_use
from dayops.activities import Lane
from dayops.models import Device, Phase, Task
from dayops.observing_day import ObservingDay

_LOOKED_AT = 20  # sets of a day
_FAILED = {
    Phase.ERROR.value: "ERROR",
    Phase.ABORTED.value: "ABORTED",
}


def products_lane(day: ObservingDay) -> Lane:
    """The newest set of the day: how far it is, what it came to, and what blocks (four queries)."""
    rows = ProductSet.objects.filter(day_obs=day.day_obs, camera=settings.CAMERA).select_related("run")
    sets = list(with_use(rows).order_by("-pk")[:_LOOKED_AT])
    device = Device.objects.filter(name=NAME).first()
    newest = sets[0] if sets else None
    tasks = Task.objects.filter(run=newest.run if newest else None)
    counts = tasks.aggregate(total=Count("pk"), done=Count("pk", filter=Q(phase=Phase.COMPLETED)))
    earlier = next((one for one in sets[1:] if _is_used(one)), None)
    start = day.evening_twilight - timedelta(hours=1) - usual_duration(day)
    state = _state(newest, earlier)
    return Lane(
        state=state,
        sentence=_sentence(newest, earlier),
        done=counts["done"],
        expected=counts["total"] or None,
        unit="tasks",
        url=f"/{day}/calib/products/",
        blocked_by=_blocked_by(newest, device),
        latest_safe_start=start if state not in {"OK", "WARN"} else None,
        facts=(
            ("sets of the day", str(len(sets))),
            ("Calibration Generator", device.state if device else "not commanded yet"),
        ),
    )


def _is_used(one: ProductSet) -> bool:
    return one.state == ProductSet.State.CERTIFIED and bool(one.is_used)  # type: ignore[attr-defined]


def _state(newest: ProductSet | None, earlier: ProductSet | None) -> str:
    if newest is None:
        return "NONE"
    if _is_used(newest):
        return "WARN" if newest.reasons else "OK"  # reasons stay where a person overrode them
    if newest.state != ProductSet.State.MAKING:
        return "WARN" if earlier else "ERROR"
    return _FAILED.get(newest.run.phase, "EXECUTING")


def _sentence(newest: ProductSet | None, earlier: ProductSet | None) -> str:
    if newest is None:
        return "No run yet. The Calibration Generator makes and certifies tonight's masters on the OCS's command."
    if _is_used(newest):
        how = f" by {newest.decided_by} against the checks" if newest.reasons else ""
        return f"Set {newest.pk} is certified{how} for tonight."
    stay = f"set {earlier.pk} of the day stays in use" if earlier else "those of earlier days stay in use"
    if newest.state == ProductSet.State.REFUSED:
        return f"Set {newest.pk} was refused; {stay}."
    if newest.state == ProductSet.State.CERTIFIED:
        return f"Set {newest.pk} was certified and taken back; {stay}."
    if newest.run.phase in _FAILED:
        return f"The making of set {newest.pk} ended: {newest.run.error or 'it was aborted'}; {stay}."
    return f"Set {newest.pk} is being made."


def _blocked_by(newest: ProductSet | None, device: Device | None) -> str:
    if newest and newest.state == ProductSet.State.REFUSED:
        return newest.reasons[0] if newest.reasons else "The gate refused it: open the set."
    if newest and newest.state == ProductSet.State.MAKING and newest.run.phase == Phase.ERROR:
        return "The run failed: open it, read the error and retry."
    if device and device.state == "FAULT":
        return f"The Calibration Generator is in FAULT: {device.reason}"
    if newest is None and device and device.locked_out:
        return f"The Calibration Generator is locked out: {device.locked_out}"
    return ""
