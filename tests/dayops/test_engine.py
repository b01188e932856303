"""The engine on a real PostgreSQL: who may take a task, who may commit it, and how it ends."""

import time

import pytest
from django.db import DatabaseError, connection
from pytest_django import Settings as SettingsWrapper

from dayops import runs, scheduler
from dayops.engine import Superseded, Work, claim, keeper, perform, work_off
from dayops.engine.claim import unlock
from dayops.models import Attempt, Event, LogLine, Phase, Run, Task
from tests.work import another_session, run_of, task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "alert-production"


def take(worker: str = "tester") -> Work:
    work = claim(QUEUE, worker)
    assert work is not None
    return work


def work_all() -> int:
    return work_off(QUEUE, "tester")


def let_pauses_pass() -> None:
    Task.objects.update(not_before="2020-01-01T00:00Z")


def test_a_task_is_done_and_its_run_completes() -> None:
    run = run_of(task("one", arguments={"n": 3}))
    assert work_all() == 1
    run.refresh_from_db()
    done = run.tasks.get()
    assert (run.phase, done.phase, done.result, done.attempt) == (Phase.COMPLETED, Phase.COMPLETED, {"n": 3}, 1)
    assert run.started_at and run.ended_at and done.lease_until is None


def test_the_attempt_says_who_did_it_and_with_which_code() -> None:
    run_of(task("one"))
    work_all()
    attempt = Attempt.objects.get()
    assert attempt.outcome == "COMPLETED"
    assert attempt.worker == "tester"
    assert (attempt.max_rss_mib or 0) > 10
    assert attempt.code_version.startswith("0.")


def test_asking_twice_for_the_same_key_gives_the_same_run() -> None:
    first = run_of(task("one"), key="same")
    second = run_of(task("one"), task("two"), key="same")
    assert first.pk == second.pk
    assert Task.objects.count() == 1


def test_a_stage_opens_only_when_the_one_before_is_complete() -> None:
    run = run_of(task("b", stage="bias"), task("d", stage="dark"), stages=("bias", "dark"))
    assert list(run.tasks.order_by("id").values_list("phase", flat=True)) == [Phase.QUEUED, Phase.PENDING]
    perform(take())
    assert run.tasks.get(key="d").phase == Phase.QUEUED
    assert work_all() == 1
    assert Run.objects.get().phase == Phase.COMPLETED


def test_a_failed_stage_holds_the_next_one_back_and_ends_the_run() -> None:
    run = run_of(
        task("bad", "tests.refuse", stage="bias"),
        task("good", stage="bias"),
        task("d", stage="dark"),
        stages=("bias", "dark"),
    )
    work_all()
    run.refresh_from_db()
    assert run.phase == Phase.ERROR
    assert "15 amplifiers" in run.error
    assert run.tasks.get(key="good").phase == Phase.COMPLETED
    assert run.tasks.get(key="d").phase == Phase.PENDING


def test_bad_input_is_not_tried_again() -> None:
    run_of(task("bad", "tests.refuse"))
    work_all()
    bad = Task.objects.get()
    assert (bad.phase, bad.attempt, bad.error_class) == (Phase.ERROR, 1, "BadInput")
    assert bad.error == "frame 7 has 15 amplifiers where 16 were expected"


def test_something_away_is_tried_again_without_using_up_attempts() -> None:
    run_of(task("away", "tests.be_away", max_attempts=2))
    for _ in range(4):
        let_pauses_pass()
        assert work_all() == 1
    away = Task.objects.get()
    assert away.phase == Phase.QUEUED
    assert away.max_attempts - away.attempt >= 1


def test_a_retry_waits_for_its_pause() -> None:
    run_of(task("away", "tests.be_away"))
    assert work_all() == 1
    assert work_all() == 0


def test_a_bug_is_tried_as_often_as_allowed_and_then_left_to_a_person() -> None:
    run_of(task("bug", "tests.crash", max_attempts=3))
    for _ in range(5):
        let_pauses_pass()
        work_all()
    bug = Task.objects.get()
    assert (bug.phase, bug.attempt, bug.error) == (Phase.ERROR, 3, "a bug")
    assert "ZeroDivisionError" in bug.attempts.get(number=3).error
    assert Event.objects.filter(kind="run.error", severity="ALARM").count() == 1


def test_a_function_that_forgets_to_commit_is_an_error() -> None:
    run_of(task("forgetful", "tests.forget", max_attempts=1))
    work_all()
    assert "without committing" in Task.objects.get().error


def test_a_function_that_is_not_on_the_allow_list_is_refused() -> None:
    run_of(task("evil", "os.system", arguments={"command": "true"}))
    work_all()
    assert "'os.system' is not a job function" in Task.objects.get().error


