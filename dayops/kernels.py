"""Compiled kernels: compiled once on a machine, loaded by every worker before it forks."""

from collections.abc import Callable

_warm_ups: list[Callable[[], None]] = []


def warm_up_with(function: Callable[[], None]) -> None:
    """Have `function` called by `warm_up`: it calls each kernel on a small input. Called from an app's `ready()`."""
    if function not in _warm_ups:
        _warm_ups.append(function)


def warm_up() -> None:
    """Compile every kernel, or load it from Numba's cache on disk."""
    for function in _warm_ups:
        function()
