"""RQ entry points of the daily calibration products.

What cannot be made is a result, not an error: the gate decides.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from calib.models import ProductSet, ProductType
from calib.products import gate, keeping
from calib.products.curves import FramePair, make_crosstalk, make_linearity, make_ptc
from calib.products.defect_map import make_defects
from calib.products.generator import STAGES
from calib.products.images import make_image
from calib.products.known import certified, made_so_far
from calib.products.made import CannotBeMade, Made
from calib.products.verifying import verify_detector
from dayops import camera as cameras
from dayops.archive.errors import Damaged, NotInArchive
from dayops.camera import Detector
from dayops.engine import Work, job_function
from dayops.models import RawFrame, Task

_WRONG = (CannotBeMade, ValueError, NotInArchive, Damaged)  # with a frame or a master, and no later try mends it


@job_function("calib.make_product")
def make_product(work: Work) -> None:
    """Make one product of one detector and keep it."""
    made_set, detector = _set_and_detector(work)
    kind, band = work.arguments["type"], work.arguments.get("filter", "")
    try:
        if work.arguments.get("problem"):
            raise CannotBeMade(work.arguments["problem"])
        made = _made(made_set, ProductType(kind), band, detector, work.arguments)
    except _WRONG as error:
        with work.commit() as result:
            result["problem"] = " ".join(filter(None, [detector.name, kind, band])) + f": {error}"
        return
    stored = keeping.publish(made)
    with work.commit(inputs=[frame.sha256 for frame in made.inputs], outputs=[stored.sha256]) as result:
        product = keeping.keep(made_set, kind, band, detector, made, stored)
        result["product"] = product.pk
        result["frames"] = len(made.inputs)


@job_function("calib.verify_products")
def verify_products(work: Work) -> None:
    """Verify all products of one detector on the held-out frames, beside what is certified now."""
    made_set, detector = _set_and_detector(work)
    candidate = made_so_far(made_set, detector)
    keys = {key for product in candidate.products.values() for key in product.held_out}
    incumbent = certified(made_set.camera, detector, gate.usual_validity(made_set.day_obs))
    try:
        verified = verify_detector(detector, candidate, incumbent, _frames(keys))
    except _WRONG as error:
        with work.commit() as result:
            result["problem"] = f"{detector.name} verification: {error}"
        return
    with work.commit() as result:
        keeping.keep_verification(made_set, detector, verified.rows)
        result["failed"] = sum(not row.passed for row in verified.rows)
        result["passed"] = sum(row.passed for row in verified.rows)
        result["flat_means"] = verified.flat_means


@job_function("calib.certify_products")
def certify_products(work: Work) -> None:
    """Certify the whole set, or refuse it and say why."""
    made_set = ProductSet.objects.get(pk=work.arguments["set"])
    done = Task.objects.filter(run=work.run_id).exclude(pk=work.task_id).values_list("result", flat=True)
    means: dict[str, list[float]] = defaultdict(list)
    for told in done:
        for band, mean in told.get("flat_means", {}).items():
            means[band].append(mean)
    reasons = gate.objections(made_set, [told["problem"] for told in done if "problem" in told], means)
    with work.commit() as result:
        if made_set.state == ProductSet.State.MAKING:
            gate.decide(made_set, reasons, datetime.fromisoformat(work.arguments["seen"]))
        made_set.refresh_from_db()
        result["state"] = made_set.state
        result["reasons"] = made_set.reasons[: gate.MOST_REASONS]


def _set_and_detector(work: Work) -> tuple[ProductSet, Detector]:
    made_set = ProductSet.objects.get(pk=work.arguments["set"])
    return made_set, cameras.load(made_set.camera).by_id[work.arguments["detector"]]


def _made(made_set: ProductSet, kind: ProductType, band: str, detector: Detector, arguments: dict[str, Any]) -> Made:
    known = made_so_far(made_set, detector, STAGES[: STAGES.index(kind)])
    if kind == ProductType.DEFECTS:
        return make_defects(made_set, detector, known)
    if kind == ProductType.LINEARITY:
        curve = known.product(ProductType.PTC)
        return make_linearity(made_set, detector, known, _frames(curve.inputs if curve else ()))
    if kind == ProductType.PTC:
        keys = [*arguments["pairs"], *arguments["held_out_pairs"]]
        frames = _frames(key for pair in keys for key in pair)
        pairs, aside = (
            [FramePair(frames[one], frames[other]) for one, other in arguments[name]]
            for name in ("pairs", "held_out_pairs")
        )
        return make_ptc(made_set, detector, known, pairs, aside)
    frames = _frames([*arguments["inputs"], *arguments["held_out"]])
    inputs, held_out = ([frames[key] for key in arguments[name]] for name in ("inputs", "held_out"))
    if kind == ProductType.CROSSTALK:
        return make_crosstalk(made_set, detector, known, inputs, held_out)
    return make_image(made_set, kind, band, detector, known, inputs, held_out, arguments["scales"])


def _frames(keys: Iterable[int]) -> dict[int, RawFrame]:
    return {frame.pk: frame for frame in RawFrame.objects.filter(pk__in=list(keys)).select_related("exposure")}
