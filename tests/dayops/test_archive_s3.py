"""The archive and the Camera Data System on a real S3 server (moto's, on loopback), through the real client."""

import hashlib
import io
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_connection, socket

import pytest
import s3fs

from dayops.archive.content_store import Store, address
from dayops.archive.errors import ArchiveAway, Damaged, NotInArchive
from dayops.camera_data_system import CameraDataSystemAway, FolderCameraDataSystem
from tests import frames

CONTENT = frames.small()
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@contextmanager
def s3_server() -> Iterator[str]:
    """Address of an S3 server with nothing in it."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and server.poll() is None:
            with suppress(ConnectionRefusedError), create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3fs.S3FileSystem]:
    with s3_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.mkdir("site")
        yield files
    s3fs.S3FileSystem.clear_instance_cache()


def test_an_object_store_archives_verifies_restores_and_serves(bucket: s3fs.S3FileSystem, tmp_path: Path):
    archive = Store("s3://site/archive", scratch=tmp_path)
    assert not archive.put(io.BytesIO(CONTENT), DIGEST).existed
    assert archive.put(io.BytesIO(CONTENT), DIGEST).existed
    assert [(entry.key, entry.size) for entry in archive.walk()] == [(address(DIGEST), len(CONTENT))]
    with archive.local_path(DIGEST) as path:
        assert path.read_bytes() == CONTENT

    bucket.pipe_file(f"site/archive/{address(DIGEST)}", CONTENT[::-1])
    with pytest.raises(Damaged):
        archive.verify(DIGEST)
    assert not archive.put(io.BytesIO(CONTENT), DIGEST).existed
    assert archive.verify(DIGEST) == len(CONTENT)

    archive.remove(DIGEST)
    with pytest.raises(NotInArchive):
        archive.open(DIGEST)

    name = frames.frame_name(0, 1)
    bucket.pipe({f"site/drop/{name}": CONTENT, f"site/drop/{name}.sha256": DIGEST.encode()})
    camera = FolderCameraDataSystem("s3://site/drop")
    (offered,) = camera.listing().frames
    into = io.BytesIO()
    camera.fetch(offered, into, 1000)
    assert (offered.sha256, into.getvalue()) == (DIGEST, CONTENT[1000:])


def test_a_bucket_that_does_not_exist_is_told(bucket: s3fs.S3FileSystem, tmp_path: Path):
    with pytest.raises(ArchiveAway, match=r"The object store of the archive \(nowhere/archive\) is in trouble"):
        Store("s3://nowhere/archive", scratch=tmp_path).put(io.BytesIO(CONTENT))
    with pytest.raises(CameraDataSystemAway, match="s3://nowhere/drop cannot be listed"):
        FolderCameraDataSystem("s3://nowhere/drop").listing()
