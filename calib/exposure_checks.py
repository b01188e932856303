"""Makes the checks of one exposure from what was measured on its frames."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from calib.models import Measurement
from calib.references import usual
from calib.science import checks
from calib.science.checks import CheckDefinition
from dayops.camera import Detector
from dayops.models import Exposure

Array = npt.NDArray[np.float64]

_ROW = 12  # exposures of a row that are looked at for settling


@dataclass(frozen=True, slots=True)
class Outcome:
    """The number of one check, for one detector or (empty) the whole exposure; NaN where it does not apply.

    `said` is the number in words, for the sentence, and `proposal` what a person may do about it.
    """

    check: CheckDefinition
    value: float
    detector: str = ""
    said: str = ""
    proposal: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What was measured on the frames of `exposure`, read once. Detectors without frames have NaN."""

    exposure: Exposure
    detectors: Sequence[Detector]

    @cached_property
    def _rows(self) -> dict[str, dict[int, list[float]]]:
        wanted = ("median", "dark_current", "flat_level", "overscan_level")
        found: dict[str, dict[int, list[float]]] = {name: {} for name in wanted}
        rows = Measurement.objects.filter(exposure=self.exposure, metric__in=wanted)
        for metric, detector, values in rows.values_list("metric", "detector", "values"):
            found[metric][detector] = values
        return found

    def of(self, metric: str, detector: Detector) -> Array:
        """One value for each amplifier."""
        values = self._rows[metric].get(detector.id)
        return np.array(values if values else [math.nan] * len(detector.amplifiers), dtype=np.float64)

    def by_detector(self, metric: str) -> Array:
        """The median over the amplifiers, for each detector."""
        return np.array([checks.of_amplifiers(self.of(metric, detector)) for detector in self.detectors])


def outcomes(exposure: Exposure, detectors: Sequence[Detector], arrived: int) -> list[Outcome]:
    """Every check that applies to `exposure`, of whose frames `arrived` are archived."""
    measured = Measured(exposure, detectors)
    made = [_missing(exposure, arrived), *_swapped(measured)]
    for function in _BY_TYPE.get(exposure.image_type, ()):
        made += function(measured)
    return [outcome for outcome in made if math.isfinite(outcome.value)]


def _missing(exposure: Exposure, arrived: int) -> Outcome:
    lacking = max(exposure.detectors_expected - arrived, 0)
    said = f"{lacking} of {exposure.detectors_expected} detectors did not arrive"
    return Outcome(checks.BY_NAME["expected_frames"], float(lacking), said=said)


def _swapped(measured: Measured) -> list[Outcome]:
    made = []
    before = usual(measured.exposure, measured.detectors, "overscan_level")
    for detector in measured.detectors:
        levels = measured.of("overscan_level", detector)
        if not np.isfinite(levels).any():
            continue
        strays = checks.swapped(levels, before["overscan_level", detector.id])
        names = ", ".join(detector.amplifiers[index].name for index in strays)
        said = f"{names} show each other's overscan level"
        made.append(Outcome(checks.BY_NAME["swapped_amplifiers"], float(strays.size), detector.name, said))
    return made


def _light_in_bias(measured: Measured) -> list[Outcome]:
    return _of_detectors(measured, "light_in_bias", "median", "ADU above the overscan")


def _light_in_dark(measured: Measured) -> list[Outcome]:
    return _of_detectors(measured, "light_in_dark", "dark_current", "e⁻/s")


def _of_detectors(measured: Measured, check: str, metric: str, unit: str) -> list[Outcome]:
    values = measured.by_detector(metric)
    return [
        Outcome(checks.BY_NAME[check], float(value), detector.name, f"half of the amplifiers have {value:.3g} {unit}")
        for detector, value in zip(measured.detectors, values, strict=True)
    ]


def _shutter(measured: Measured) -> list[Outcome]:
    metric = "dark_current" if measured.exposure.image_type == "DARK" else "flat_level"
    light = checks.of_amplifiers(measured.by_detector(metric))
    return [Outcome(checks.BY_NAME["stuck_shutter"], light, said=f"half of the detectors have {light:.3g} e⁻/s")]


