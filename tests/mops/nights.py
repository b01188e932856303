"""Builders of searched nights: a run, its night, and linkages with orbits and residuals."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np

from dayops import runs
from dayops.models import Phase, Run, Task
from dayops.observing_day import ObservingDay
from mops.models import Linkage, Night
from mops.science.elements import elements_from_states
from tests.work import task

DAY = 20261122
REASON = "χ² of 812 for 14 degrees of freedom: at most 40 are accepted."
MJD = 61_367.1  # TAI, in the night of DAY
COUNTS: dict[str, Any] = {
    "detections": 109_042,
    "attributed": 1_204,
    "known": 310,
    "tracklets": 33_347,
    "clusters": 6_120,
    "linkages": 402,
    "accepted": 398,
    "refused": {"poor fit": 3, "fewer than three nights": 1},
    "seconds": {"attribute": 3.1, "tracklets": 1.2, "link": 17.6, "purify": 4.5},
    "coverage": [
        {"zone": zone, "r_au": r, "rdot": rdot, "tracklets": int(1000 / r), "clusters": 40, "accepted": 12}
        for zone, distances in (("main_belt", (2.0, 2.5, 3.0)), ("distant", (30.0, 40.0)))
        for r in distances
        for rdot in (-0.005, 0.0, 0.005)
    ],
}
TRUTH: dict[str, Any] = {
    "completeness": 0.9991,
    "purity": 1.0,
    "by_zone": [
        {"zone": "main_belt", "findable": 5300, "found": 5298},
        {"zone": "neo", "findable": 12, "found": 11},
    ],
    "by_magnitude": [{"magnitude": "20-21", "findable": 5312, "found": 5309}],
    "findable": 5312,
    "found": 5309,
    "waterfall": [
        {"step": "findable", "objects": 5312, "lost": 0, "limit": ""},
        {"step": "tracklet", "objects": 5311, "lost": 1, "limit": "tracklet_max_hours 1.5 h"},
        {"step": "clustered", "objects": 5309, "lost": 2, "limit": "cluster radius 0.0013 au"},
        {"step": "accepted", "objects": 5309, "lost": 0, "limit": ""},
    ],
}
_numbers = count(1)


def night(
    day_obs: int = DAY, state: str = "PUBLISHED", *, hours: float = 8.0, counts: Any = COUNTS, **fields: Any
) -> Night:
    """A search of the night `day_obs`, decided on `hours` after the night ended."""
    decided = None if state == "MAKING" else ObservingDay(day_obs).sunrise + timedelta(hours=hours)
    given = {
        "configuration": "usual",
        "trial": state == "TRIAL",
        "parameters": {"window_nights": 15, "submission_rms_arcsec": 0.5},
        "as_of_mjd_tai": MJD + 0.4,
        "reference_mjd_tdb": MJD - 7,
        "reasons": ["Fewer than half as many linkages as last night."] if state == "REFUSED" else [],
        "counts": counts,
        "decided_by": "" if state == "MAKING" else "DayMOPS",
        "decided_at": decided,
        **fields,
    }
    return Night.objects.create(run=_run(day_obs, is_over=state != "MAKING"), day_obs=day_obs, state=state, **given)


def linkage(of: Night, number: int | None = None, *, verdict: str = "ACCEPTED", **fields: Any) -> Linkage:
    """A linkage of eight detections in four nights, with a main-belt orbit; one that was refused says why."""
    number = next(_numbers) if number is None else number
    sources = [1000 * number + k for k in range(8)]
    return Linkage.objects.create(
        night=of, verdict=verdict, **{**_solution(number, sources), **_why(verdict), **fields}
    )


def linkages(of: Night, many: int) -> list[Linkage]:
    """`many` accepted ones and one that was refused."""
    return [*(linkage(of) for _ in range(many)), linkage(of, verdict="REFUSED")]


def reviewed(one: Linkage, review: str = "APPROVED", reason: str = "looks real") -> Linkage:
    """As a person left it."""
    fields = {"review": review, "reviewed_by": "scientist", "reviewed_at": datetime.now(UTC), "review_reason": reason}
    Linkage.objects.filter(pk=one.pk).update(**fields)
    one.refresh_from_db()
    return one


def _why(verdict: str) -> dict[str, Any]:
    return {} if verdict == "ACCEPTED" else {"reason": REASON}


def _solution(number: int, sources: Sequence[int]) -> dict[str, Any]:
    random = np.random.default_rng(number)
    state = [2.2, 1.1, 0.3, -0.0045, 0.0085 + 2e-5 * (number % 30), 0.0031]
    sigma = np.array([2e-7, 2e-7, 1e-7, 3e-9, 3e-9, 1e-9])
    correlation = 0.6 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    return {
        "identity": hashlib.sha256(repr(sorted(sources)).encode()).hexdigest(),
        "sources": list(sources),
        "nights": [20261119, 20261120, 20261121, 20261122],
        "tracklets": 4,
        "arc_days": 3.02,
        "hypothesis": {"zone": "main_belt", "r_au": 2.5, "rdot_au_per_day": 0.002, "spread_au": 3.1e-4},
        "epoch_mjd_tdb": MJD,
        "state": state,
        "covariance": (np.outer(sigma, sigma) * correlation).ravel().tolist(),
        "chi2": 11.8,
        "degrees_of_freedom": 10,
        "rms_arcsec": 0.043,
        "used": [True] * (len(sources) - 1) + [False],
        "residual_ra": random.normal(0, 0.04, len(sources)).tolist(),
        "residual_dec": random.normal(0, 0.04, len(sources)).tolist(),
        **_elements(state),
        "h_mag": 18.4,
        "h_by_band": {"g": 18.7, "r": 18.2},
        "u_parameter": 8,
        "moid_au": 1.33,
        "orbit_class": "MBA",
    }


def _elements(state: Sequence[float]) -> dict[str, float]:
    found = elements_from_states(np.array([state]), MJD)
    names = {"a_au": found.a, "e": found.e, "q_au": found.q, "incl": found.i, "node": found.node}
    names |= {"argperi": found.argperi, "mean_anomaly": found.mean_anomaly, "peri_time_mjd_tdb": found.peri_time}
    return {name: float(value[0]) for name, value in names.items()}


def _run(day_obs: int, *, is_over: bool) -> Run:
    run, _ = runs.start(
        activity="mops",
        key=f"mops:test:{next(_numbers)}",
        title=f"Search the night {ObservingDay(day_obs)}",
        day_obs=ObservingDay(day_obs).next.day_obs,
        tasks=[task("attribute", stage="attribute"), task("link 1", stage="link"), task("publish", stage="publish")],
        stages=("attribute", "link", "publish"),
        requested_by="operator",
    )
    if is_over:
        began = datetime.now(UTC) - timedelta(seconds=90)
        Task.objects.filter(run=run).update(phase=Phase.COMPLETED, started_at=began, ended_at=datetime.now(UTC))
        Run.objects.filter(pk=run.pk).update(phase=Phase.COMPLETED, started_at=began, ended_at=datetime.now(UTC))
    run.refresh_from_db()
    return run
