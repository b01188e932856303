"""Ending a process that waits, when it is asked to by a signal."""

import signal
import threading


def stopped_by_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set, however many of them come.

    A handler interrupts the main thread anywhere, also inside `Event.wait` or `Event.set`, whose lock cannot be taken
    twice by one thread: so another thread sets it.
    """
    stop = threading.Event()

    def end(*_: object) -> None:
        threading.Thread(target=stop.set, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return stop
