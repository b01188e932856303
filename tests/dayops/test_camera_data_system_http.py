"""The HTTP client against honest and dishonest servers."""

import errno
import hashlib
import io
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.camera_data_system import (
    BadOffer,
    CameraDataSystemAway,
    FolderCameraDataSystem,
    HttpCameraDataSystem,
    Timeouts,
)
from dayops.camera_data_system.offers import read_offer
from dayops.simulator.misbehaviour import Dripping, Dying, Failing, Garbling, Hanging, Lying, Redirecting, Stammering
from tests.dayops.simulated import DAY, observatory, serving
from tests.dayops.simulated import listing_entry as entry

IMPATIENT = Timeouts(connect_s=0.5, read_s=0.5, total_s=1.0)


def client(url: str, timeouts: Timeouts = IMPATIENT) -> HttpCameraDataSystem:
    return HttpCameraDataSystem(url, timeouts)


def fetched(source, frame, offset: int = 0) -> bytes:
    into = io.BytesIO()
    source.fetch(frame, into, offset)
    return into.getvalue()


def test_every_offered_frame_is_listed_and_fetched_with_its_checksum(tmp_path):
    offered = observatory(tmp_path, exposures=2)
    with serving(offered) as url:
        listed = client(url).listing().frames
        assert listed == offered.frames()
        for frame in listed:
            assert hashlib.sha256(fetched(client(url), frame)).hexdigest() == frame.sha256


def test_one_day_can_be_listed(tmp_path):
    with serving(observatory(tmp_path)) as url:
        assert (len(client(url).listing(DAY).frames), len(client(url).listing(20261121).frames)) == (2, 0)


def test_a_fetch_resumes_from_any_byte(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    content = (tmp_path / frame.name).read_bytes()
    with serving(offered) as url:

        @settings(max_examples=40, deadline=None)
        @given(st.integers(0, frame.size))
        def check(offset):
            assert fetched(client(url), frame, offset) == content[offset:]

        check()


def test_a_server_that_dies_half_way_is_away_and_the_fetch_resumes(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    into = io.BytesIO()
    with serving(offered, Dying) as url, pytest.raises(CameraDataSystemAway, match=rf"of {frame.size} bytes are here"):
        client(url).fetch(frame, into)
    assert 0 < into.tell() < frame.size
    with serving(offered) as url:
        client(url).fetch(frame, into, into.tell())
    assert hashlib.sha256(into.getvalue()).hexdigest() == frame.sha256


def test_a_hanging_server_is_away_after_the_read_timeout(tmp_path):
    with (
        serving(observatory(tmp_path), Hanging) as url,
        pytest.raises(CameraDataSystemAway, match=r"hung: nothing of its listing came within 0\.5 s"),
    ):
        client(url).listing()


def test_a_dripping_server_is_away_after_the_total_timeout(tmp_path):
    offered = observatory(tmp_path)
    with serving(offered, Dripping) as url, pytest.raises(CameraDataSystemAway, match=r"too slow: .* took over 1 s"):
        client(url).fetch(offered.frames()[0], io.BytesIO())


def test_a_server_that_drips_its_head_is_away_after_the_total_timeout(tmp_path):
    with serving(observatory(tmp_path), Stammering) as url, pytest.raises(CameraDataSystemAway, match="too slow"):
        client(url).listing()


def test_a_listing_that_breaks_off_is_away_rather_than_garbled():
    with (
        answering(200, b'{"frames": [', Content_Length="500") as url,
        pytest.raises(CameraDataSystemAway, match="broke"),
    ):
        client(url).listing()


def test_a_listing_nested_without_end_is_refused():
    with answering(200, b"[" * 100_000) as url, pytest.raises(BadOffer, match="not JSON"):
        client(url).listing()


def test_an_answer_that_is_not_http_is_away():
    def greet() -> None:
        with odd.accept()[0] as connection:
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")

    with socket.create_server(("127.0.0.1", 0)) as odd:
        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(CameraDataSystemAway, match="SSH-2"):
            client(f"http://127.0.0.1:{odd.getsockname()[1]}").listing()


def test_a_server_that_is_not_there_is_away():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(CameraDataSystemAway, match="cannot be reached"):
        client(url).listing()


def test_a_liar_s_bytes_arrive_for_the_archive_to_compare(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    with serving(offered, Lying) as url:
        content = fetched(client(url), frame)
    assert len(content) == frame.size
    assert hashlib.sha256(content).hexdigest() != frame.sha256


def test_redirects_are_not_followed(tmp_path):
    offered = observatory(tmp_path)
    with serving(offered, Redirecting) as url:
        with pytest.raises(BadOffer, match="redirects are not followed"):
            client(url).listing()
        with pytest.raises(BadOffer, match="redirects are not followed"):
            client(url).fetch(offered.frames()[0], io.BytesIO())


def test_a_listing_that_is_not_json_is_refused_with_its_beginning(tmp_path):
    with serving(observatory(tmp_path), Garbling) as url, pytest.raises(BadOffer, match="not JSON: b'<html>Welcome"):
        client(url).listing()


def test_a_server_in_trouble_is_away(tmp_path):
    with serving(observatory(tmp_path), Failing) as url, pytest.raises(CameraDataSystemAway, match="HTTP 500"):
        client(url).listing()


def test_a_frame_that_is_gone_is_a_bad_offer(tmp_path):
    with serving(observatory(tmp_path)) as url, pytest.raises(BadOffer, match="HTTP 404 instead of MC_S"):
        client(url).fetch(read_offer(entry(name="MC_S_20261122_000099_R22_S00.fits")), io.BytesIO())


def test_a_full_disk_of_ours_is_not_blamed_on_the_server(tmp_path):
    class FullDisk(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    offered = observatory(tmp_path)
    for source in (None, FolderCameraDataSystem(str(tmp_path))):
        with serving(offered) as url, pytest.raises(OSError, match="No space left") as raised:
            (source or client(url)).fetch(offered.frames()[0], FullDisk())
        assert raised.value.errno == errno.ENOSPC


@contextmanager
def answering(status: int, body: bytes, **headers: str):
    """A server that gives everyone the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_more_bytes_than_offered_are_refused_and_not_written():
    into = io.BytesIO()
    with answering(200, b"x" * 10_000) as url, pytest.raises(BadOffer, match=r"sends more of .* than the 2880 bytes"):
        client(url).fetch(read_offer(entry()), into)
    assert into.tell() <= 2880


def test_a_server_that_does_not_resume_is_refused_rather_than_spliced():
    into = io.BytesIO()
    with answering(200, b"x" * 2880) as url, pytest.raises(BadOffer, match="HTTP 200 instead of"):
        client(url).fetch(read_offer(entry()), into, offset=100)
    assert into.tell() == 0


def test_a_part_other_than_the_one_asked_for_is_refused():
    wrong = answering(206, b"x" * 2780, Content_Range="bytes 0-2779/2880")
    with wrong as url, pytest.raises(BadOffer, match="does not resume"):
        client(url).fetch(read_offer(entry()), io.BytesIO(), offset=100)


def test_a_frame_that_ends_early_without_a_length_is_away():
    with answering(200, b"x" * 100) as url, pytest.raises(CameraDataSystemAway, match="100 of 2880 bytes are here"):
        client(url).fetch(read_offer(entry()), io.BytesIO())


def test_a_listing_of_5000_frames_is_read():
    frames = [entry(name=f"MC_S_20261122_{n:06d}_R22_S00.fits", seq_num=n) for n in range(5000)]
    with answering(200, json.dumps({"frames": frames}).encode()) as url:
        assert len(client(url, Timeouts()).listing().frames) == 5000
