"""Thirty days of LSSTCam amplifier rows behind the pages that operators look at.

21 exposures × 189 detectors × 16 amplifiers × 30 days, every metric there is, then: how long do the day board, the
exposure table, the focal plane, the trends, a comparison and the coverage take through a real web server, each with its
figures, and how many queries do they ask?
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ENVIRONMENT = {"DAYOPS_CAMERA": "lsstcam"}
LAST_DAY = datetime(2026, 11, 22, tzinfo=UTC)
TYPES = ["BIAS"] * 3 + ["DARK"] * 3 + ["FLAT"] * 15
METRIC = "read_noise_e"


def run(*, quick: bool) -> dict[str, Any]:
    """Load, then measure. `rows` are amplifier rows: one for each exposure and amplifier, each with every metric."""
    days, requests_each = (2, 20) if quick else (30, 150)
    began = time.perf_counter()
    rows = _load(days)
    print(f"loaded {rows:,} amplifier rows of {days} days in {time.perf_counter() - began:.1f} s")
    pages = _addresses(days)
    queries = {name: _queries(paths) for name, paths in pages.items()}
    p95 = _through_a_server(pages, requests_each)
    for name in pages:
        print(f"{name:<14} p95 {p95[name]:6.0f} ms  (limit 300)   queries {queries[name]}")
    return {
        "rows": rows,
        "days": days,
        **{f"p95_ms_{name}": round(p95[name], 1) for name in pages},
        **{f"queries_{name}": queries[name] for name in pages},
    }


def _load(days: int) -> int:
    """Rows made inside PostgreSQL, so that loading is not what is measured."""
    from django.db import connection

    from calib.science.metrics import METRICS
    from dayops import camera

    detectors = [(detector.id, detector.name) for detector in camera.load("lsstcam").science_detectors]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO dayops_exposure (camera, name, day_obs, seq_num, image_type, exposure_s, filter, step,"
            " began_at, detectors_expected) VALUES ('lsstcam', %s, %s, %s, %s, %s, %s, '', %s, 189)",
            [_exposure(day, number) for day in range(days) for number in range(1, len(TYPES) + 1)],
        )
        cursor.execute("CREATE TEMPORARY TABLE detector (id int, name text)")
        cursor.executemany("INSERT INTO detector VALUES (%s, %s)", detectors)
        cursor.execute("CREATE TEMPORARY TABLE metric (name text, count int)")
        counts = [(metric.name, 16 if metric.per == "amplifier" else 1) for metric in METRICS]
        cursor.executemany("INSERT INTO metric VALUES (%s, %s)", counts)
        cursor.execute(_FRAMES)
        cursor.execute(_ASSESSMENTS)
        cursor.execute(_MEASUREMENTS)
        cursor.execute(_FINDINGS)
        cursor.execute(_STATISTICS)
        cursor.execute(_RUNS)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT sum(cardinality(values)) FROM calib_measurement WHERE metric = %s", [METRIC])
        return int(cursor.fetchone()[0])


def _exposure(day: int, number: int) -> tuple[Any, ...]:
    date = LAST_DAY - timedelta(days=day)
    day_obs = int(date.strftime("%Y%m%d"))
    kind = TYPES[number - 1]
    name = f"MC_O_{day_obs}_{number:06d}"
    filters = "ugriz"[(number - 7) // 3] if kind == "FLAT" else ""
    return (
        name,
        day_obs,
        number,
        kind,
        {"BIAS": 0.0}.get(kind, 15.0),
        filters,
        date + timedelta(hours=14, minutes=number),
    )


_FRAMES = """
    INSERT INTO dayops_rawframe (exposure_id, detector, detector_name, sha256, size, file_name, source, verified,
        header, amplifier_headers, geometry, remarks, state, reason)
    SELECT exposure.id, detector.id, detector.name,
        encode(sha256((exposure.name || detector.name)::bytea), 'hex'), 11500000,
        exposure.name || '_' || detector.name || '.fits', 'bench', true, '{}', '[]', '{}', '[]', 'ARCHIVED', ''
    FROM dayops_exposure exposure CROSS JOIN detector ORDER BY exposure.id, detector.id
"""
_ASSESSMENTS = """
    INSERT INTO calib_assessment (frame_id, exposure_id, detector, level, amplifiers_warn, amplifiers_error,
        code_version, remarks)
    SELECT id, exposure_id, detector, CASE WHEN random() < 0.01 THEN 1 ELSE 0 END, 0, 0, 'bench', '[]'
    FROM dayops_rawframe
"""
_MEASUREMENTS = """
    INSERT INTO calib_measurement (exposure_id, frame_id, detector, metric, values, levels)
    SELECT frame.exposure_id, frame.id, frame.detector, metric.name,
        ARRAY(SELECT 5.7 + 0.4 * random() FROM generate_series(1, metric.count) WHERE frame.id > 0),
        array_fill(0::smallint, ARRAY[metric.count])
    FROM dayops_rawframe frame CROSS JOIN metric ORDER BY frame.id
