"""The simulated Camera Data System, asked over real HTTP."""

import hashlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command

from dayops.management.commands.camera_data_system import Command
from dayops.simulator.observatory import Observatory
from tests.dayops.simulated import DAY, observatory, programme, serving

ROOT = Path(__file__).parents[2]


def ask(url: str, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_the_listing_has_every_frame_with_its_checksum(tmp_path):
    offered = observatory(tmp_path)
    with serving(offered) as url:
        response, body = ask(url, "/frames")
    frames = json.loads(body)["frames"]
    assert response.status == 200
    assert [(f["name"], f["sha256"]) for f in frames] == [(f.name, f.sha256) for f in offered.frames()]


@pytest.mark.parametrize(("day", "count"), [(DAY, 2), (20261121, 0), ("2026-11-22", 2)])
def test_the_listing_can_be_asked_for_one_day(tmp_path, day, count):
    with serving(observatory(tmp_path)) as url:
        _, body = ask(url, f"/frames?day_obs={day}")
    assert len(json.loads(body)["frames"]) == count


def test_a_day_that_is_none_is_refused_in_words(tmp_path):
    with serving(observatory(tmp_path)) as url:
        response, body = ask(url, "/frames?day_obs=tomorrow")
    assert response.status == 400
    assert json.loads(body)["error"] == "'tomorrow' is not a dayObs: expected YYYY-MM-DD or YYYYMMDD"


def test_a_frame_comes_whole_with_its_checksum_as_etag(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    with serving(offered) as url:
        response, body = ask(url, f"/frames/{frame.name}")
    assert (response.status, response.headers["ETag"]) == (200, f'"{frame.sha256}"')
    assert hashlib.sha256(body).hexdigest() == frame.sha256


def test_a_part_of_a_frame_says_which_part_it_is(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    with serving(offered) as url:
        response, body = ask(url, f"/frames/{frame.name}", Range="bytes=100-199")
    assert (response.status, response.headers["Content-Range"]) == (206, f"bytes 100-199/{frame.size}")
    assert body == (tmp_path / frame.name).read_bytes()[100:200]


def test_a_part_of_another_version_is_answered_with_the_whole(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    with serving(offered) as url:
        response, body = ask(url, f"/frames/{frame.name}", Range="bytes=100-199", If_Range='"something else"')
    assert (response.status, len(body)) == (200, frame.size)


def test_a_part_beyond_the_end_is_refused_with_the_size(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    with serving(offered) as url:
        response, _ = ask(url, f"/frames/{frame.name}", Range=f"bytes={frame.size}-")
    assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{frame.size}")


@pytest.mark.parametrize(
    "path",
    [
        "/frames/../programme-20261122.json",
        "/frames/%2e%2e%2fsecret",
        "/frames/programme-20261122.json",
        "/frames/",
        "/etc",
    ],
)
def test_only_frames_that_are_offered_are_served(tmp_path, path):
    (tmp_path / "secret").write_text("secret")
    with serving(observatory(tmp_path / "frames")) as url:
        response, body = ask(url, path)
    assert response.status == 404
    assert "error" in json.loads(body)


def test_a_frame_that_vanished_from_the_folder_is_gone(tmp_path):
    offered = observatory(tmp_path)
    frame = offered.frames()[0]
    (tmp_path / frame.name).unlink()
    with serving(offered) as url:
        response, body = ask(url, f"/frames/{frame.name}")
    assert response.status == 410
    assert "no longer in the folder" in json.loads(body)["error"]


def test_the_status_tells_how_far_the_day_is(tmp_path):
    with serving(Observatory(tmp_path, programme(2))) as url:
        _, before = ask(url, "/status")
    with serving(observatory(tmp_path, 2)) as url:
        _, after = ask(url, "/status")
    assert [json.loads(body)["taken"] for body in (before, after)] == [0, 2]
    assert [json.loads(body)["finished"] for body in (before, after)] == [False, True]


def test_frames_can_be_fetched_while_others_are_taken(tmp_path):
    offered = Observatory(tmp_path, programme(None))
    taking = threading.Thread(target=offered.take_all, args=(threading.Event(), 0.0))
    with serving(offered) as url:
        taking.start()
        counts = [len(json.loads(ask(url, "/frames")[1])["frames"]) for _ in range(20)]
        taking.join()
        last = len(json.loads(ask(url, "/frames")[1])["frames"])
    assert counts == sorted(counts)
    assert last == 50


def test_one_connection_serves_many_questions(tmp_path):
    with serving(observatory(tmp_path)) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        for _ in range(3):
            connection.request("GET", "/status")
            response = connection.getresponse()
            assert json.loads(response.read())["planned"] == 1
        connection.close()


def test_it_listens_on_loopback_only(tmp_path):
    with serving(observatory(tmp_path)) as url:
        assert urlsplit(url).hostname == "127.0.0.1"


@contextmanager
def running(folder: Path, *options: str):
    """The command in a process of its own, and what it announced."""
    announce = folder / "announce.json"
    announce.unlink(missing_ok=True)
    command = [sys.executable, "manage.py", "camera_data_system", "--folder", str(folder / "frames"), *options]
    process = subprocess.Popen(
        [*command, "--announce", str(announce)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for _ in range(600):
            if announce.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        assert announce.exists(), process.communicate()[0]
        yield process, json.loads(announce.read_text())
    finally:
        process.kill()
        process.communicate()


def until_finished(url: str) -> dict[str, Any]:
    for _ in range(600):
        status: dict[str, Any] = json.loads(ask(url, "/status")[1])
        if status["finished"]:
            return status
        time.sleep(0.05)
    raise AssertionError(f"the day is not over after 30 s: {status}")


def test_the_command_announces_itself_takes_the_plan_and_ends_cleanly_when_told(tmp_path):
    with running(tmp_path, "--exposures", "1", "--cadence", "0", "--day-obs", str(DAY)) as (process, announced):
        assert announced["pid"] == process.pid
        assert until_finished(announced["url"])["frames"] == 9
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "1 of 1 exposures taken" in output


def test_the_command_takes_a_day_with_a_fault(tmp_path):
    options = ("--exposures", "1", "--cadence", "0", "--day-obs", str(DAY), "--fault", "missing-detector")
    with running(tmp_path, *options) as (_, announced):
        status = until_finished(announced["url"])
    assert (status["fault"], status["frames"]) == ("missing-detector", 8)


def test_a_killed_command_goes_on_after_its_last_frame(tmp_path):
    options = ("--exposures", "2", "--cadence", "0", "--day-obs", str(DAY))
    with running(tmp_path, *options) as (process, announced):
        while json.loads(ask(announced["url"], "/status")[1])["frames"] < 3:
            time.sleep(0.02)
        process.kill()
    with running(tmp_path, *options) as (_, announced):
        assert until_finished(announced["url"])["frames"] == 18


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--camera", "polaroid"), "There is no camera 'polaroid'"),
        (("--day-obs", "20261332"), "20261332 is not a dayObs"),
        (("--cadence", "-1"), "'-1' is not a number of seconds"),
        (("--begin", "noon"), "'noon' is not an instant"),
        (("--seed", "x"), "'x' is not a whole number"),
        (("--misbehave", "badly"), "invalid choice: 'badly'"),
        (("--fault", "gremlins"), "There is no fault 'gremlins': expected one of light-in-a-bias, light-in-a-dark"),
    ],
)
def test_the_command_refuses_nonsense_in_words(tmp_path, options, sentence):
    with pytest.raises(CommandError) as refused:
        call_command(Command(), "--folder", str(tmp_path), *options)
    assert sentence in str(refused.value)


def test_the_command_says_when_its_port_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(CommandError, match=r"cannot start: .*Address already in use"):
            call_command(Command(), "--folder", str(tmp_path), "--port", port)
