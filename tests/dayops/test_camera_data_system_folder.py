"""A folder or object store as a Camera Data System: what is offered, what is not, and how bytes are read."""

import hashlib
import io
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest

from dayops.camera_data_system import BadOffer, CameraDataSystemAway, FolderCameraDataSystem, OfferedFrame
from dayops.observing_day import day_obs_at

NAME = "MC_S_20261122_000012_R22_S11.fits"
LONG_AGO = time.time() - 3600.0


def put(folder: Path, name: str = NAME, content: bytes = b"x" * 2880, modified: float = LONG_AGO) -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return path


def offered(folder: Path, day_obs: int | None = None) -> list[OfferedFrame]:
    return FolderCameraDataSystem(str(folder)).listing(day_obs).frames


def problems(folder: Path) -> dict[str, str]:
    return {entry.name: entry.problem for entry in FolderCameraDataSystem(str(folder)).listing().bad}


def read(folder: Path, frame: OfferedFrame, offset: int = 0) -> bytes:
    into = io.BytesIO()
    FolderCameraDataSystem(str(folder)).fetch(frame, into, offset)
    return into.getvalue()


def frame(name: str = NAME, size: int = 2880) -> OfferedFrame:
    return OfferedFrame(name, "e", 20261122, 1, "", size, None, datetime.now(UTC))


def test_an_lsst_name_says_exposure_day_number_and_detector(tmp_path):
    put(tmp_path)
    (found,) = offered(tmp_path)
    assert (found.exposure, found.day_obs, found.seq_num) == ("MC_S_20261122_000012", 20261122, 12)
    assert (found.detector, found.size, found.sha256) == ("R22_S11", 2880, None)


@pytest.mark.parametrize("name", ["dark-3.fits", "MC_S_20261399_000012_R22_S11.fits", "b.fits.fz", "c.fits.gz"])
def test_any_other_name_is_the_exposure_on_the_day_it_was_written(tmp_path, name):
    put(tmp_path, name)
    (found,) = offered(tmp_path)
    assert (found.exposure, found.seq_num, found.detector) == (name.partition(".fits")[0], 0, "")
    assert found.day_obs == day_obs_at(datetime.fromtimestamp(LONG_AGO, UTC))
    assert found.offered_at == datetime.fromtimestamp(LONG_AGO, UTC)


def test_a_sidecar_vouches_for_its_file(tmp_path):
    put(tmp_path)
    put(tmp_path, f"{NAME}.sha256", f"{'AB' * 32}  {NAME}\n".encode())
    (found,) = offered(tmp_path)
    assert found.sha256 == "ab" * 32


@pytest.mark.parametrize("content", [b"", b"not a checksum", b"\xff\xfe" * 40])
def test_a_sidecar_that_is_no_checksum_holds_back_its_own_file_only(tmp_path, content):
    put(tmp_path)
    put(tmp_path, f"{NAME}.sha256", content)
    put(tmp_path, "good.fits")
    assert [found.name for found in offered(tmp_path)] == ["good.fits"]
    assert problems(tmp_path)[f"'{NAME}'"].startswith("sha256 is ")


def test_a_file_that_was_touched_just_now_is_left_alone_until_it_settles(tmp_path):
    put(tmp_path, modified=time.time())
    assert offered(tmp_path) == []


def test_a_file_with_a_sidecar_is_offered_at_once(tmp_path):
    put(tmp_path, modified=time.time())
    put(tmp_path, f"{NAME}.sha256", b"ab" * 32)
    assert len(offered(tmp_path)) == 1


def test_a_sidecar_that_cannot_be_read_holds_back_its_own_file_only(tmp_path):
    put(tmp_path)
    put(tmp_path, "good.fits")
    os.mkfifo(tmp_path / f"{NAME}.sha256")
    assert [found.name for found in offered(tmp_path)] == ["good.fits"]
    assert "is not a regular file" in problems(tmp_path)[f"'{NAME}'"]


@pytest.mark.parametrize("modified", [time.time() + 3600, 1e12], ids=["an hour ahead", "the year 33658"])
def test_a_file_from_no_possible_time_is_told_and_not_waited_for(tmp_path, modified):
    put(tmp_path, modified=modified)
    put(tmp_path, "good.fits")
    assert [found.name for found in offered(tmp_path)] == ["good.fits"]
    assert problems(tmp_path)[f"'{NAME}'"].startswith("its time of last change")


def test_only_regular_fits_files_of_the_folder_itself_are_offered_and_the_others_told(tmp_path):
    outside = put(tmp_path, "outside.fits")
    folder = tmp_path / "drop"
    folder.mkdir()
    put(folder, "notes.txt")
    put(folder, f".{NAME}.part")
    put(folder, "empty.fits", b"")
    (folder / "inner.fits").mkdir()
    (folder / "link.fits").symlink_to(outside)
    (folder / "dangling.fits").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.fits")
    assert offered(folder) == []
    assert problems(folder) == {
        "'empty.fits'": "size is 0: expected a whole number from 1 to 2147483648",
        "'inner.fits'": "it is a folder, a FIFO or a device: expected a regular file",
        "'pipe.fits'": "it is a folder, a FIFO or a device: expected a regular file",
        "'link.fits'": "it is a link: expected the frame itself",
        "'dangling.fits'": "it is a link: expected the frame itself",
    }


