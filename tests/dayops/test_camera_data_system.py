"""The address of a Camera Data System chooses its client."""

import pytest

from dayops.camera_data_system import FolderCameraDataSystem, HttpCameraDataSystem, open_camera_data_system


@pytest.mark.parametrize(
    ("url", "kind"), [("http://127.0.0.1:1", HttpCameraDataSystem), ("/tmp", FolderCameraDataSystem)]
)
def test_the_address_chooses_the_client(url, kind):
    assert isinstance(open_camera_data_system(url), kind)


@pytest.mark.parametrize("url", ["http://", "http:///frames"])
def test_an_address_without_a_host_is_refused(url):
    with pytest.raises(ValueError, match="names no host"):
        open_camera_data_system(url)


def test_no_address_is_refused_with_the_setting_to_set():
    with pytest.raises(ValueError, match="set DAYOPS_CAMERA_DATA_SYSTEM to its address"):
        open_camera_data_system(" ")
