"""What every page about work has in common: who sees it, what it costs, and that nothing from outside is believed."""

import csv
import json
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dayops import events, runs
from dayops.models import Attempt, LogLine, Run, Task, WorkerProcess
from tests.pages import DAY_URL, FRAGMENT, QUEUE, failed_run, run_url, task_url, text_of
from tests.people import ROLES, client_of
from tests.work import DAY, run_of, task

pytestmark = pytest.mark.django_db


def every_page() -> list[str]:
    run = failed_run()
    bad = run.tasks.get(key="bad")
    return [f"{DAY_URL}runs/", run_url(run), task_url(bad), f"{DAY_URL}workers/", f"{DAY_URL}events/"]


class TestEveryPage:
    @pytest.mark.parametrize("role", ROLES)
    def test_is_for_everyone_who_is_signed_in(self, role):
        client = client_of(role)
        assert [client.get(path).status_code for path in every_page()] == [200] * 5

    def test_sends_others_to_sign_in(self):
        client = client_of("anonymous")
        for path in every_page():
            assert client.get(path)["Location"] == f"/sign-in/?next={path}"

    def test_is_read_by_all_and_operated_by_none_where_reading_is_public(self, settings):
        settings.PUBLIC_READ = True
        client = client_of("anonymous")
        texts = [client.get(path).content.decode() for path in every_page()]
        assert "Sign in to start, retry and abort runs." in texts[1]
        assert not any("formaction" in text or "Traceback" in text for text in texts)

    def test_takes_silly_page_numbers(self):
        for path in every_page():
            for number in ("999999999", "-1", "x", "9" * 40):
                text_of(f"{path}?page={number}&log={number}")

    def test_ignores_filters_and_orders_it_does_not_know(self):
        for path in every_page():
            text_of(f"{path}?phase=NONSENSE&sort=password&level=x&severity=%00&stage=nowhere")

    def test_is_kept_current_by_a_fragment_that_is_sent_only_when_it_changed(self):
        client = client_of("operator")
        for path in every_page():
            fragment = client.get(path, headers=FRAGMENT)
            assert "<html" not in fragment.content.decode()
            if "workers" not in path:  # there ages are counted
                again = client.get(path, headers={**FRAGMENT, "If-None-Match": fragment["ETag"]})
                assert again.status_code == 304, path

    def test_is_exported_as_csv_and_json(self):
        client = client_of()
        for path in every_page():
            rows = csv.reader(StringIO(client.get(f"{path}?format=csv").getvalue().decode()))
            found = json.loads(client.get(f"{path}?format=json").getvalue())
            assert len(list(rows)) == len(found) + 1

    @pytest.mark.parametrize(
        "path", ["runs/7/", "runs/" + "9" * 30 + "/", "runs/x/", "tasks/7/", "tasks/" + "9" * 30 + "/"]
    )
    def test_of_something_that_does_not_exist_is_not_found(self, path):
        response = client_of().get(DAY_URL + path)
        assert response.status_code == 404
        assert "There is nothing at" in response.content.decode()

    def test_of_another_day_is_not_found(self):
        run = run_of(task("one"))
        client = client_of()
        assert client.get(f"/2026-11-21/runs/{run.pk}/").status_code == 404
        assert client.get(f"/2026-11-21/tasks/{run.tasks.get().pk}/").status_code == 404

    def test_shows_what_came_from_outside_as_text(self):
        evil = "<script>alert(1)</script>"
        run = run_of(task(evil, arguments={evil: evil}))
        Run.objects.update(title=evil, error=evil, requested_by=evil, parameters={evil: evil}, subject=evil)
        Task.objects.update(error=evil, message=evil, result={evil: evil}, worker=evil)
        LogLine.objects.create(task=run.tasks.get(), attempt=1, level="INFO", text=evil)
        Attempt.objects.create(task=run.tasks.get(), number=1, worker=evil, host=evil, pid=1, error=evil)
        WorkerProcess.objects.create(name=evil, host=evil, pid=1, queue=evil)
        events.record(evil, evil, actor=evil, day_obs=DAY, reason=evil, subject=f"run:{run.pk}")
        for path in (
            f"{DAY_URL}runs/",
            run_url(run),
            task_url(run.tasks.get()),
            f"{DAY_URL}workers/",
            f"{DAY_URL}events/",
        ):
            text = text_of(path)
            assert "<script>alert" not in text, path
            assert "&lt;script&gt;alert(1)" in text, path

    def test_costs_the_same_however_much_there_is(self):
        client = client_of()

        def queries(path: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            return len(captured)

        paths = every_page()
        LogLine.objects.create(task=Task.objects.get(key="bad"), attempt=1, level="INFO", text="line")
        for path in paths:
            queries(path)
        few = {path: queries(path) for path in paths}
        bad = Task.objects.get(key="bad")
        runs.add_tasks(bad.run, [task(f"more {i}") for i in range(30)])
        for i in range(30):
            run_of(task("one"), key=f"run {i}")
            Attempt.objects.create(task=bad, number=i + 2, worker="w", host="h", pid=i)
            LogLine.objects.create(task=bad, attempt=1, level="INFO", text="line")
            events.record("note", "text", actor="olivia", day_obs=DAY, subject=f"run:{bad.run_id}")
            WorkerProcess.objects.create(name=f"w{i}", host="h", pid=i, queue=QUEUE)
        assert {path: queries(path) for path in paths} == few
        assert max(few.values()) <= 16
