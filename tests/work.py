"""Builders of runs and tasks, and small job functions for the engine's tests."""

import time
from itertools import count
from typing import Any

import psycopg
from django.db import connection

from dayops import runs
from dayops.engine import BadInput, Retriable, Work, job_function
from dayops.models import Run
from dayops.runs import NewTask

DAY = 20261122
_numbers = count(1)


@job_function("tests.succeed")
def succeed(work: Work) -> None:
    """Commit the arguments as the result."""
    with work.commit() as result:
        result.update(work.arguments)


@job_function("tests.refuse")
def refuse(work: Work) -> None:
    raise BadInput("frame 7 has 15 amplifiers where 16 were expected")


@job_function("tests.refuse_oddly")
def refuse_oddly(work: Work) -> None:
    raise BadInput("header 'a\0b' of file \udcff.fits is wrong")


@job_function("tests.run_out_of_memory")
def run_out_of_memory(work: Work) -> None:
    raise MemoryError


@job_function("tests.linger")
def linger(work: Work) -> None:
    """Commit, then take time to return."""
    with work.commit():
        pass
    time.sleep(work.arguments["seconds"])


@job_function("tests.linger_before")
def linger_before(work: Work) -> None:
    time.sleep(work.arguments["seconds"])
    with work.commit():
        pass


@job_function("tests.be_away")
def be_away(work: Work) -> None:
    raise Retriable("the Camera Data System does not answer")


@job_function("tests.crash")
def crash(work: Work) -> None:
    raise ZeroDivisionError("a bug")


@job_function("tests.forget")
def forget(work: Work) -> None:
    """A job function that returns without committing: a defect the engine must notice."""


def task(key: str, function: str = "tests.succeed", *, stage: str = "only", **fields: Any) -> NewTask:
    return NewTask(stage=stage, key=key, function=function, **fields)


def run_of(*tasks: NewTask, stages: tuple[str, ...] = ("only",), key: str = "") -> Run:
    run, _ = runs.start(
        activity="calib",
        key=key or f"test:{next(_numbers)}",
        title="a test run",
        day_obs=DAY,
        tasks=tasks,
        stages=stages,
    )
    return run


def another_session() -> psycopg.Connection[Any]:
    """A second connection to the test's database, as another worker has it. Use with `with`."""
    parameters = connection.get_connection_params()
    wanted = ("host", "port", "user", "password", "dbname")
    return psycopg.connect(**{name: parameters[name] for name in wanted if name in parameters}, autocommit=True)
