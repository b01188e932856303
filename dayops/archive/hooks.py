"""What other apps want done when a frame has been archived. They register in their `AppConfig.ready()`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayops.models import RawFrame

ArchivedHook = Callable[["RawFrame"], None]
_hooks: list[ArchivedHook] = []


def on_archived(function: ArchivedHook) -> ArchivedHook:
    """Have `function` called with each newly archived frame, in the transaction that archives it.

    It may only write rows, such as a task to be done: archiving never waits for the quality of a frame.
    """
    if function not in _hooks:
        _hooks.append(function)
    return function


def call(frame: "RawFrame") -> None:
    for hook in _hooks:
        hook(frame)


Keeper = Callable[[], "set[str]"]
_keepers: list[Keeper] = []


def keeps_content(function: Keeper) -> Keeper:
    """Have `function` say which content, by SHA-256, an app's own rows refer to, so that it is never collected."""
    if function not in _keepers:
        _keepers.append(function)
    return function


def kept_elsewhere() -> list[set[str]]:
    return [keeper() for keeper in _keepers]
