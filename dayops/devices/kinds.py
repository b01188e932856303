"""The two devices of the ground floor: the Archiver and the Processing Cluster."""

from typing import Any

from dayops.archive.catch_up import ACTIVITY, QUEUE
from dayops.devices.registry import DeviceKind
from dayops.devices.states import State
from dayops.models import Command, Device

ARCHIVER = "Archiver"
PROCESSING_CLUSTER = "ProcessingCluster"
CATCH_UP = "catch-up"
MODES = {
    "daytime": "moving objects, calibration products and maintenance; no images",
    "raw-calibration": "quality of raw calibration images as they come",
    "engineering": "images of tests, assembled and measured only",
    "normal-science": "the night's visits",
}


def archiving() -> bool:
    """Whether catch-up runs: while the Archiver is ENABLED, in a fault that came over it then, or never commanded.

    A fault does not stop it, for bytes that are not archived can still be lost (LDM-230: the work goes on in ERROR).
    """
    device = Device.objects.filter(name=ARCHIVER).first()
    if device is None or State.ENABLED in {device.state, device.fault_from}:
        return True
    return not Command.objects.filter(device=device, refused="").exists()


def _archiver_configuration(name: str) -> dict[str, Any]:
    return {"archives": "every frame that the Camera Data System offers, oldest first"}


def _mode(name: str) -> dict[str, Any]:
    return {"mode": name, "for": MODES[name]}


KINDS = (
    DeviceKind(
        ARCHIVER,
        "Archiver",
        QUEUE,
        configurations=lambda: [CATCH_UP],
        configuration=_archiver_configuration,
        activity=ACTIVITY,
        purpose="While it is enabled, every raw frame that the Camera Data System offers is archived, oldest first. "
        "As long as nobody has commanded it, it does so, too.",
    ),
    DeviceKind(
        PROCESSING_CLUSTER,
        "Processing Cluster",
        QUEUE,
        configurations=lambda: list(MODES),
        configuration=_mode,
        purpose="The Alert Production machines. Its configuration names the mode they are in, for everyone to see; "
        "jobs are commanded from the devices that have them.",
    ),
)
