"""What will tonight use? Every slot of the focal plane, what it falls back to where it does, and why."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db.models import Count, Q

from calib.certification import Gap, Outlook, gaps, outlook
from calib.certification.instants import tai_ns
from calib.certification.lookup import Slot
from calib.models import Product, ProductSet, ProductType, Verification
from calib.products.selection import expected_filters
from dayops import camera as cameras
from dayops.camera import Detector
from dayops.observing_day import ObservingDay

TODAY, OLD, MISSING = "TODAY", "OLD", "MISSING"


@dataclass(frozen=True, slots=True)
class Cell:
    """One slot. `candidate` is the product of the day's newest set where something else, or nothing, is used.

    `passed` and `failed` count the tests of what is used; `why` says why that is not of the day.
    """

    detector: Detector
    outlook: Outlook
    state: str
    candidate: int | None
    passed: int
    failed: int
    why: str


@dataclass(frozen=True)
class Tonight:
    """All slots at the instant `at` (nanoseconds of TAI), as known now or at `known_at`."""

    day: ObservingDay
    at: int
    known_at: datetime | None
    cells: list[Cell]
    newest: ProductSet | None
    gaps: list[Gap]

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(cell.state for cell in self.cells)

    @property
    def is_complete(self) -> bool:
        """Whether there is a product for every slot, of whatever day."""
        return not self.counts[MISSING]

    @property
    def word(self) -> str:
        if not self.is_complete:
            return "MISSING"
        return "WARN" if self.counts[OLD] else "OK"

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        total, missing, old = len(self.cells), self.counts[MISSING], self.counts[OLD]
        if missing == total:
            return f"Nothing is certified for the night of {self.day}: all {total} products are missing."
        if missing:
            others = f"; {old} are of earlier days" if old else ""
            return f"Tonight is not complete: {missing} of {total} products are missing{others}."
        if not old:
            return f"Tonight is complete: all {total} products are of {self.day}."
        oldest = max(cell.outlook.age_days or 0 for cell in self.cells)
        age = f"the oldest {oldest} day{'' if oldest == 1 else 's'} old"
        return f"Tonight is complete; {old} of {total} products are of earlier days, {age}."

    @cached_property
    def reasons(self) -> list[tuple[str, int]]:
        """Why products are not of the day, with the number of slots for which it is so, most frequent first."""
        return Counter(cell.why for cell in self.cells if cell.why).most_common()


def tonight(day: ObservingDay, at: int | None = None, known_at: datetime | None = None) -> Tonight:
    """The night of `day`, at the beginning of observing unless told; seven queries however large the camera is."""
    at = tai_ns(day.evening_twilight) if at is None else at
    camera = cameras.load(settings.CAMERA)
    detectors = {each.id: each for each in camera.science_detectors}
    filters, kinds = expected_filters(day.day_obs), list(ProductType)
    found = outlook(camera.name, at, filters=filters, detectors=detectors, known_at=known_at)
    found.sort(key=lambda each: (kinds.index(each.type), ["", *filters].index(each.filter), each.detector))
    newest = _newest_set(day, known_at)
    candidates, tests = _candidates(newest), _tests([each.found.product for each in found if each.found])
    failures = _failures(newest)
    cells = [
        _cell(detectors[each.detector], each, day, newest, known_at, candidates, tests, failures) for each in found
    ]
    return Tonight(day, at, known_at, cells, newest, _gaps(camera.name, day, set(detectors), known_at))


def _newest_set(day: ObservingDay, known_at: datetime | None) -> ProductSet | None:
    sets = ProductSet.objects.filter(day_obs=day.day_obs, camera=settings.CAMERA).order_by("-pk")
    return (sets if known_at is None else sets.filter(created_at__lte=known_at)).first()


def _gaps(camera: str, day: ObservingDay, detectors: set[int], known_at: datetime | None) -> list[Gap]:
    found = gaps(camera, tai_ns(day.evening_twilight), tai_ns(day.morning_twilight), known_at=known_at)
    return [gap for gap in found if gap.detector in detectors]


def _candidates(newest: ProductSet | None) -> dict[Slot, Product]:
    rows = Product.objects.filter(product_set=newest) if newest else Product.objects.none()
    light = rows.only("pk", "type", "detector", "filter", "flagged_bad_at", "flagged_bad_by", "flag_reason")
    return {(ProductType(row.type), row.detector, row.filter): row for row in light}


def _failures(newest: ProductSet | None) -> dict[int, str]:
    """The first failed test of each product of a refused set, as a sentence."""
    if newest is None or newest.state != ProductSet.State.REFUSED:
        return {}
    failed = Verification.objects.filter(product__product_set=newest, passed=False).order_by("-pk")
    return dict(failed.values_list("product_id", "sentence"))


def _tests(products: list[int]) -> dict[int, tuple[int, int]]:
    """How many tests each product passed and failed."""
    rows = Verification.objects.filter(product__in=products).order_by().values_list("product_id")
    counted = rows.annotate(good=Count("pk", filter=Q(passed=True)), bad=Count("pk", filter=Q(passed=False)))
    return {product: (good, bad) for product, good, bad in counted}


def _cell(
    detector: Detector,
    one: Outlook,
    day: ObservingDay,
    newest: ProductSet | None,
    known_at: datetime | None,
    candidates: dict[Slot, Product],
    tests: dict[int, tuple[int, int]],
    failures: dict[int, str],
) -> Cell:
    state = MISSING if one.found is None else TODAY if one.found.day_obs == day.day_obs else OLD
    candidate = candidates.get((one.type, one.detector, one.filter))
    passed, failed = tests.get(one.found.product, (0, 0)) if one.found else (0, 0)
    is_used = candidate is not None and one.found is not None and one.found.product == candidate.pk
    slot = " ".join(filter(None, [detector.name, str(one.type), one.filter]))
    why = "" if state == TODAY else _why(day, newest, known_at, slot, candidate, failures)
    return Cell(detector, one, state, None if is_used or candidate is None else candidate.pk, passed, failed, why)


def _why(
    day: ObservingDay,
    newest: ProductSet | None,
    known_at: datetime | None,
    slot: str,
    candidate: Product | None,
    failures: dict[int, str],
) -> str:
    if newest is None:
        return f"No set was made of {day} yet."
    undecided = known_at is not None and newest.decided_at is not None and newest.decided_at > known_at
    if newest.state == ProductSet.State.MAKING and newest.run.is_over and not undecided:
        return f"The making of set {newest.pk} ended without a decision: its run is {newest.run.phase}."
    if newest.state == ProductSet.State.MAKING or undecided:
        return f"Set {newest.pk} is being made."
    if candidate is None:
        told = next((reason for reason in newest.reasons if reason.startswith(f"{slot}:")), "")
        return f"Set {newest.pk} has no product for it. {told}".strip()
    if candidate.flagged_bad_at is not None:
        return f"That of set {newest.pk} was flagged bad by {candidate.flagged_bad_by}: {candidate.flag_reason}"
    if candidate.pk in failures:
        return f"Set {newest.pk} was refused. {failures[candidate.pk]}"
    if newest.state == ProductSet.State.REFUSED:
        others = newest.reasons[0] if newest.reasons else "Its page says why."
        return f"Set {newest.pk} was refused for another product. {others}"
    return f"That of set {newest.pk} was certified and taken back."