def test_higher_priority_goes_first_then_age() -> None:
    run_of(task("late"), task("later"), task("urgent", priority=5))
    order = []
    while work := claim(QUEUE, "tester"):
        order.append(Task.objects.get(pk=work.task_id).key)
        perform(work)
    assert order == ["urgent", "late", "later"]


def test_a_worker_takes_nothing_from_another_queue() -> None:
    run_of(task("far", queue="archive-center"))
    assert claim(QUEUE, "tester") is None
    assert claim("archive-center", "tester") is not None


def test_a_superseded_attempt_commits_nothing() -> None:
    run_of(task("one"))
    stalled = take("stalled")
    unlock(stalled.task_id)  # as PostgreSQL does when the holder's session dies
    assert scheduler.recover() == 1
    newer = take("newer")
    with pytest.raises(Superseded), stalled.commit() as result:
        result["by"] = "stalled"
    with pytest.raises(Superseded):
        stalled.progress(0.5)
    perform(newer)
    done = Task.objects.get()
    assert (done.phase, done.attempt, done.result) == (Phase.COMPLETED, 2, {})
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["LOST", "COMPLETED"]


def test_a_living_holder_is_left_alone() -> None:
    run_of(task("one"))
    claim(QUEUE, "alive")
    assert scheduler.recover() == 0
    assert Task.objects.get().phase == Phase.EXECUTING


def test_a_lapsed_lease_is_given_back_and_told() -> None:
    run_of(task("one"))
    work = take("stalled")
    Task.objects.update(lease_until="2020-01-01T00:00Z")
    unlock(work.task_id)
    assert scheduler.recover() == 1
    assert Task.objects.get().phase == Phase.QUEUED
    assert "stalled" in Event.objects.get(kind="task.lost").text


def test_a_task_that_kills_every_worker_ends_in_error() -> None:
    run_of(task("poison", max_attempts=2))
    for _ in range(2):
        work = take("victim")
        unlock(work.task_id)
        scheduler.recover()
    poison = Task.objects.get()
    assert (poison.phase, poison.error_class) == (Phase.ERROR, "WorkerLost")
    assert Run.objects.get().phase == Phase.ERROR


def test_a_held_lock_sends_the_claimer_to_the_next_task() -> None:
    run_of(task("held"), task("free"))
    held = Task.objects.get(key="held")
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [0x0DA7, held.pk])
        assert take().task_id == Task.objects.get(key="free").pk


def test_aborting_takes_the_task_from_its_worker() -> None:
    run = run_of(task("one"), task("two"))
    work = take()
    runs.abort(run.pk, actor="olivia", reason="wrong filter")
    with pytest.raises(Superseded), work.commit():
        pass
    unlock(work.task_id)
    assert set(run.tasks.values_list("phase", flat=True)) == {Phase.ABORTED}
    told = Event.objects.get(kind="run.aborted")
    assert (told.actor, told.reason) == ("olivia", "wrong filter")
    assert Attempt.objects.get().outcome == "ABORTED"


def test_nothing_is_changed_without_a_reason() -> None:
    run = run_of(task("one"))
    with pytest.raises(runs.NotPossible, match="reason"):
        runs.abort(run.pk, actor="olivia", reason="  ")
    assert Run.objects.get().phase == Phase.QUEUED


def test_a_retry_repeats_only_what_failed() -> None:
    run = run_of(task("bad", "tests.refuse"), task("good"))
    work_all()
    Task.objects.filter(key="bad").update(function="tests.succeed")
    assert runs.retry(run.pk, actor="olivia", reason="fixed the header") == 1
    assert work_all() == 1
    assert Run.objects.get().phase == Phase.COMPLETED
    assert Task.objects.get(key="good").attempt == 1


def test_a_completed_run_cannot_be_retried_but_can_be_run_again() -> None:
    run = run_of(task("one"))
    work_all()
    with pytest.raises(runs.NotPossible, match="COMPLETED"):
        runs.retry(run.pk, actor="olivia", reason="once more")
    runs.rerun(run.pk, actor="olivia", reason="new code")
    assert work_all() == 1
    assert Task.objects.get().attempt == 2


def test_a_task_that_waits_again_shows_nothing_of_its_last_attempt() -> None:
    run = run_of(task("one"))
    work_all()
    runs.rerun(run.pk, actor="olivia", reason="new code")
    runs.abort(run.pk, actor="olivia", reason="not now")
    again = Task.objects.get()
    assert (again.phase, again.worker, again.started_at) == (Phase.ABORTED, "", None)
    assert Attempt.objects.get().worker


def test_a_live_run_cannot_be_run_again() -> None:
    run = run_of(task("one"))
    with pytest.raises(runs.NotPossible, match="QUEUED"):
        runs.rerun(run.pk, actor="olivia", reason="impatient")


