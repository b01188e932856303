"""How a device answers a command: SAL's acknowledgement codes (ts_salobj, `sal_enums.SalRetCode`)."""

from enum import IntEnum


class Ack(IntEnum):
    """`CMD_…` of SAL. Positive: it goes on or is done; negative: it is not done."""

    ACK = 300
    INPROGRESS = 301
    STALLED = 302
    COMPLETE = 303
    NOPERM = -300
    NOACK = -301
    FAILED = -302
    ABORTED = -303
    TIMEOUT = -304

    @property
    def label(self) -> str:
        return f"CMD_{self.name}"


def label_of(code: int) -> str:
    """``CMD_COMPLETE`` for 303; the number itself where SAL has no name for it."""
    return Ack(code).label if code in set(Ack) else str(code)
