"""Which frames each master is made of, and which one is kept aside to verify it with.

Only `calib.reviews.usable_frames` opens the door. Of those, a kind takes the frames of the last days that agree with
today's in temperature and settings; the middle one of today's, by exposure time and then by time, is held out.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from django.db.models.fields.json import KeyTextTransform

from calib.models import Finding, Level, Measurement, ProductType
from calib.products.configuration import Configuration
from calib.reviews import usable_frames
from dayops.camera import Camera
from dayops.day_plan import Plan
from dayops.models import RawFrame
from dayops.observing_day import ObservingDay

IMAGE_TYPES = {ProductType.BIAS: "BIAS", ProductType.DARK: "DARK", ProductType.FLAT: "FLAT"}
MUST_AGREE = ("TEMP_SET", "SEQCKSUM", "CCDSUM")  # set point, sequencer and binning make another instrument
IN_ALL_FRAMES = ("crosstalk", "gain_change")  # told by darks and by flat pairs alone
FEWEST_PAIRS = 4  # with which one is held out: three others still make a curve


@dataclass(frozen=True, slots=True)
class Candidate:
    """A usable frame and what decides whether it goes with others."""

    frame: int
    detector: int
    exposure: int
    exposure_name: str
    image_type: str
    filter: str
    exposure_s: float
    day_obs: int
    began_at: datetime
    temperature: float | None
    settings: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Frames for one master of one detector, by key, oldest first; `problem` says why there are too few."""

    type: str
    detector: int
    filter: str
    inputs: tuple[int, ...] = ()
    held_out: int | None = None
    scales: tuple[float, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two flats of equal light, by key: one point of a photon transfer curve."""

    first: int
    second: int
    exposure_s: float
    filter: str
    day_obs: int


@dataclass(frozen=True, slots=True)
class ChosenPairs:
    detector: int
    pairs: tuple[Pair, ...] = ()
    held_out: Pair | None = None
    problem: str = ""


@dataclass
class Selection:
    """What a job makes masters of. `left_out` are sentences about frames that do not go with the others."""

    filters: tuple[str, ...]
    images: list[Chosen] = field(default_factory=list)
    pairs: list[ChosenPairs] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def expected_filters(day_obs: int) -> tuple[str, ...]:
    """Filters that flats are due in on `day_obs`: those that the day's plan takes them in."""
    return tuple(dict.fromkeys(one.filter for one in Plan.load().exposures(day_obs) if one.image_type == "FLAT"))


def select(camera: Camera, day_obs: int, configuration: Configuration, exclude: Collection[int] = ()) -> Selection:
    """Frames for all masters of `camera` on `day_obs`; `exclude` are keys of frames that are not to be used.

    Four queries. Raises ValueError where the day has no usable frame at all.
    """
    first = ObservingDay(day_obs).date - timedelta(days=configuration.days - 1)
    window = int(f"{first:%Y%m%d}"), day_obs
    found = _candidates(camera.name, *window, set(exclude))
    if not any(one.day_obs == day_obs for one in found):
        raise ValueError(
            f"There is no usable calibration frame of {ObservingDay(day_obs)}: masters need frames that were archived, "
            "measured and judged below ERROR. Look at the raw calibrations of the day."
        )
    selection = Selection(expected_filters(day_obs))
    by_detector: dict[int, list[Candidate]] = defaultdict(list)
    troubled = _troubled(camera.name, *window)
    for one in found:
        if (one.detector, one.day_obs) not in troubled:
            by_detector[one.detector].append(one)
    selection.left_out += [
        f"{camera.by_id[detector].name}: nothing of {ObservingDay(day)} is used, for its {what.replace('_', ' ')} was "
        "in ERROR that day, which is in all of its frames."
        for (detector, day), what in sorted(troubled.items())
        if detector in camera.by_id
    ]
    for detector in camera.science_detectors:
        agreeing, sentences = _agreeing(by_detector[detector.id], day_obs, configuration, detector.name)
        selection.left_out += sentences
        for kind, band in _kinds(selection.filters):
            selection.images.append(_chosen(kind, band, detector.id, agreeing, day_obs, configuration))
        selection.pairs.append(_pairs(detector.id, agreeing, day_obs))
    selection.images = _scaled(selection.images, _Levels(found))
    return selection


def _kinds(filters: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield ProductType.BIAS, ""
    yield ProductType.DARK, ""
    for band in filters:
        yield ProductType.FLAT, band


def _candidates(camera: str, first: int, last: int, exclude: set[int]) -> list[Candidate]:
    frames = RawFrame.objects.filter(
        exposure__camera=camera,
        exposure__day_obs__range=(first, last),
        exposure__image_type__in=["BIAS", "DARK", "FLAT", "PTC"],
    )
    cards = {f"card_{name.lower()}": KeyTextTransform(name, "header") for name in ("CCDTEMP", *MUST_AGREE)}
    rows = usable_frames(frames).annotate(**cards).select_related("exposure").defer("header", "amplifier_headers")
    return [
        Candidate(
            frame=row.pk,
            detector=row.detector,
            exposure=row.exposure_id,
            exposure_name=row.exposure.name,
            image_type=row.exposure.image_type,
            filter=row.exposure.filter,
            exposure_s=row.exposure.exposure_s,
            day_obs=row.exposure.day_obs,
            began_at=row.exposure.began_at,
            temperature=_number(getattr(row, "card_ccdtemp")),  # noqa: B009
            settings=tuple(getattr(row, f"card_{name.lower()}") for name in MUST_AGREE),
        )
        for row in rows.order_by("exposure__began_at", "pk")
        if row.pk not in exclude
    ]


def _troubled(camera: str, first: int, last: int) -> dict[tuple[int, int], str]:
    """Detectors and days on which a metric was in ERROR that only some frames tell and all frames suffer from."""
    findings = Finding.objects.filter(
        level=Level.ERROR,
        metric__in=IN_ALL_FRAMES,
        assessment__exposure__camera=camera,
        assessment__exposure__day_obs__range=(first, last),
    )
    rows = findings.values_list("assessment__detector", "assessment__exposure__day_obs", "metric").distinct()
    return {(detector, day): metric for detector, day, metric in rows}


def _agreeing(
    found: list[Candidate], day_obs: int, configuration: Configuration, name: str
) -> tuple[list[Candidate], list[str]]:
    """Those that were taken as most of today's were, and a sentence for each kind of frame that was not."""
    today = [one for one in found if one.day_obs == day_obs]
    if not today:
        return [], []
    usual = Counter(one.settings for one in today).most_common(1)[0][0]
    temperatures = [one.temperature for one in today if one.temperature is not None]
    centre = median(temperatures) if temperatures else None
    sentences, agreeing = [], []
    for one in found:
        if one.settings != usual:
            sentences.append(f"{name} {one.exposure_name} was taken with other settings ({_differing(one, usual)}).")
        elif centre is not None and _off(one.temperature, centre) > configuration.temperature_tolerance_c:
            sentences.append(
                f"{name} {one.exposure_name} was taken at {one.temperature:.1f} °C: expected {centre:.1f} ± "
                f"{configuration.temperature_tolerance_c:g} °C."
            )
        else:
            agreeing.append(one)
    return agreeing, sentences


def _off(temperature: float | None, centre: float) -> float:
    return 0.0 if temperature is None else abs(temperature - centre)


def _differing(one: Candidate, usual: tuple[str | None, ...]) -> str:
    pairs = zip(MUST_AGREE, one.settings, usual, strict=True)
    return ", ".join(
        f"{card} {found or 'none'} instead of {expected or 'none'}"
        for card, found, expected in pairs
        if found != expected
    )


def _chosen(
    kind: str, band: str, detector: int, found: list[Candidate], day_obs: int, configuration: Configuration
) -> Chosen:
    mine = [one for one in found if one.image_type == IMAGE_TYPES[ProductType(kind)] and one.filter == band]
    today = sorted((one for one in mine if one.day_obs == day_obs), key=lambda one: (one.exposure_s, one.began_at))
    none = Chosen(kind, detector, band)
    if not today:
        return replace(none, problem="There is no usable frame of the day.")
    aside = today[(len(today) - 1) // 2]
    inputs = [one for one in mine if one is not aside][-configuration.maximum_frames :]
    if len(inputs) < configuration.minimum_frames:
        return replace(
            none,
            problem=f"There are {len(mine)} usable frames: expected {configuration.minimum_frames} to combine and one "
            "to verify with.",
        )
    return Chosen(kind, detector, band, tuple(one.frame for one in inputs), aside.frame)


def _pairs(detector: int, found: list[Candidate], day_obs: int) -> ChosenPairs:
    lit = [one for one in found if one.image_type in {"FLAT", "PTC"}]
    pairs: list[Pair] = []
    for (day, band, seconds, _), group in groupby(sorted(lit, key=_light), key=_light):
        frames = list(group)
        pairs += [
            Pair(one.frame, other.frame, seconds, band, day)
            for one, other in zip(frames[::2], frames[1::2], strict=False)
        ]
    today = sorted((pair for pair in pairs if pair.day_obs == day_obs), key=lambda pair: pair.exposure_s)
    if not today:
        return ChosenPairs(detector, problem="There is no pair of usable flats of equal light of the day.")
    aside = _spare(today) if len(pairs) >= FEWEST_PAIRS else None
    return ChosenPairs(detector, tuple(pair for pair in pairs if pair is not aside), aside)


def _spare(today: list[Pair]) -> Pair:
    """The middle pair of a filter with one exposure time, which says nothing of linearity; else of all."""
    times = {pair.filter: {each.exposure_s for each in today if each.filter == pair.filter} for pair in today}
    single = [pair for pair in today if len(times[pair.filter]) == 1] or today
    return single[len(single) // 2]


def _light(one: Candidate) -> tuple[int, str, float, str]:
    return one.day_obs, one.filter, one.exposure_s, one.image_type


class _Levels:
    """Mean signal of flats over the focal plane, e⁻ by nominal gains."""

    def __init__(self, found: list[Candidate]) -> None:
        self._flats = {one.frame: one for one in found if one.image_type == "FLAT"}
        rows = Measurement.objects.filter(frame__in=list(self._flats), metric="flat_level")
        self._signals: dict[int, dict[int, float]] = defaultdict(dict)  # by exposure and detector
        for frame, values in rows.values_list("frame", "values"):
            flat, known = self._flats[frame], [value for value in values if value == value]
            if known:
                self._signals[flat.exposure][flat.detector] = median(known) * flat.exposure_s

    def of(self, frames: Iterable[int]) -> dict[int, float]:
        """The level of each of `frames`, all over the detectors that every one of their exposures has."""
        exposures = {frame: self._flats[frame].exposure for frame in frames}
        common = set.intersection(*(set(self._signals[one]) for one in exposures.values())) if exposures else set()
        means = {
            one: sum(self._signals[one][each] for each in common) / max(len(common), 1) for one in exposures.values()
        }
        return {frame: means[one] for frame, one in exposures.items()}


def _scaled(images: list[Chosen], levels: _Levels) -> list[Chosen]:
    """With the scales of flats: one for each exposure, whichever detector it is of."""
    flats: dict[str, list[int]] = defaultdict(list)
    for one in images:
        if one.type == ProductType.FLAT:
            flats[one.filter] += one.inputs
    known = {band: levels.of(frames) for band, frames in flats.items()}
    return [_with_scales(one, known[one.filter]) if one.type == ProductType.FLAT else one for one in images]


def _with_scales(flat: Chosen, levels: dict[int, float]) -> Chosen:
    used = [levels[frame] for frame in flat.inputs]
    if all(level > 0 for level in used):
        return replace(flat, scales=tuple(1 / level for level in used))
    return Chosen(flat.type, flat.detector, flat.filter, problem="A flat has no measured level to be normalised by.")


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