@pytest.mark.parametrize("name", ["a\x1b[2J.fits", os.fsdecode(b"a\xff.fits"), "a\\b.fits"])
def test_an_ill_named_file_holds_back_itself_only(tmp_path, name):
    put(tmp_path, name)
    put(tmp_path, "good.fits")
    assert [found.name for found in offered(tmp_path)] == ["good.fits"]
    assert list(problems(tmp_path)) == [repr(name)]


def test_frames_are_offered_oldest_first_and_of_one_day_when_asked(tmp_path):
    for name in ("MC_S_20261122_000002_R22_S11.fits", "MC_S_20261122_000001_R22_S11.fits", "MC_S_20261121_000009.fits"):
        put(tmp_path, name)
    assert [found.seq_num for found in offered(tmp_path)] == [9, 1, 2]
    assert [found.seq_num for found in offered(tmp_path, 20261122)] == [1, 2]


def test_a_file_that_arrives_later_is_found_by_the_same_client(tmp_path):
    client = FolderCameraDataSystem(str(tmp_path))
    assert client.listing().frames == []
    put(tmp_path)
    assert len(client.listing().frames) == 1


def test_a_manifest_is_the_offer(tmp_path):
    put(tmp_path)
    entry = {"name": NAME, "exposure": "E", "day_obs": 20261122, "seq_num": 3, "detector": "D"}
    entry |= {"size": 2880, "sha256": hashlib.sha256(b"x" * 2880).hexdigest(), "offered_at": "2026-11-22T16:00:00Z"}
    put(tmp_path, "manifest.json", json.dumps({"frames": [entry]}).encode())
    (found,) = offered(tmp_path)
    assert (found.exposure, found.seq_num, found.sha256) == ("E", 3, entry["sha256"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{", "is not JSON"), (b"[]", "expected a JSON object")],
)
def test_a_broken_manifest_is_refused_in_words(tmp_path, content, sentence):
    put(tmp_path, "manifest.json", content)
    with pytest.raises(BadOffer, match=rf"manifest\.json in .*{sentence}"):
        offered(tmp_path)


@pytest.mark.parametrize("offset", [0, 1, 2879, 2880])
def test_a_file_is_read_from_any_byte(tmp_path, offset):
    content = bytes(range(240)) * 12
    put(tmp_path, content=content)
    assert read(tmp_path, offered(tmp_path)[0], offset) == content[offset:]


def test_a_file_that_grew_gives_no_more_than_was_offered(tmp_path):
    put(tmp_path, content=b"x" * 5000)
    assert len(read(tmp_path, frame(size=2880))) == 2880


def test_a_file_that_shrank_is_away_with_both_sizes(tmp_path):
    put(tmp_path, content=b"x" * 100)
    with pytest.raises(CameraDataSystemAway, match="ended after 100 of 2880 bytes"):
        read(tmp_path, frame())


def test_a_file_that_is_gone_is_away(tmp_path):
    with pytest.raises(CameraDataSystemAway, match=f"{NAME} cannot be read"):
        read(tmp_path, frame())


def test_a_pipe_put_in_the_place_of_a_frame_does_not_hang_the_reader(tmp_path):
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(CameraDataSystemAway, match="is not a regular file"):
        read(tmp_path, frame())


def test_a_link_put_in_the_place_of_a_frame_is_not_followed(tmp_path):
    (tmp_path / NAME).symlink_to(put(tmp_path, "secret.txt"))
    with pytest.raises(CameraDataSystemAway, match="cannot be read"):
        read(tmp_path, frame())


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    put(tmp_path, "secret.fits")
    (tmp_path / "drop").mkdir()
    with pytest.raises(BadOffer, match="looks like a path"):
        read(tmp_path / "drop", frame("../secret.fits"))


def test_a_folder_that_is_not_there_is_away(tmp_path):
    with pytest.raises(CameraDataSystemAway, match="cannot be listed"):
        offered(tmp_path / "nowhere")


def test_a_store_whose_library_has_errors_of_its_own_is_away(monkeypatch):
    class StoreError(Exception):
        pass

    def refuse(*args, **options):
        raise StoreError("no credentials")

    source = FolderCameraDataSystem("memory://camera")
    monkeypatch.setattr(type(source._files), "ls", refuse)
    with pytest.raises(CameraDataSystemAway, match="memory://camera cannot be listed: no credentials"):
        source.listing()
    monkeypatch.setattr(type(source._files), "open", refuse)
    with pytest.raises(CameraDataSystemAway, match="cannot be read from memory://camera: no credentials"):
        source.fetch(frame(), io.BytesIO())


def test_an_object_store_is_a_folder_too():
    store = fsspec.filesystem("memory")
    store.pipe({f"/camera/{NAME}": b"y" * 2880, f"/camera/{NAME}.sha256": b"ab" * 32})
    source = FolderCameraDataSystem("memory://camera")
    (found,) = source.listing().frames
    into = io.BytesIO()
    source.fetch(found, into, 880)
    assert (found.exposure, found.sha256, into.getvalue()) == ("MC_S_20261122_000012", "ab" * 32, b"y" * 2000)
    assert datetime.now(UTC) - found.offered_at < timedelta(minutes=1)