"""
_FINDINGS = """
    INSERT INTO calib_finding (assessment_id, metric, amplifier, level, value)
    SELECT id, 'read_noise_e', 'C10', level, 15 FROM calib_assessment WHERE level > 0
"""
_STATISTICS = """
    INSERT INTO calib_exposurestatistic (exposure_id, metric, count, minimum, p5, median, p95, maximum)
    SELECT exposure.id, metric.name, 189 * metric.count, 5.7, 5.72, 5.88 + 0.04 * random(), 6.08, 6.1
    FROM dayops_exposure exposure CROSS JOIN metric ORDER BY exposure.id
"""
_RUNS = """
    INSERT INTO dayops_run (activity, title, day_obs, key, phase, stages, parameters, subject, code_version,
        requested_by, summary, error, abort_requested, started_at, ended_at)
    SELECT 'calib', 'Assess ' || name, day_obs, 'assess:lsstcam:' || name, 'COMPLETED', '["measure"]', '{}',
        'exposure:lsstcam/' || name, 'bench', 'archiver', '{}', '', false, began_at, began_at + interval '40 s'
    FROM dayops_exposure
"""


def _addresses(days: int) -> dict[str, list[tuple[str, ...]]]:
    """For each page, the requests that make it up, on several days."""
    found: dict[str, list[tuple[str, ...]]] = {name: [] for name in ("board", "exposures", "focal_plane", "compare")}
    for back in range(0, days, max(1, days // 10)):
        date = (LAST_DAY - timedelta(days=back)).date()
        name = f"MC_O_{date:%Y%m%d}_000007"
        found["board"].append((f"/{date}/",))
        found["exposures"].append((f"/{date}/calib/",))
        exposure = f"/{date}/calib/exposures/{name}/"
        found["focal_plane"].append((f"{exposure}?metric={METRIC}", f"{exposure}focal-plane/?metric={METRIC}"))
        both = f"?a={name}&b=MC_O_{date:%Y%m%d}_000008&metric={METRIC}"
        figures = ("a/", "b/", "change/", "histogram/")
        found["compare"].append(tuple(f"/{date}/calib/compare/{figure}{both}" for figure in ("", *figures)))
    for scope in ("", "raft=R22", "detector=R22_S11"):
        query = f"?metric={METRIC}&type=FLAT&days={days}&until={LAST_DAY:%Y-%m-%d}&{scope}"
        found[f"trend_{scope.partition('=')[0]}".strip("_")] = [
            (f"/calib/trends/{query}", f"/calib/trends/figure/{query}")
        ]
    found["coverage"] = [(f"/calib/coverage/?days={days}&until={LAST_DAY:%Y-%m-%d}",)]
    return found


def _queries(paths: list[tuple[str, ...]]) -> int:
    """Queries of one page load by a signed-in operator, the session and user among them; the same for every day."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(_operator())
    counts = set()
    for requests in paths:
        with CaptureQueriesContext(connection) as captured:
            for path in requests:
                response = client.get(path)
                if response.status_code != 200:
                    raise SystemExit(f"{path} answered {response.status_code}")
        counts.add(len(captured))
    if len(counts) != 1:
        raise SystemExit(f"{paths[0][0]}: the number of queries is not constant: {sorted(counts)}")
    return counts.pop()


def _operator() -> Any:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group

    user, _ = get_user_model().objects.get_or_create(username="bench")
    user.groups.add(Group.objects.get(name="operator"))
    return user


def _through_a_server(pages: dict[str, list[tuple[str, ...]]], number: int) -> dict[str, float]:
    """95th percentile of the time to load each page over HTTP, one browser, after a warm-up round."""
    import requests
    from django.conf import settings
    from django.test import Client

    from dayops.demonstration import free_port, web_server

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(_operator())
    port = free_port(8000)
    server = web_server(port, Path(settings.STATE_DIR) / "log")
    server.start()
    try:
        with requests.Session() as browser:
            browser.cookies.set("sessionid", client.cookies["sessionid"].value)
            _wait(browser, f"http://127.0.0.1:{port}/healthz")
            return {name: _p95_ms(browser, f"http://127.0.0.1:{port}", paths, number) for name, paths in pages.items()}
    finally:
        server.stop()


def _wait(browser: Any, url: str) -> None:
    import requests

    for _ in range(600):
        try:
            if browser.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit("the web server did not answer")


def _p95_ms(browser: Any, address: str, paths: list[tuple[str, ...]], number: int) -> float:
    for requests in paths:
        for path in requests:
            browser.get(address + path, timeout=30).raise_for_status()
    times = []
    for i in range(number):
        began = time.perf_counter()
        for path in paths[i % len(paths)]:
            browser.get(address + path, timeout=30).raise_for_status()
        times.append(time.perf_counter() - began)
    return float(np.percentile(times, 95) * 1000)
