"""The allow-list: a task can only name a function that was registered here."""

from collections.abc import Callable

from dayops.engine.work import BadInput, Work
from dayops.version import code_version

JobFunction = Callable[[Work], None]
_functions: dict[str, JobFunction] = {}


def job_function(name: str) -> Callable[[JobFunction], JobFunction]:
    """Put a function on the allow-list under `name`."""

    def register(function: JobFunction) -> JobFunction:
        if name in _functions:
            raise ValueError(f"two job functions are called {name}")
        _functions[name] = function
        return function

    return register


def named(name: str) -> JobFunction:
    """The function registered as `name`. Raises BadInput when this code has none."""
    if name not in _functions:
        raise BadInput(f"{name!r} is not a job function of this code ({code_version()}).")
    return _functions[name]
