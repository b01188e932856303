"""The store keeps bytes under their own hash: whole, once, unchanged, whatever breaks on the way."""

import hashlib
import io
import multiprocessing
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayops.archive import content_store, incoming
from dayops.archive.bucket import Bucket
from dayops.archive.content_store import Store, address
from dayops.archive.errors import (
    ArchiveAway,
    ArchiveFull,
    ChecksumMismatch,
    Damaged,
    NotInArchive,
    TooLarge,
    TransferBusy,
)
from dayops.engine import Retriable
from dayops.sandbox import run_limited

CONTENT = b"thirty-three amplifiers of nothing"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MIB = 1024 * 1024


@pytest.fixture(params=["folder", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return Store(str(tmp_path / "archive"))
    return Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "archive"))


def kept(store: Store, content: bytes) -> str:
    return store.put(io.BytesIO(content)).sha256


def left_behind(store: Store) -> list[str]:
    return sorted(path.name for path in store.incoming.iterdir())


def test_what_was_put_comes_back(store: Store):
    stored = store.put(io.BytesIO(CONTENT), DIGEST)
    assert (stored.sha256, stored.size, stored.existed) == (DIGEST, len(CONTENT), False)
    with store.open(DIGEST) as file:
        assert file.read() == CONTENT
    assert left_behind(store) == []


def test_putting_the_same_bytes_again_is_a_no_op(store: Store):
    kept(store, CONTENT)
    assert store.put(io.BytesIO(CONTENT)).existed
    assert [entry.size for entry in store.walk()] == [len(CONTENT)]


def test_a_file_can_be_put_by_its_path(store: Store, tmp_path: Path):
    source = tmp_path / "frame.fits"
    source.write_bytes(CONTENT)
    assert store.put(source).sha256 == DIGEST
    assert source.read_bytes() == CONTENT, "the sender's file stays where it is"


def test_content_lies_under_its_address(folder: Store):
    kept(folder, CONTENT)
    assert [entry.key for entry in folder.walk()] == [f"sha256/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"]


def test_archived_files_are_read_only(folder: Store):
    with folder.local_path(kept(folder, CONTENT)) as path:
        assert path.stat().st_mode & 0o777 == 0o444


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=5000))
def test_any_bytes_are_kept_under_their_own_hash(folder: Store, content: bytes):
    assert kept(folder, content) == hashlib.sha256(content).hexdigest()
    assert folder.verify(hashlib.sha256(content).hexdigest()) == len(content)


def test_other_bytes_than_the_sender_vouched_for_are_refused_with_both_sums(store: Store):
    with pytest.raises(ChecksumMismatch, match=f"(?s){'0' * 64}.*{DIGEST}"):
        store.put(io.BytesIO(CONTENT), "0" * 64)
    assert list(store.walk()) == []
    assert left_behind(store) == []


def test_more_bytes_than_allowed_are_refused(store: Store):
    with pytest.raises(TooLarge, match="More than 1 MiB"):
        store.put(io.BytesIO(b"x" * (MIB + 1)), limit_bytes=MIB)
    assert left_behind(store) == []


def test_a_source_that_breaks_leaves_nothing_behind(store: Store):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        store.put(Broken())
    assert left_behind(store) == []


def test_absent_content_is_told_in_words(store: Store):
    assert not store.exists(DIGEST)
    with pytest.raises(NotInArchive, match=f"does not hold {DIGEST}"):
        store.open(DIGEST)
    with pytest.raises(NotInArchive), store.local_path(DIGEST):
        pass


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "", "0" * 63, "0" * 64 + "\n"])
def test_only_a_sha256_is_an_address(name: str):
    with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
        address(name)


def test_rot_is_noticed(folder: Store):
    with folder.local_path(kept(folder, CONTENT)) as path:
        path.chmod(0o644)
        path.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(Damaged, match="restore it"):
        folder.verify(DIGEST)


@pytest.mark.parametrize("damaged", [CONTENT[:5], b"", CONTENT[::-1]])
def test_a_damaged_copy_is_set_aside_when_the_whole_content_comes_again(folder: Store, damaged: bytes):
    with folder.local_path(kept(folder, CONTENT)) as path:
        path.chmod(0o644)
        path.write_bytes(damaged)
    assert not folder.put(io.BytesIO(CONTENT)).existed
    assert folder.verify(DIGEST) == len(CONTENT)
    (aside,) = (path.parents[3] / "damaged").iterdir()
    assert aside.read_bytes() == damaged


@pytest.mark.parametrize("damaged", [CONTENT[:5], CONTENT[::-1]])
def test_a_damaged_object_is_replaced_when_the_whole_content_comes_again(tmp_path: Path, damaged: bytes):
    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    kept(store, CONTENT)
    assert isinstance(store.place, Bucket)
    store.place.files.pipe_file(f"{store.place.root}/{address(DIGEST)}", damaged)
    assert not store.put(io.BytesIO(CONTENT)).existed
    assert store.verify(DIGEST) == len(CONTENT)


def test_quarantined_bytes_are_kept_apart(store: Store):
    stored = store.quarantine(store.receive(io.BytesIO(CONTENT)))
    assert stored.sha256 == DIGEST
    assert list(store.walk()) == []
    assert [entry.key for entry in store.place.walk("quarantine")] == [f"quarantine/{DIGEST}"]


def test_a_remote_store_needs_a_local_folder():
    with pytest.raises(ValueError, match="needs a local folder"):
        Store("memory://archive")


