"""The certification drill: do bad frames ever come to be certified, and is a healthy day's set ever refused?

1. Healthy days in a row: each ends with a job of the Calibration Generator, and every set must be certified.
2. For each fault a day with it, and a job. Its set is *bad* where a frame that the fault hit is among the inputs of one
   of its products, and that product departs from what the frame's twin would have made of it (`calib.drills.twins`);
   and where frames of another filter are among them, which in the simulator are alike. What is derived from products
   (linearity, defects) is bad with them. A bad set that the gate certifies by itself is what must not be.
3. A healthy day's set is *good*, and that of a day with a fault where every product is there and no frame that was hit
   went into one, or was held out. It must be certified. Where frames are missing, or one that was hit was held out,
   the gate may refuse.

After a day with a fault its certification is rolled back and its frames are rejected, so that it is nobody's past. Now
and then a healthy day lies between, whose set must be certified, too: masters look back seven days.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from calib import certification
from calib.drills import twins
from calib.drills.days import Crew, reject
from calib.models import Product, ProductSet
from calib.products.configuration import configuration
from calib.products.gate import expected_slots
from calib.products.generator import start
from dayops.camera import Camera
from dayops.models import Alarm, RawFrame
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import Fault
from dayops.simulator.observatory import Programme, usual_beginning

ACTOR = "drill"
EVERY = 3  # days with a fault, until a healthy one follows


@dataclass(frozen=True, slots=True)
class SetSeen:
    """The set of one day: its state and the gate's `reasons`; of the day's frames that the fault hit how many were
    archived, went into products and were held out; `departures` are sentences about products that it made bad.
    """

    fault: Fault | None
    day_obs: int
    certified: bool
    reasons: tuple[str, ...]
    complete: bool
    hit: int
    used: int
    held_out: int
    departures: tuple[str, ...]

    @property
    def is_bad(self) -> bool:
        return bool(self.departures)

    @property
    def is_good(self) -> bool:
        return self.fault is None or (self.complete and not self.used and not self.held_out)

    @property
    def verdict(self) -> str:
        if self.certified:
            return "CERTIFIED BAD" if self.is_bad else "certified with harmless" if self.used else "certified"
        return "refused" if self.is_bad or not self.is_good else "REFUSED GOOD"


@dataclass(frozen=True)
class Drill:
    camera: Camera
    seed: int
    crew: Crew
    first_day: int

    def run(self, healthy_days: int, faults: Sequence[Fault]) -> Iterator[SetSeen]:
        """Every set in turn."""
        plan: list[Fault | None] = [None] * healthy_days
        for number, fault in enumerate(faults):
            if number and number % EVERY == 0:
                plan.append(None)
            plan.append(fault)
        for number, planned in enumerate(plan):
            yield self._day(number, planned)

    def _day(self, number: int, fault: Fault | None) -> SetSeen:
        day = int(f"{ObservingDay(self.first_day).date + timedelta(days=number):%Y%m%d}")
        programme = Programme(self.camera, day, self.seed, usual_beginning(day, now()), fault=fault)
        self.crew.take(programme, [shot.planned.seq_num for shot in programme.shots()])
        try:
            made = self._made(day)
        except ValueError as error:  # no frame of the day is usable
            seen = SetSeen(fault, day, False, (str(error),), False, 0, 0, 0, ())
        else:
            seen = self._seen(programme, made)
            if fault is not None:
                _withdraw(made)
        if fault is not None:
            reject(day)
            Alarm.objects.all().delete()
        return seen

    def _made(self, day: int) -> ProductSet:
        run = start(configuration("daily"), day, requested_by=ACTOR, key="drill")
        while not run.is_over:
            self.crew.work_off()
            run.refresh_from_db()
        made = ProductSet.objects.get(run=run)
        if made.state == ProductSet.State.MAKING:
            raise RuntimeError(f"The job of {day} ended before its set was decided upon: {run.error}")
        return made

    def _seen(self, programme: Programme, made: ProductSet) -> SetSeen:
        products = list(Product.objects.filter(product_set=made))
        frames = RawFrame.objects.filter(exposure__day_obs=made.day_obs, state="ARCHIVED").select_related("exposure")
        hit = {frame.pk for frame in frames if twins.is_hit(frame, programme)}
        touched = [product.pk for product in products if hit.intersection(product.inputs)]
        return SetSeen(
            fault=programme.fault,
            day_obs=made.day_obs,
            certified=made.state == ProductSet.State.CERTIFIED,
            reasons=tuple(made.reasons),
            complete=len(products) == len(expected_slots(made.camera, made.day_obs)),
            hit=len(hit),
            used=len(hit.intersection(key for product in products for key in product.inputs)),
            held_out=len(hit.intersection(key for product in products for key in product.held_out)),
            departures=tuple(filter(None, self.crew.pool.map(twins.departure, touched, [programme] * len(touched)))),
        )


def _withdraw(made: ProductSet) -> None:
    for action in made.actions.all():
        certification.roll_back(action, ACTOR, "a day of the drill")


def summary(seen: Sequence[SetSeen]) -> dict[str, int]:
    """The counts that the command ends with.

    `bad_sets` are those of days with a fault; `departing_sets` those of them that bad frames got into, past the checks
    of raw frames, so that the gate alone stood before them.
    """
    of_faults = [one for one in seen if one.fault is not None]
    return {
        "bad_sets": len(of_faults),
        "departing_sets": sum(one.is_bad for one in of_faults),
        "certified_bad": sum(one.is_bad and one.certified for one in seen),
        "good_sets": sum(one.is_good for one in seen),
        "refused_good": sum(one.is_good and not one.certified for one in seen),
        "healthy_sets": sum(one.fault is None for one in seen),
        "certified_of_faults": sum(one.certified for one in of_faults),
    }


def line(seen: SetSeen) -> str:
    """One line: what was hit, what of it came into masters, the gate's verdict and the first reasons."""
    name = seen.fault.name if seen.fault else "healthy"
    reasons = "; ".join(seen.reasons[:2]) + (f" (and {len(seen.reasons) - 2} more)" if len(seen.reasons) > 2 else "")
    counts = f"{seen.hit:4d} hit {seen.used:4d} in masters {seen.held_out:3d} held out {len(seen.departures):3d} bad"
    return f"{seen.day_obs} {name:<22} {counts}  {seen.verdict:<24} {reasons}"
