"""The Calibration Generator: a commandable device whose jobs make, verify and certify a day's masters."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from calib import certification
from calib.models import ProductSet, ProductType
from calib.products.configuration import Configuration, configuration, names
from calib.products.selection import Chosen, ChosenPairs, Pair, Selection, select
from dayops import camera as cameras
from dayops import events, runs
from dayops.devices.registry import EXIT_FAILED, EXIT_NOT_DONE, EXIT_OK, DeviceKind, Result
from dayops.models import Command, Device, Phase, RawFrame, Run
from dayops.observing_day import ObservingDay
from dayops.runs import NewTask
from dayops.version import VERSION, code_version

NAME = "CalibrationGenerator"
ACTIVITY = "products"
QUEUE = "alert-production"
PIPELINE = "daily-calibrations"
LIMIT_S = 1200  # calProcTime of DMS-REQ-0131, for a group of up to 25 exposures
STAGES = ("bias", "dark", "crosstalk", "ptc", "linearity", "flat", "defects", "verify", "certify")
_QUERY = re.compile(r"\s*(?:exposure\.)?day_obs\s*=\s*(\d{8}|\d{4}-\d\d-\d\d)\s*")
_KNOWN_KEYS = {"pipeline", "version", "config", "data_query", "prereq_jobs", "output_dataset_types"}


def device_kind() -> DeviceKind:
    """The device, for the registry."""
    return DeviceKind(
        name=NAME,
        title="Calibration Generator",
        queue=QUEUE,
        configurations=names,
        configuration=lambda name: configuration(name).parameters,
        execute=execute,
        result=result,
        activity=ACTIVITY,
        purpose="Makes the master calibrations of a day from its usable frames, verifies them on frames they were not "
        "made of, and certifies the whole set or nothing.",
    )


def execute(device: Device, parameters: dict[str, Any], command: Command) -> Run:
    """The run of one job. Raises ValueError, in a sentence, for parameters that cannot be obeyed."""
    if unknown := set(parameters) - _KNOWN_KEYS:
        raise ValueError(
            f"execute does not know {', '.join(sorted(unknown))}: expected {', '.join(sorted(_KNOWN_KEYS))}."
        )
    if (pipeline := parameters.get("pipeline", PIPELINE)) != PIPELINE:
        raise ValueError(f"There is no pipeline {pipeline!r}: expected {PIPELINE}.")
    if (version := parameters.get("version") or VERSION) not in (VERSION, code_version()):
        raise ValueError(f"Version {version!r} is not installed: this is {code_version()}.")
    types = parameters.get("output_dataset_types") or list(ProductType.values)
    if not isinstance(types, list) or set(map(str, types)) != set(ProductType.values):
        raise ValueError(
            "output_dataset_types cannot be a part of the products: a set is made and certified whole. Leave it out, "
            f"or name all: {', '.join(ProductType.values)}."
        )
    changes = parameters.get("config") or {}
    if not isinstance(changes, Mapping):
        raise ValueError("config must be an object of parameters and their values.")
    day_obs, exclude = _query(parameters.get("data_query"))
    wanted = configuration(device.configuration_name or "daily", changes)
    return start(wanted, day_obs, exclude=exclude, requested_by=command.requested_by, key=f"command:{command.pk}")


@transaction.atomic
def start(wanted: Configuration, day_obs: int, *, exclude: Collection[int] = (), requested_by: str, key: str) -> Run:
    """Start making a set of `day_obs` from all usable frames but `exclude` (their keys).

    Raises ValueError where the day has no usable frame.
    """
    camera = cameras.load(settings.CAMERA)
    selection = select(camera, day_obs, wanted, exclude)
    seen = certification.state_seen(camera.name, wanted.collection)
    day = ObservingDay(day_obs)
    run, _ = runs.start(
        activity=ACTIVITY,
        key=f"products:{camera.name}:{day_obs}:{key}",
        title=f"Make the masters of {day} ({wanted.title.lower()})",
        day_obs=day_obs,
        tasks=[],
        stages=STAGES,
        parameters={**wanted.parameters, "exclude": sorted(exclude), "left_out": selection.left_out},
        deadline=day.evening_twilight - timedelta(hours=1),
        requested_by=requested_by,
    )
    made = ProductSet.objects.create(
        run=run,
        camera=camera.name,
        day_obs=day_obs,
        configuration=wanted.name,
        parameters={**wanted.parameters, "exclude": sorted(exclude)},
    )
    runs.add_tasks(run, _tasks(made, selection, seen.isoformat()))
    Run.objects.filter(pk=run.pk).update(subject=f"productset:{made.pk}")
    events.record(
        "calib.products.started",
        f"Masters of {day} are being made for {requested_by}.",
        actor=requested_by,
        day_obs=day_obs,
        subject=f"productset:{made.pk}",
    )
    run.refresh_from_db()
    return run


def result(run: Run) -> Result:
    """0: certified. 1: refused or failed, with the reasons; the incumbents stay. 255: aborted."""
    made = ProductSet.objects.filter(run=run).first()
    if made is None or run.phase == Phase.ABORTED:
        return EXIT_NOT_DONE, {"state": "aborted"}
    told: dict[str, Any] = {
        "set": made.pk,
        "day_obs": made.day_obs,
        "state": made.state,
        "products": made.products.count(),
        "reasons": made.reasons or ([run.error] if run.error else []),
    }
    told["sentence"] = _sentence(made, told)
    return (EXIT_OK if made.state == ProductSet.State.CERTIFIED else EXIT_FAILED), told


def _sentence(made: ProductSet, told: dict[str, Any]) -> str:
    """What became of the set, in words."""
    if made.state == ProductSet.State.CERTIFIED:
        return f"{told['products']} products of {ObservingDay(made.day_obs)} are certified."
    reasons = told["reasons"]
    more = f" And {len(reasons) - 1} more." if len(reasons) > 1 else ""
    return f"the masters of {ObservingDay(made.day_obs)} were not certified. {reasons[0] if reasons else ''}{more}"


def _query(query: object) -> tuple[int, list[int]]:
    """dayObs and the exposures' frames to leave out, of ``{"day_obs": 20261122, "exclude": [...]}`` or a string."""
    if query is None:
        return ObservingDay.current().day_obs, []
    if isinstance(query, str):
        found = _QUERY.fullmatch(query)
        if found is None:
            raise ValueError(f"The data query {query[:80]!r} cannot be read: expected day_obs = 20261122.")
        return ObservingDay.parse(found[1]).day_obs, []
    if not isinstance(query, Mapping) or set(query) - {"day_obs", "exclude"}:
        raise ValueError('data_query must be a string or an object with "day_obs" and, if need be, "exclude".')
    exclude = query.get("exclude") or []
    if not isinstance(exclude, list) or not all(isinstance(name, str) for name in exclude):
        raise ValueError('"exclude" must be a list of names of exposures.')
    day = query.get("day_obs")
    day_obs = ObservingDay.parse(str(day)).day_obs if day is not None else ObservingDay.current().day_obs
    return day_obs, frames_of(exclude)


