"""A year of an LSSTCam's certifications: every night 189 detectors × 12 types and filters, by the real `certify`.

Then: how long do one product, the whole focal plane, a further night and its roll back take, and of 4 and of 16 that
certify the same slots at once, how many win?
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

FIRST_NIGHT = 20251122
CERTIFIERS = (4, 16)
LIMIT_MS = 50.0


def run(*, quick: bool) -> dict[str, Any]:
    """Load, then measure. `certifications` are deeds upon a slot; `rows` what they leave: two each, but the first."""
    from calib import certification
    from calib.certification.instants import night_of
    from calib.models import Certification, ProductType

    nights, turns = (5, 5) if quick else (365, 25)
    began = time.perf_counter()
    *days, tonight, contested = _days(nights + 2)
    per_night = [_certify_a_night(number, day) for number, day in enumerate(days)]
    print(f"{sum(per_night):,} certifications of {nights} nights in {time.perf_counter() - began:.0f} s")
    middle = night_of(days[len(days) // 2])[0]
    then = certification.history_of("lsstcam", "daily", "bias", 0).order_by("pk")[len(days) // 2].known.lower
    slots = len(certification.lookup("lsstcam", middle))
    if slots != per_night[0]:
        raise SystemExit(f"The lookup gives {slots} products of {per_night[0]}")
    report = {
        "certifications": sum(per_night),
        "rows": Certification.objects.count(),
        "lookup_ms": _ms(lambda: certification.lookup_one("lsstcam", middle, ProductType.FLAT, 94, "r"), turns),
        "focal_plane_lookup_ms": _ms(lambda: certification.lookup("lsstcam", middle), turns),
        "focal_plane_lookup_newest_ms": _ms(lambda: certification.lookup("lsstcam", night_of(days[-1])[0]), turns),
        "focal_plane_lookup_as_known_then_ms": _ms(
            lambda: certification.lookup("lsstcam", night_of(days[-1])[0], known_at=then), turns
        ),
        **_a_night(tonight, 1 if quick else 7),
        "overlaps": _overlaps(),
        "winners": [_winners(contested, number) for number in CERTIFIERS],
    }
    for name, value in report.items():
        print(f"{name:<36} {value}" + (f"  (limit {LIMIT_MS:.0f})" if name == "focal_plane_lookup_ms" else ""))
    return report


def _days(count: int) -> list[int]:
    from dayops.observing_day import ObservingDay

    days = [ObservingDay(FIRST_NIGHT)]
    while len(days) < count:
        days.append(days[-1].next)
    return [day.day_obs for day in days]


def _certify_a_night(number: int, day_obs: int) -> int:
    """Make a night's products and certify them, with the table cared for now and then as autovacuum would."""
    _certify(_made(day_obs), day_obs)
    if number % 20 == 0:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE calib_certification, calib_product, calib_calibrationslot")
    return 189 * 12


def _made(day_obs: int) -> Any:
    """A night's set of products, made inside PostgreSQL."""
    from django.db import connection

    from calib.models import Product, ProductSet
    from dayops.models import Run

    run = Run.objects.create(activity="calib", title="a bench", day_obs=day_obs, key=f"{day_obs}/{time.time_ns()}")
    made = ProductSet.objects.create(run=run, camera="lsstcam", day_obs=day_obs, configuration="daily")
    with connection.cursor() as cursor:
        cursor.execute(_PRODUCTS, {"set": made.pk, "day_obs": day_obs})
    return Product.objects.filter(product_set=made)


_PRODUCTS = """
    INSERT INTO calib_product (product_set_id, type, camera, detector, detector_name, filter, day_obs, sha256, size,
        inputs, held_out, calibrations, statistics, provenance, flagged_bad_by, flag_reason)
    SELECT %(set)s, kind.type, 'lsstcam', detector, 'R' || detector, kind.filter, %(day_obs)s,
        encode(sha256(concat(%(set)s, kind.type, kind.filter, detector)::bytea), 'hex'), 50000000,
        '{}', '{}', '{}', '{}', '{}', '', ''
    FROM generate_series(0, 188) detector CROSS JOIN (
        SELECT type, '' AS filter FROM unnest(ARRAY['bias', 'dark', 'defects', 'ptc', 'linearity', 'crosstalk']) type
        UNION ALL SELECT 'flat', filter FROM unnest(ARRAY['u', 'g', 'r', 'i', 'z', 'y']) filter
    ) kind
"""


def _certify(products: Any, day_obs: int, **words: Any) -> Any:
    from calib.certification import certify
    from calib.certification.instants import night_of

    return certify(products, valid_from=night_of(day_obs)[0], valid_to=None, actor="bench", **words)


def _ms(work: Callable[[], Any], turns: int) -> float:
    """Median wall time in milliseconds."""
    times = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 2)


def _a_night(day_obs: int, turns: int) -> dict[str, float]:
    """Certify a night after all others and roll it back, again and again, as with a year behind it."""
    from calib.certification import roll_back

    certified, rolled_back = [], []
    for _ in range(turns):
        products = _made(day_obs)
        began = time.perf_counter()
        deed = _certify(products, day_obs)
        certified.append(time.perf_counter() - began)
        began = time.perf_counter()
        roll_back(deed, "bench", "a bench")
        rolled_back.append(time.perf_counter() - began)
    return {
        "certify_night_ms": round(1000 * statistics.median(certified), 1),
        "rollback_night_ms": round(1000 * statistics.median(rolled_back), 1),
    }


def _overlaps() -> int:
    """Pairs of certifications that overlap in both times, in every twentieth slot; the constraint allows none."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM calib_certification a"
            " JOIN calib_certification b ON a.id < b.id AND a.valid && b.valid"
            " AND a.known && b.known AND int8range(a.slot_id, a.slot_id, '[]') && int8range(b.slot_id, b.slot_id, '[]')"
            " WHERE a.slot_id % 20 = 0"
        )
        (found,) = cursor.fetchone()
    return int(found)


def _winners(day_obs: int, number: int) -> int:
    """Of `number` sessions that looked at the same state and certify the same slots, how many succeed."""
    from calib.certification import ConflictingCertification, state_seen

    sets = [_made(day_obs) for _ in range(number)]
    seen = state_seen("lsstcam", "daily")
    together = threading.Barrier(number)
    won: list[int] = []

    def one(mine: int) -> None:
        with _own_session():
            together.wait()
            try:
                _certify(sets[mine], day_obs, seen=seen)
            except ConflictingCertification:
                return
            won.append(mine)

    threads = [threading.Thread(target=one, args=(mine,)) for mine in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(won)


@contextmanager
def _own_session() -> Iterator[None]:
    """A thread has a connection of its own, to be closed."""
    from django.db import connection

    try:
        yield
    finally:
        connection.close()
