"""What a row of limits is about, and whether there is such a thing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property

from calib.models import Threshold
from calib.science.metrics import BY_NAME
from dayops.camera import Detector, detector_of, load, names
from dayops.models import Exposure, FrameState, RawFrame

IMAGE_TYPES = ("BIAS", "DARK", "FLAT", "PTC", "SCIENCE")


@dataclass(frozen=True, slots=True)
class Scope:
    """A metric (or check), and the frames and amplifiers of it; an empty word means any."""

    metric: str
    camera: str = ""
    detector_type: str = ""
    detector: str = ""
    amplifier: str = ""
    image_type: str = ""
    filter: str = ""

    @classmethod
    def of(cls, row: Threshold) -> "Scope":
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    @property
    def words(self) -> dict[str, str]:
        """Every field by its name, as rows and addresses name them."""
        return asdict(self)

    @property
    def in_words(self) -> str:
        return Threshold(**self.words).scope_in_words

    def holds_for(self, camera: str, image_type: str, filter: str, detector: Detector) -> bool:
        """Whether frames of this kind, of this detector, are within the scope."""
        pairs = (
            (self.camera, camera),
            (self.image_type, image_type),
            (self.filter, filter),
            (self.detector, detector.name),
            (self.detector_type, detector.vendor),
        )
        return all(wanted in ("", found) for wanted, found in pairs)


class Vocabulary:
    """The cameras, filters, detectors and metrics that may be named: those described and those seen so far."""

    @cached_property
    def cameras(self) -> list[str]:
        return sorted({*names(), *Exposure.objects.order_by().values_list("camera", flat=True).distinct()})

    @cached_property
    def filters(self) -> list[str]:
        described = {filter for name in names() for filter in load(name).filters}
        seen = Exposure.objects.exclude(filter="").order_by().values_list("filter", flat=True).distinct()
        return sorted({*described, *seen})

    @cached_property
    def image_types(self) -> list[str]:
        seen = Exposure.objects.order_by().values_list("image_type", flat=True).distinct()
        return sorted({*IMAGE_TYPES, *seen})

    @cached_property
    def metrics(self) -> list[str]:
        """Metrics, and the checks that have limits."""
        with_limits = Threshold.objects.order_by().values_list("metric", flat=True).distinct()
        return [*BY_NAME, *sorted(set(with_limits) - BY_NAME.keys())]

    @cached_property
    def vendors(self) -> list[str]:
        return sorted({detector.vendor for camera in self.cameras for detector in self._detectors[camera]})

    @cached_property
    def _detectors(self) -> dict[str, tuple[Detector, ...]]:
        return {
            camera: load(camera).detectors if camera in names() else tuple(_described_by_frames(camera))
            for camera in self.cameras
        }

    def detectors(self, scope: Scope) -> list[Detector]:
        """The detectors within `scope`, of all its cameras."""
        cameras = [scope.camera] if scope.camera else self.cameras
        return [
            detector
            for camera in cameras
            for detector in self._detectors.get(camera, ())
            if scope.detector in ("", detector.name) and scope.detector_type in ("", detector.vendor)
        ]

    def problems(self, scope: Scope) -> dict[str, str]:
        """What is wrong with `scope`, as a sentence for each field; empty where nothing is."""
        choices = {
            "metric": ("metric", self.metrics),
            "camera": ("camera", self.cameras),
            "image_type": ("image type", self.image_types),
            "filter": ("filter", self.filters),
        }
        found = {
            name: f"There is no {title} “{value[:60]}”: choose one of {', '.join(known) or 'none yet'}."
            for name, (title, known) in choices.items()
            if (value := getattr(scope, name)) not in (known if name == "metric" else ["", *known])
        }
        return found or self._problems_of_place(scope)

    def _problems_of_place(self, scope: Scope) -> dict[str, str]:
        where = scope.camera or "any camera"
        if scope.detector_type not in ("", *self.vendors):
            return {
                "detector_type": f"No detector is made by “{scope.detector_type[:40]}”: "
                f"choose one of {', '.join(self.vendors)}."
            }
        detectors = self.detectors(scope)
        if not detectors:
            field = "detector" if scope.detector else "detector_type"
            asked = " ".join(word for word in (scope.detector_type, scope.detector) if word)
            return {field: f"{where.capitalize()} has no detector “{asked[:60]}”: use a name such as R22_S11."}
        if not scope.amplifier:
            return {}
        if scope.metric in BY_NAME and BY_NAME[scope.metric].per == "detector":
            return {"amplifier": f"{scope.metric} is one number for a whole detector: leave the amplifier empty."}
        if not any(scope.amplifier in detector.amplifier_by_name for detector in detectors):
            known = ", ".join(detectors[0].amplifier_by_name)
            return {"amplifier": f"There is no amplifier “{scope.amplifier[:40]}” here: choose one of {known}."}
        return {}


def _described_by_frames(camera: str) -> Iterator[Detector]:
    """The detectors of a camera that has no file, as its newest frames describe themselves."""
    frames = RawFrame.objects.filter(exposure__camera=camera, state=FrameState.ARCHIVED).exclude(geometry={})
    for frame in frames.order_by("detector", "-pk").distinct("detector").only("detector", "geometry"):
        yield detector_of(camera, frame.detector, frame.geometry)