def test_remote_content_has_a_verified_local_path_that_is_fetched_once(tmp_path: Path):
    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    kept(store, CONTENT)
    with store.local_path(DIGEST) as path:
        assert path.read_bytes() == CONTENT
    store.remove(DIGEST)
    with store.local_path(DIGEST) as path:
        assert path.read_bytes() == CONTENT


def test_rotten_remote_content_never_becomes_a_local_path(tmp_path: Path):
    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    kept(store, CONTENT)
    assert isinstance(store.place, Bucket)
    store.place.files.pipe_file(f"{store.place.root}/{address(DIGEST)}", CONTENT[::-1])
    with pytest.raises(ChecksumMismatch), store.local_path(DIGEST):
        pass


def test_the_cache_of_remote_content_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(content_store, "CACHE_BYTES", 250)
    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    for number in range(5):
        with store.local_path(kept(store, bytes([number]) * 100)) as path:
            os.utime(path, (number, number))
    assert len(list((tmp_path / "cache").iterdir())) == 2


# Transfers that break.


def test_a_broken_transfer_resumes_at_its_offset(store: Store):
    with store.partial("frame") as part, part.append() as file:
        file.write(CONTENT[:10])
    with store.partial("frame") as part:
        assert part.size == 10
        with part.append() as file:
            file.write(CONTENT[10:])
        store.publish(part.complete(DIGEST))
    assert store.verify(DIGEST) == len(CONTENT)
    assert left_behind(store) == []


def test_a_transfer_of_wrong_bytes_begins_anew(store: Store):
    with store.partial("frame") as part:
        with part.append() as file:
            file.write(b"lies")
        with pytest.raises(ChecksumMismatch):
            part.complete(DIGEST)
    with store.partial("frame") as part:
        assert part.size == 0


def test_a_transfer_has_one_writer_at_a_time(store: Store):
    with store.partial("frame"), pytest.raises(TransferBusy, match="by another process"), store.partial("frame"):
        pass


def test_resuming_never_writes_into_archived_content(folder: Store):
    with folder.partial("frame") as part:
        with part.append() as file:
            file.write(CONTENT)
        folder.publish(part.complete(DIGEST))
    with folder.partial("frame") as part, part.append() as file:
        file.write(b"more")
    assert folder.verify(DIGEST) == len(CONTENT)


@given(st.text(max_size=400))
def test_no_transfer_name_leaves_the_folder(name: str):
    key = incoming._file_key(name)
    assert Path(key).name == key
    assert len(key.encode()) < 100


def _put_many(url: str) -> list[str]:
    store = Store(url)
    return [store.put(io.BytesIO(bytes([number]) * 5000)).sha256 for number in range(40)]


def test_many_writers_of_the_same_content_leave_it_whole(folder: Store):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        answers = pool.map(_put_many, [folder.url] * 4)
    assert all(answer == answers[0] for answer in answers)
    assert [folder.verify(digest) for digest in answers[0]] == [5000] * 40
    assert len(list(folder.walk())) == 40
    assert left_behind(folder) == []


# Full disks.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "small"
    where.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"a small file system needs the right to mount one: {made.stderr.strip()}")
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


def test_a_full_disk_is_told_with_its_figures_and_nothing_is_left(small_disk: Path):
    store = Store(str(small_disk))
    first = kept(store, b"a" * 700_000)
    with pytest.raises(ArchiveFull, match=r"No space left in .*: 0\.\d MiB free"):
        store.put(io.BytesIO(b"b" * 700_000))
    assert left_behind(store) == []
    assert store.verify(first) == 700_000
    assert store.put(io.BytesIO(b"c" * 100_000)).size == 100_000, "there is room again"


def test_a_transfer_that_fills_the_disk_gives_its_space_back(small_disk: Path):
    store = Store(str(small_disk))
    with (
        store.partial("frame") as part,
        pytest.raises(ArchiveFull, match=r"3\.0 MiB needed"),
        part.append(3 * MIB) as file,
    ):
        file.write(b"x" * 3 * MIB)
    assert left_behind(store) == []


def _sentence_of_a_put(url: str) -> str:
    try:
        Store(url).put(io.BytesIO(b"x" * MIB))
    except ArchiveFull as error:
        return str(error)
    return "it was put"


def test_a_file_size_limit_reads_like_a_full_disk(folder: Store):
    assert "No space left" in run_limited(_sentence_of_a_put, folder.url, file_bytes=MIB // 2)
    assert left_behind(folder) == []


# Object stores that are away.


def test_an_object_store_in_trouble_is_worth_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    assert isinstance(store.place, Bucket)

    def refuse(*args: object, **options: object) -> None:
        raise PermissionError("The access key has expired")

    monkeypatch.setattr(store.place.files, "put_file", refuse, raising=False)
    with pytest.raises(Retriable, match="is in trouble: The access key has expired"):
        store.put(io.BytesIO(CONTENT))


def test_an_object_store_that_breaks_while_it_is_read_is_worth_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class BrokenOff(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise RuntimeError("the connection was reset")

    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    kept(store, CONTENT)
    assert isinstance(store.place, Bucket)
    monkeypatch.setattr(store.place.files, "open", lambda path, mode: BrokenOff(), raising=False)
    with pytest.raises(Retriable, match="is in trouble: the connection was reset"):
        store.verify(DIGEST)


def test_an_upload_that_arrives_short_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = Store(f"memory://archive-{uuid.uuid4().hex}", scratch=tmp_path)
    assert isinstance(store.place, Bucket)
    files = store.place.files
    monkeypatch.setattr(files, "put_file", lambda source, path: files.pipe_file(path, b"short"), raising=False)
    with pytest.raises(ArchiveAway, match="but the object store holds 5"):
        store.put(io.BytesIO(CONTENT))
