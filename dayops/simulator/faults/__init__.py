"""The fault catalogue: everything that can be made to go wrong on a simulated day, one fault at a time."""

from dayops.simulator.faults.fault import Acts, Fault, Hit, Where
from dayops.simulator.faults.files import FILE_FAULTS
from dayops.simulator.faults.light import LIGHT_FAULTS
from dayops.simulator.faults.readout import READOUT_FAULTS

__all__ = ["FAULTS", "Acts", "Fault", "Hit", "Where", "fault_named"]

FAULTS: tuple[Fault, ...] = (*LIGHT_FAULTS, *READOUT_FAULTS, *FILE_FAULTS)


def fault_named(name: str) -> Fault:
    """The fault called `name`. Raises ValueError with the names there are."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    known = ", ".join(fault.name for fault in FAULTS)
    raise ValueError(f"There is no fault {name!r}: expected one of {known}")
