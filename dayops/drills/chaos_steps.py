"""The work that the chaos drill does: the same rows written with the engine's rule, and naively as a control.

`drill_row` has no constraint on purpose: if the engine let a result through twice, the second copy would be seen.
"""

import time
from hashlib import sha256

from django.db import connection

from dayops.engine import Work, job_function

PARTS = 5
CREATE_TABLE = "CREATE TABLE drill_row (task_key text NOT NULL, part int NOT NULL, value text NOT NULL)"


def expected(key: str) -> list[str]:
    """What the task called `key` must leave behind, part by part."""
    return [sha256(f"{key}/{part}".encode()).hexdigest() for part in range(PARTS)]


@job_function("drill.careful")
def careful(work: Work) -> None:
    """Compute, then write rows and completion in one fenced transaction."""
    values = _compute(work)
    with work.commit(outputs=values):
        _write(work.arguments["key"], values)


@job_function("drill.naive")
def naive(work: Work) -> None:
    """The control: rows are written as they come, completion afterwards, as hand-written jobs do.

    It takes twice as long as a careful task, so that the fewer of them meet as many faults.
    """
    for part, value in enumerate(expected(work.arguments["key"])):
        work.progress(part / PARTS, f"part {part + 1} of {PARTS}")
        _write(work.arguments["key"], [value], part)
        time.sleep(2 * work.arguments["seconds"] / PARTS)
    with work.commit():
        pass


def _compute(work: Work) -> list[str]:
    values = []
    for part, value in enumerate(expected(work.arguments["key"])):
        time.sleep(work.arguments["seconds"] / PARTS)
        work.progress((part + 1) / PARTS, f"part {part + 1} of {PARTS}")
        values.append(value)
    return values


def _write(key: str, values: list[str], first_part: int = 0) -> None:
    with connection.cursor() as cursor:
        rows = [(key, first_part + i, value) for i, value in enumerate(values)]
        cursor.executemany("INSERT INTO drill_row VALUES (%s, %s, %s)", rows)