def test_new_tasks_open_an_ended_run_again() -> None:
    run = run_of(task("one"))
    work_all()
    assert runs.add_tasks(run, [task("one"), task("late")]) == 1
    assert Run.objects.get().phase == Phase.EXECUTING
    work_all()
    assert Run.objects.get().phase == Phase.COMPLETED


def test_a_late_task_of_an_earlier_stage_holds_the_later_stages_back() -> None:
    run = run_of(task("b", stage="bias"), task("d", stage="dark"), task("e", stage="dark"), stages=("bias", "dark"))
    perform(take())
    dark = take()
    runs.add_tasks(run, [task("late", stage="bias")])
    assert dict(run.tasks.values_list("key", "phase")) == {
        "b": Phase.COMPLETED,
        "late": Phase.QUEUED,
        "d": Phase.EXECUTING,  # what executes already goes on
        "e": Phase.PENDING,
    }
    perform(dark)
    assert work_all() == 2
    assert Run.objects.get().phase == Phase.COMPLETED


def test_a_run_is_not_over_while_one_of_its_tasks_executes() -> None:
    run = run_of(task("b", stage="bias"), task("d", stage="dark"), stages=("bias", "dark"))
    perform(take())
    dark = take()
    runs.add_tasks(run, [task("late", "tests.refuse", stage="bias")])
    perform(take())
    assert Run.objects.get().phase == Phase.EXECUTING
    perform(dark)
    assert Run.objects.get().phase == Phase.ERROR


def test_an_aborted_run_takes_no_new_tasks() -> None:
    run = run_of(task("one"))
    runs.abort(run.pk, actor="olivia", reason="enough")
    with pytest.raises(runs.NotPossible, match="aborted"):
        runs.add_tasks(run, [task("two")])


def test_a_message_that_postgresql_cannot_keep_still_ends_the_task_with_its_sentence() -> None:
    run_of(task("odd", "tests.refuse_oddly"))
    work_all()
    odd = Task.objects.get()
    assert (odd.phase, odd.attempt, odd.error_class) == (Phase.ERROR, 1, "BadInput")
    assert odd.error == "header 'a\N{REPLACEMENT CHARACTER}b' of file ?.fits is wrong"


def test_running_out_of_memory_says_how_much_there_was() -> None:
    run_of(task("large", "tests.run_out_of_memory", max_attempts=1))
    work_all()
    assert "may use 8 GiB: DAYOPS_HORSE_MEMORY_GIB" in Task.objects.get().error


def test_a_holder_that_freezes_inside_its_commit_is_made_to_let_go(settings: SettingsWrapper) -> None:
    settings.LEASE_S = 0.2
    connection.close()  # the next session promises what the settings say
    run_of(task("frozen"))
    work = take()
    with pytest.raises(DatabaseError), work.commit():
        LogLine.objects.create(task_id=work.task_id, attempt=work.attempt, text="what it would leave behind")
        time.sleep(1.0)
    connection.close()
    assert scheduler.recover() == 1
    assert Task.objects.get().phase == Phase.QUEUED
    assert not LogLine.objects.exists()
    connection.close()


def test_a_run_that_somebody_holds_does_not_keep_the_tick_from_the_others() -> None:
    held, free = run_of(task("held")), run_of(task("free"))
    for _ in range(2):
        unlock(take("dead").task_id)
    with another_session() as other, other.transaction():
        other.execute("SELECT FROM dayops_run WHERE id = %s FOR UPDATE", [held.pk])
        assert scheduler.recover() == 1
    assert free.tasks.get().phase == Phase.QUEUED
    assert scheduler.recover() == 1


def test_a_keeper_that_finds_its_task_committed_lets_the_process_live(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    settings.LEASE_S = 0.3
    run_of(task("slow to return", "tests.linger", arguments={"seconds": 0.5}))
    work_all()
    assert Task.objects.get().phase == Phase.COMPLETED
    assert exits == []


def test_a_keeper_ends_the_process_of_an_aborted_task(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    settings.LEASE_S = 0.3
    run = run_of(task("one"))
    work = take()
    runs.abort(run.pk, actor="olivia", reason="wrong filter")
    kept = keeper.Keeper(work, lambda: None)
    kept.start()
    time.sleep(0.5)
    kept.stop()
    assert keeper.SUPERSEDED_EXIT in exits


def test_a_task_that_takes_too_long_is_ended_and_told(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    settings.LEASE_S = 0.3
    run_of(task("long", "tests.linger_before", arguments={"seconds": 1.5}, timeout_s=1, max_attempts=1))
    with pytest.raises(Superseded):
        work_all()
    assert exits
    late = Task.objects.get()
    assert (late.phase, late.error_class) == (Phase.ERROR, "TimeoutError")
    assert late.error == "tests.linger_before took longer than its 1 s and was ended."
