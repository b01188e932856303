"""The Camera Data System: where raw frames are offered, and how DayOps fetches them.

One small protocol, two clients: an HTTP service (the observatory's own, or the simulator's) and a folder or object
store. Everything offered is untrusted: names are labels, sizes are limits, checksums are compared by the archive.
"""

from dayops.camera_data_system.folder import FolderCameraDataSystem
from dayops.camera_data_system.http import HttpCameraDataSystem, Timeouts
from dayops.camera_data_system.offers import (
    BadEntry,
    BadOffer,
    CameraDataSystem,
    CameraDataSystemAway,
    CameraDataSystemError,
    Listing,
    OfferedFrame,
)

__all__ = [
    "BadEntry",
    "BadOffer",
    "CameraDataSystem",
    "CameraDataSystemAway",
    "CameraDataSystemError",
    "FolderCameraDataSystem",
    "HttpCameraDataSystem",
    "Listing",
    "OfferedFrame",
    "Timeouts",
    "open_camera_data_system",
]


def open_camera_data_system(url: str) -> CameraDataSystem:
    """The client for `url`: ``http://…`` or ``https://…`` a service; a path, ``file://…`` or ``s3://…`` a folder.

    Nothing is contacted yet. Raises ValueError for an empty address.
    """
    if not url.strip():
        raise ValueError(
            "No Camera Data System is configured: set DAYOPS_CAMERA_DATA_SYSTEM to its address "
            "(http://host:port, a folder, or s3://bucket/folder)"
        )
    if url.startswith(("http://", "https://")):
        return HttpCameraDataSystem(url)
    return FolderCameraDataSystem(url)
