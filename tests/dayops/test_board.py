"""The day board: its answer, its lanes, the latest safe start, and what it costs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dayops import events
from dayops.activities import Activity, Lane
from dayops.models import Phase, Run, Severity, WorkerProcess
from dayops.observing_day import ObservingDay
from dayops.web.work_pages.answer import NOT_KNOWN, answer
from dayops.web.work_pages.lanes import DayLane
from dayops.web.work_pages.safe_start import SafeStart, median_durations, safe_start
from tests.people import ROLES, client_of
from tests.work import DAY, run_of, task

NOON = datetime(2026, 11, 22, 16, tzinfo=UTC)
DEADLINE = NOON + timedelta(hours=4)
BOARD = "/2026-11-22/"


def activity(key: str = "calib") -> Activity:
    return Activity(
        key, key.capitalize(), 1, "alert-production", "by four", lambda day: DEADLINE, lambda day: Lane("NONE", "")
    )


def day_lane(
    key: str = "calib", state: str = "NONE", now: datetime = NOON, start: datetime | None = None, **lane
) -> DayLane:
    return DayLane(activity(key), Lane(state, "a sentence", **lane), DEADLINE, SafeStart(start, ""), now)


def completed_run(minutes: float, day_obs: int = DAY, activity: str = "calib") -> Run:
    ended = datetime(2026, 11, 22, 15, tzinfo=UTC)
    return Run.objects.create(
        activity=activity,
        key=f"{activity}:{day_obs}:{minutes}",
        title="done",
        day_obs=day_obs,
        phase=Phase.COMPLETED,
        started_at=ended - timedelta(minutes=minutes),
        ended_at=ended,
    )


def page(path: str = BOARD, role: str = "observer", **headers: str) -> str:
    response = client_of(role).get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


class TestTheAnswer:
    def test_is_not_known_until_the_smoke_test_has_run(self):
        found = answer([day_lane("calib", "OK"), day_lane("smoketest")])
        assert (found.word, found.sentence) == (NOT_KNOWN, "The smoke test has not run.")

    def test_is_not_known_while_the_smoke_test_runs(self):
        assert answer([day_lane("smoketest", "EXECUTING")]).word == NOT_KNOWN

    @pytest.mark.parametrize(("verdict", "look"), [("GO", "ok"), ("GO WITH LIMITS", "warn"), ("NO-GO", "error")])
    def test_is_the_verdict_of_the_smoke_test(self, verdict, look):
        found = answer([day_lane("smoketest", verdict)])
        assert (found.word, found.look) == (verdict, look)

    def test_is_never_taken_from_another_activity(self):
        assert answer([day_lane("calib", "GO"), day_lane("smoketest")]).word == NOT_KNOWN

    def test_names_the_lanes_that_are_blocked(self):
        blocked = day_lane("calib", "ERROR", blocked_by="2 runs failed")
        assert answer([blocked, day_lane("smoketest")]).blocked == (blocked,)


class TestLatestSafeStart:
    def test_is_the_deadline_less_the_median_for_each_unit_left(self):
        lane = Lane("EXECUTING", "", done=15, expected=25)
        found = safe_start(activity(), lane, DEADLINE, {"calib": timedelta(minutes=3)})
        assert found.at == DEADLINE - timedelta(minutes=30)
        assert "× 10 left" in found.sentence

    def test_counts_one_run_where_nothing_is_counted(self):
        found = safe_start(activity(), Lane("NONE", ""), DEADLINE, {"calib": timedelta(minutes=3)})
        assert found.at == DEADLINE - timedelta(minutes=3)

    def test_says_so_where_nothing_was_measured(self):
        found = safe_start(activity(), Lane("NONE", ""), DEADLINE, {"mops": timedelta(minutes=3)})
        assert found.at is None
        assert "not measured yet" in found.sentence

    def test_is_none_where_nothing_is_left(self):
        found = safe_start(activity(), Lane("OK", "", done=25, expected=25), DEADLINE, {})
        assert found == SafeStart(None, "nothing is left to start")

    def test_is_left_to_an_activity_that_knows_better(self):
        lane = Lane("NONE", "", latest_safe_start=NOON)
        assert safe_start(activity(), lane, DEADLINE, {"calib": timedelta(hours=1)}).at == NOON


@pytest.mark.parametrize(
    ("now", "done", "too_late", "late"),
    [
        (DEADLINE - timedelta(hours=2), 3, False, False),
        (DEADLINE - timedelta(minutes=30), 3, True, False),
        (DEADLINE + timedelta(minutes=1), 3, False, True),
        (DEADLINE + timedelta(minutes=1), 25, False, False),
    ],
)
def test_a_lane_is_late_only_while_something_expected_is_missing(now, done, too_late, late):
    lane = day_lane(now=now, start=DEADLINE - timedelta(hours=1), done=done, expected=25)
    assert (lane.starts_too_late, lane.is_late) == (too_late, late)


def test_a_lane_without_expectations_is_never_late():
    assert not day_lane(now=DEADLINE + timedelta(days=1)).is_late


@pytest.mark.django_db
class TestMedianDurations:
    day = ObservingDay(DAY)

    def test_are_of_completed_runs_by_activity(self):
        for minutes in (2, 3, 10):
            completed_run(minutes)
        completed_run(7, activity="mops")
        run_of(task("unfinished"))
        assert median_durations(self.day) == {"calib": timedelta(minutes=3), "mops": timedelta(minutes=7)}

    @pytest.mark.parametrize(("day_obs", "counts"), [(20261024, True), (20261023, False), (20261123, False)])
    def test_are_of_the_thirty_days_that_end_with_the_day(self, day_obs, counts):
        completed_run(5, day_obs=day_obs)
        assert bool(median_durations(self.day)) is counts


@pytest.mark.django_db
class TestTheBoard:
    def test_answers_honestly_on_an_empty_day(self):
        text = page("/2031-01-05/")
        assert NOT_KNOWN in text
        assert "The smoke test has not run." in text
        assert "Nothing has happened on this day" in text
        assert 'GO"' not in text

    def test_shows_all_six_lanes(self):
        text = page()
        for key in ("calib", "products", "mops", "precovery", "smoketest", "maintenance"):
            assert f'id="lane-{key}"' in text

    def test_says_what_blocks_and_leads_to_the_remedy(self):
        run_of(task("one"))
        Run.objects.update(phase=Phase.ERROR, ended_at=NOON, error="no")
        text = page()
        assert f'href="{BOARD}runs/?phase=ERROR"' in text

    def test_shows_alarms_with_a_link_to_their_run(self):
        run = run_of(task("one"))
        events.record(
            "run.error", "It broke", actor="engine", day_obs=DAY, severity=Severity.ALARM, subject=f"run:{run.pk}"
        )
        assert f'<a href="{BOARD}runs/{run.pk}/">It broke</a>' in page()

    def test_shows_what_came_from_outside_as_text(self):
        events.record("frame.refused", "<script>alert(1)</script>", actor="<b>", day_obs=DAY)
        text = page()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text

    def test_counts_living_workers_and_waiting_tasks(self):
        WorkerProcess.objects.create(name="w1", host="h", pid=1, queue="alert-production")
        run_of(task("one"), task("two"))
        text = page()
        assert 'title="At least one worker serves alert-production."' in text
        assert "No worker serves archive-center" in text

    def test_is_kept_current_by_a_fragment_that_is_sent_only_when_it_changed(self):
        client = client_of("observer")
        fragment = client.get(BOARD, headers={"X-DayOps-Fragment": "1"})
        assert "<html" not in fragment.content.decode()
        again = {"X-DayOps-Fragment": "1", "If-None-Match": fragment["ETag"]}
        assert client.get(BOARD, headers=again).status_code == 304
        events.record("note", "Something happened", actor="olivia", day_obs=DAY)
        assert client.get(BOARD, headers=again).status_code == 200

    def test_hides_its_frame_on_a_wall_display(self):
        assert 'class="kiosk ' in page(f"{BOARD}?kiosk=1")

    def test_of_today_is_reloaded_on_a_wall_display_when_the_day_ends(self):
        today = f"/{ObservingDay.current()}/?kiosk=1"
        assert 'http-equiv="refresh"' in page(today)
        assert 'http-equiv="refresh"' not in page("/2020-01-01/?kiosk=1")

    def test_costs_the_same_however_much_has_happened(self):
        client = client_of("observer")

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(BOARD).status_code == 200
            return len(captured)

        run_of(task("one"))
        queries()
        few = queries()
        for i in range(30):
            run_of(*(task(f"t{j}") for j in range(5)))
            completed_run(i + 1)
            events.record(
                "note", f"event {i}", actor="olivia", day_obs=DAY, severity=Severity.ALARM, subject=f"run:{i}"
            )
            WorkerProcess.objects.create(name=f"w{i}", host="h", pid=i, queue="alert-production")
        assert queries() == few <= 30

    def test_is_where_the_site_begins(self):
        response = client_of("observer").get("/?kiosk=1")
        assert response.status_code == 302
        assert response["Location"] == f"/{ObservingDay.current()}/?kiosk=1"

    @pytest.mark.parametrize(
        ("day", "question"),
        [
            ("2020-01-01", "Could we observe in the night of 2020-01-01?"),
            ("2090-01-01", "Can we observe in the night of"),
        ],
    )
    def test_asks_about_the_night_that_follows_its_day(self, day, question):
        assert question in page(f"/{day}/")
        assert "Can we observe tonight?" in page(f"/{ObservingDay.current()}/")

    @pytest.mark.parametrize("role", ROLES)
    def test_is_for_everyone_who_is_signed_in(self, role):
        assert "we observe" in page(role=role)

    def test_sends_others_to_sign_in(self):
        response = client_of("anonymous").get(BOARD)
        assert response.status_code == 302
        assert response["Location"] == "/sign-in/?next=/2026-11-22/"

    @pytest.mark.parametrize("day", ["2026-02-30", "1926-01-01", "26-1-1", "2026-11-22x"])
    def test_of_a_day_that_does_not_exist_is_not_found(self, day):
        response = client_of("observer").get(f"/{day}/")
        assert response.status_code == 404
        assert "dayObs" in response.content.decode()

    def test_takes_no_post(self):
        assert client_of("maintainer").post(BOARD).status_code == 405
