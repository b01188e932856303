"""One task: its attempts, its log, what went in and came out."""

import pytest

from dayops.engine import claim, work_off
from dayops.engine.claim import unlock
from dayops.models import LogLine, Task
from dayops.web.work_pages.task import sentence_of
from tests.pages import QUEUE, TRACEBACK, failed_run, task_url, text_of
from tests.people import client_of
from tests.work import run_of, task

pytestmark = pytest.mark.django_db


class TestTheTaskPage:
    def test_shows_attempts_arguments_and_result(self):
        run = run_of(task("one", arguments={"frame": 31}))
        work_off(QUEUE, "worker-7")
        text = text_of(task_url(run.tasks.get()))
        assert "worker-7" in text
        assert "<dt>frame</dt><dd>31</dd>" in text

    def test_shows_a_traceback_to_maintainers_only(self):
        row = failed_run(TRACEBACK).tasks.get(key="bad")
        assert "Traceback" in text_of(task_url(row), "maintainer")
        for role in ("observer", "operator", "scientist"):
            text = text_of(task_url(row), role)
            assert "Traceback" not in text and "File &quot;" not in text
            assert "ZeroDivisionError: a bug" in text

    def test_exports_no_traceback_either(self):
        row = failed_run(TRACEBACK).tasks.get(key="bad")
        exported = client_of("operator").get(f"{task_url(row)}?format=json").getvalue().decode()
        assert "ZeroDivisionError: a bug" in exported
        assert "Traceback" not in exported

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            ("", ""),
            ("two\nlines for a person", "two\nlines for a person"),
            ('Traceback:\n  File "a.py", line 1\n    x\nValueError: no\n', "ValueError: no"),
        ],
    )
    def test_keeps_of_a_traceback_its_last_line(self, error, sentence):
        assert sentence_of(error) == sentence

    def test_filters_the_log_by_level(self):
        row = run_of(task("one")).tasks.get()
        for level, text in [("INFO", "all is well"), ("WARNING", "overscan slopes")]:
            LogLine.objects.create(task=row, attempt=1, level=level, text=text)
        assert "all is well" in text_of(task_url(row))
        warnings = text_of(f"{task_url(row)}?level=WARNING")
        assert "overscan slopes" in warnings and "all is well" not in warnings

    def test_links_to_each_log_line_on_its_page_for_ever(self):
        row = run_of(task("one")).tasks.get()
        lines = LogLine.objects.bulk_create(
            LogLine(task=row, attempt=1, level="INFO", text=f"line {i}") for i in range(501)
        )
        newest, first = lines[-1].pk, lines[0].pk
        assert f'href="?log=2#line-{newest}"' in text_of(task_url(row))
        assert f'id="line-{first}"' in text_of(f"{task_url(row)}?log=1")

    def test_shows_the_lease_of_a_task_in_hand_and_the_next_try_of_a_waiting_one(self):
        row = run_of(task("one")).tasks.get()
        assert "First try" in text_of(task_url(row))
        work = claim(QUEUE, "tester")
        assert work is not None
        try:
            assert "Lease until" in text_of(task_url(row))
        finally:
            unlock(work.task_id)

    def test_shows_checksums_of_files(self):
        row = run_of(task("one")).tasks.get()
        Task.objects.update(inputs=["ab" * 32], outputs=["cd" * 32])
        text = text_of(task_url(row))
        assert "ab" * 32 in text and "cd" * 32 in text