def _flat(measured: Measured) -> list[Outcome]:
    light = measured.by_detector("flat_level")
    before = _usual_light(measured)
    deviations = checks.deviation(light, before)
    against = light / before if np.isfinite(before).any() else light
    slope, scatter = checks.gradient(against, *_places(measured.detectors)), checks.scatter(light)
    return [
        *(
            Outcome(
                checks.BY_NAME["flat_deviates"],
                float(deviation),
                detector.name,
                f"{deviation:.1%} more or less light than its recent flats",
            )
            for detector, deviation in zip(measured.detectors, deviations, strict=True)
        ),
        Outcome(checks.BY_NAME["flat_gradient"], slope, said=f"the light changes by {slope:.1%} per radius"),
        Outcome(checks.BY_NAME["detector_scatter"], scatter, said=f"the detectors' light scatters by {scatter:.1%}"),
    ]


def _places(detectors: Sequence[Detector]) -> tuple[Array, Array]:
    """Centres of the detectors in units of the focal plane's radius, which reaches to its furthest corner."""
    centres = np.array([(detector.x_mm, detector.y_mm) for detector in detectors]).reshape(-1, 2)
    reach = [np.hypot(d.x_mm, d.y_mm) + np.hypot(d.width, d.height) / 2 * d.pixel_um / 1000 for d in detectors]
    return centres[:, 0] / max(reach), centres[:, 1] / max(reach)


def _usual_light(measured: Measured) -> Array:
    exposure, metric = measured.exposure, "flat_level"
    before = usual(exposure, measured.detectors, metric, image_type=exposure.image_type, filter=exposure.filter)
    return np.array([checks.of_amplifiers(before[metric, detector.id]) for detector in measured.detectors])


def row_of(exposure: Exposure) -> list[Exposure]:
    """The first exposures, in the order taken, of the same day, step and image type: those that may be settling."""
    row = Exposure.objects.filter(
        camera=exposure.camera, day_obs=exposure.day_obs, step=exposure.step, image_type=exposure.image_type
    )
    return list(row.order_by("seq_num")[:_ROW])


def _settling(measured: Measured) -> list[Outcome]:
    """How many of the row are settling, where this exposure is one of them; 0 for one that has settled.

    Whether an exposure settles shows by those after it. `proposal` names all that do, for every exposure of the row.
    """
    row = row_of(measured.exposure)
    levels, before = _levels(row, measured.detectors), _usual_levels(row[0], measured.detectors)
    drop = [one.name for one in row[: checks.settling(levels, before)]]
    count = len(drop) if measured.exposure.name in drop else 0
    said = f"{', '.join(drop)}: overscan levels fall towards the usual ones"
    return [Outcome(checks.BY_NAME["settling"], float(count), said=said, proposal={"drop": drop} if drop else {})]


def _levels(row: Sequence[Exposure], detectors: Sequence[Detector]) -> Array:
    """(exposures, amplifiers of all detectors)."""
    start = dict(zip([d.id for d in detectors], np.cumsum([0, *(len(d.amplifiers) for d in detectors)]), strict=False))
    levels = np.full((len(row), sum(len(detector.amplifiers) for detector in detectors)), np.nan)
    place = {exposure.pk: number for number, exposure in enumerate(row)}
    found = Measurement.objects.filter(exposure__in=row, metric="overscan_level")
    for exposure, detector, values in found.values_list("exposure_id", "detector", "values"):
        if detector in start:
            levels[place[exposure], start[detector] : start[detector] + len(values)] = values
    return levels


def _usual_levels(first: Exposure, detectors: Sequence[Detector]) -> Array:
    before = usual(first, detectors, "overscan_level")
    return np.concatenate([before["overscan_level", detector.id] for detector in detectors])


_BY_TYPE: dict[str, tuple[Callable[[Measured], list[Outcome]], ...]] = {
    "BIAS": (_light_in_bias, _settling),
    "DARK": (_light_in_dark, _shutter),
    "FLAT": (_flat, _shutter),
    "PTC": (_shutter,),
}
