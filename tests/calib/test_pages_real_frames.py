"""Real raw frames of many cameras on the calibration pages."""

import pytest
from django.test import Client
from django.urls import reverse

from calib import services
from calib.measurement import measure_frame
from calib.metric_map import focal_plane_of
from dayops.archive import store
from dayops.archive.by_hand import ingest_file
from dayops.camera import detector_of
from dayops.models import RawFrame
from tests.people import person
from tests.real_data import needs_real_data, real_file

pytestmark = [pytest.mark.django_db, pytest.mark.real_data, needs_real_data]

FILES = [
    ("lsst_headers", "30211212000310-R22-S22-det098.fits", 16),
    ("lsst_headers", "3018092000065-det000.fits", 16),
    ("lsst_headers", "CC_S_20240404_000780_R22_S01.fits", 16),
    ("raw_frames", "a8280271.fits", 1),
    ("raw_frames", "coj2m002-en12-20200321-0023-w00.fits.fz", 1),
    ("raw_frames", "v_w_20180803_7_1_0_1.fits.gz", 1),
]


def measured(*parts: str) -> RawFrame:
    """A real file, archived by hand and measured as a worker does."""
    frame = ingest_file(store(), real_file(*parts)).frame
    exposure = frame.exposure
    detector = detector_of(exposure.camera, frame.detector, frame.geometry)
    found = measure_frame(frame, detector)
    services.record_assessment(frame, detector, found.values, found.remarks)
    return frame


@pytest.mark.parametrize(("folder", "name", "amplifiers"), FILES)
def test_a_real_frame_shows_on_every_page_down_to_its_pixels(client: Client, folder: str, name: str, amplifiers: int):
    client.force_login(person("observer"))
    frame = measured(folder, name)
    exposure = frame.exposure
    day = exposure.day_obs
    page = client.get(reverse("calib:detector", args=[day, exposure.name, frame.detector_name]))
    assert len(page.context["amplifiers"]) == amplifiers
    assert exposure.name in client.get(reverse("calib:day", args=[day])).content.decode()
    whole = client.get(reverse("calib:exposure", args=[day, exposure.name]))
    total = len(focal_plane_of(exposure, [frame]).footprints)
    assert (
        f"{amplifiers} of {total} amplifiers" in client.get(f"{whole.wsgi_request.path}?metric=mean").content.decode()
    )
    assert client.get(reverse("calib:focal-plane", args=[day, exposure.name])).status_code == 200
    assert client.get(reverse("calib:tile", args=[day, frame.sha256, 0, 0, 0])).content.startswith(b"\x89PNG")