def frames_of(exposures: Collection[str]) -> list[int]:
    """Keys of the frames of the named exposures. Raises ValueError where there is no such exposure."""
    frames = RawFrame.objects.filter(exposure__camera=settings.CAMERA, exposure__name__in=exposures)
    found = dict(frames.values_list("pk", "exposure__name"))
    if missing := set(exposures) - set(found.values()):
        raise ValueError(f"There is no exposure {sorted(missing)[0]!r} of {settings.CAMERA}.")
    return sorted(found)


def _tasks(made: ProductSet, selection: Selection, seen: str) -> list[NewTask]:
    """One task for each product, in the order of stages and of the detectors in each."""
    camera = cameras.load(made.camera)
    tasks = [_image_task(made, chosen, camera) for chosen in selection.images]
    for chosen in selection.pairs:
        tasks.append(_task(made, "ptc", camera.by_id[chosen.detector], _of_pairs(chosen)))
    darks = {each.detector: each for each in selection.images if each.type == ProductType.DARK}
    for detector in camera.science_detectors:
        dark = darks[detector.id]
        tasks.append(_task(made, "crosstalk", detector, _of_frames(dark)))
        tasks.append(_task(made, "linearity", detector, {}))
        tasks.append(_task(made, "defects", detector, {}))
        tasks.append(_task(made, "verify", detector, {}, function="calib.verify_products"))
    certify = NewTask(
        stage="certify",
        key="certify",
        function="calib.certify_products",
        arguments={"set": made.pk, "seen": seen},
        queue=QUEUE,
    )
    return [*tasks, certify]


def _image_task(made: ProductSet, chosen: Chosen, camera: cameras.Camera) -> NewTask:
    arguments = _of_frames(chosen) | {"filter": chosen.filter, "scales": list(chosen.scales)}
    return _task(made, chosen.type, camera.by_id[chosen.detector], arguments)


def _task(
    made: ProductSet,
    stage: str,
    detector: cameras.Detector,
    arguments: dict[str, Any],
    function: str = "calib.make_product",
) -> NewTask:
    band = arguments.get("filter", "")
    return NewTask(
        stage=str(stage),
        key=" ".join(filter(None, [str(stage), band, detector.name])),
        function=function,
        arguments={"set": made.pk, "type": str(stage), "detector": detector.id, **arguments},
        queue=QUEUE,
    )


def _of_frames(chosen: Chosen) -> dict[str, Any]:
    aside = [] if chosen.held_out is None else [chosen.held_out]
    return {"inputs": list(chosen.inputs), "held_out": aside, "problem": chosen.problem}


def _of_pairs(chosen: ChosenPairs) -> dict[str, Any]:
    aside = [] if chosen.held_out is None else [_keys(chosen.held_out)]
    return {"pairs": [_keys(pair) for pair in chosen.pairs], "held_out_pairs": aside, "problem": chosen.problem}


def _keys(pair: Pair) -> list[int]:
    return [pair.first, pair.second]
