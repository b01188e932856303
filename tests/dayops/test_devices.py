"""Devices on a real PostgreSQL: what they obey, what they refuse, what they write down, and what becomes of jobs."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from dayops import events, notes, runs
from dayops.alarms import still_open
from dayops.devices import commands, heart, jobs, kinds, registry
from dayops.devices.changes import lock_out
from dayops.devices.commands import OtherCommand, submit
from dayops.devices.reading import device_as_json, events_after, newest_event, read
from dayops.devices.registry import UnknownDevice
from dayops.devices.states import RULES, State
from dayops.engine import claim, work_off
from dayops.models import Command, Device, Event, Phase, Run, Task
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.scheduler import recover
from tests.dayops.devices import BENCH, QUEUE, a_while_ago, acks, bench, brought_to, command, served, state_of, told

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = {"pipeline": "tests.succeed"}


@pytest.fixture(autouse=True)
def _bench() -> Iterator[None]:
    with bench():
        yield


def silent_for(seconds: float) -> None:
    Device.objects.update(heartbeat_at=F("heartbeat_at") - timedelta(seconds=seconds))


def a_job(**parameters: Any) -> Command:
    brought_to(State.ENABLED)
    return command("execute", **{**GOOD, **parameters})


def again(given: Command) -> Command:
    return Command.objects.select_related("device", "run").get(pk=given.pk)


class TestACommand:
    def test_is_received_and_done(self):
        given = command("enterControl", reason="the day begins")
        assert (given.phase, given.ack, given.text) == (Phase.COMPLETED, 303, "Bench is STANDBY.")
        assert given.started_at and given.ended_at
        assert acks(given) == [300, 303]
        assert [event.kind for event in told()] == ["device.command", "device.ack", "device.state", "device.ack"]
        state = told("device.state")[0]
        assert (state.data["state"], state.data["code"], state.data["from"]) == ("STANDBY", 5, "OFFLINE")
        assert state.reason == "the day begins"

    @pytest.mark.parametrize("name", RULES)
    @pytest.mark.parametrize("state", State)
    def test_is_obeyed_by_the_table_and_by_nothing_else(self, state, name):
        device = brought_to(state)
        parameters = {"configuration": "day"} if RULES[name].configures else {}
        allowed = not read(device).why_not(name)
        given = command(name, **parameters)
        if name in {"execute", "abort_job"}:
            assert given.refused == ("PARAMETERS" if allowed else "STATE")
            assert state_of().state == state
        else:
            assert (given.ack == 303) == allowed
            assert state_of().state == (RULES[name].to if allowed else state)
        assert acks(given)[0] == 300

    def test_that_is_forbidden_fails_with_its_sentence_and_changes_nothing(self):
        given = command("enable")
        assert (given.phase, given.ack, given.refused) == (Phase.ERROR, -302, "STATE")
        assert (
            given.text == "enable is not possible while it is OFFLINE, only while DISABLED. Command enterControl first."
        )
        assert acks(given) == [300, -302]
        assert not told("device.state")

    @pytest.mark.parametrize(
        ("name", "parameters", "sentence"),
        [
            ("start", {}, "start lacks the parameter configuration."),
            (
                "start",
                {"configuration": "nought"},
                "'nought' is no configuration of Bench; there are day, night, broken.",
            ),
            ("start", {"configuration": 3}, "'3' is no configuration of Bench"),
            ("start", {"configuration": "broken"}, "names a camera that is not there."),
            ("start", {"configuration": "day", "speed": 3}, "start takes only configuration, but was given speed."),
            ("exitControl", {"now": True}, "exitControl takes no parameters, but was given now."),
        ],
    )
    def test_with_wrong_parameters_fails_with_its_sentence(self, name, parameters, sentence):
        brought_to(State.STANDBY)
        given = command(name, **parameters)
        assert (given.ack, given.refused) == (-302, "PARAMETERS")
        assert sentence in given.text
        assert state_of().state == State.STANDBY

    @pytest.mark.parametrize(
        ("parameters", "sentence"),
        [
            ([], "not an object"),
            ("x", "not an object"),
            ({"x": float("nan")}, "NaN"),
            ({"x": "\ud800"}, "broken text"),
            ({"x": "\0"}, "NUL"),
            ({"x": "y" * 100_001}, "100000 may be"),
        ],
    )
    def test_that_cannot_be_kept_is_none(self, parameters, sentence):
        with pytest.raises(ValueError, match=sentence):
            submit(BENCH, "start", parameters, "key", "the OCS")
        assert not Command.objects.exists()
        assert not told()

    @pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\0b"])
    def test_needs_a_key(self, key):
        with pytest.raises(ValueError, match="idempotency key of 1 to 200"):
            submit(BENCH, "start", {}, key, "the OCS")

    def test_needs_a_name_and_a_device_that_there_are(self):
        with pytest.raises(ValueError, match="'explode' is no command; there are enterControl, start"):
            submit(BENCH, "explode", {}, "key", "the OCS")
        with pytest.raises(UnknownDevice, match="There is no device 'Toaster'; there are Archiver, ProcessingCluster"):
            submit("Toaster", "start", {}, "key", "the OCS")


class TestAKey:
    def test_used_twice_is_one_command(self):
        first, second = command("enterControl", "k"), command("enterControl", "k")
        assert first == second
        assert len(told("device.command")) == 1

    def test_of_a_refused_command_gives_the_same_refusal_later(self):
        assert command("enable", "k").refused == "STATE"
        brought_to(State.DISABLED)
        assert command("enable", "k").refused == "STATE"
        assert state_of().state == State.DISABLED

    def test_of_another_command_is_a_conflict(self):
        brought_to(State.STANDBY)
        command("start", "k", configuration="day")
        for name, parameters in (("enable", {}), ("start", {"configuration": "night"})):
            with pytest.raises(OtherCommand, match="Take a new key"):
                command(name, "k", **parameters)

    def test_belongs_to_one_device(self):
        assert command("enterControl", "k").pk != command("enterControl", "k", device=kinds.ARCHIVER).pk

    @pytest.mark.parametrize("same", [True, False])
    def test_sent_twice_at_once_starts_one_job(self, same):
        brought_to(State.ENABLED)
        together = threading.Barrier(2)
        found: list[int | str] = []

        def send(number: int) -> None:
            together.wait()
            try:
                found.append(command("execute", "k", **GOOD, version="1" if same else str(number)).pk)
            except OtherCommand as error:
                found.append(str(error))
            connection.close()

        threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Run.objects.count() == Command.objects.filter(name="execute").count() == 1
        assert len(set(found)) == (1 if same else 2)


def test_two_commands_at_once_leave_one_state_and_one_refusal():
    brought_to(State.DISABLED)
    together = threading.Barrier(2)

    def send() -> None:
        together.wait()
        command("enable")
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    both = Command.objects.filter(name="enable")
    assert sorted(both.values_list("ack", flat=True)) == [-302, 303]
    assert both.get(ack=-302).text == "It is ENABLED already."


class TestAConfiguration:
    def test_is_installed_by_start_and_changed_by_configure_which_ends_disabled(self):
        brought_to(State.ENABLED)
        assert (state_of().configuration_name, state_of().configuration) == ("day", {"camera": "minicam"})
        command("configure", configuration="night")
        assert (state_of().state, state_of().configuration_name) == (State.DISABLED, "night")

    def test_that_is_wrong_leaves_the_device_as_it_was(self):
        brought_to(State.ENABLED)
        assert command("configure", configuration="broken").ack == -302
        assert (state_of().state, state_of().configuration_name) == (State.ENABLED, "day")

    @pytest.mark.parametrize("name", ["reset", "release"])
    def test_is_gone_after(self, name):
        brought_to(State.ENABLED)
        command(name)
        assert (state_of().configuration_name, state_of().configuration) == ("", {})


class TestALockOut:
    def test_keeps_init_from_being_done_with_its_sentence(self):
        lock_out(BENCH, "New disks are put in until 15:00.", actor="maria")
        given = command("init")
        assert given.refused == "STATE"
        assert "New disks are put in until 15:00." in given.text
        lock_out(BENCH, "", actor="maria")
        assert command("init").ack == 303
        assert [event.actor for event in told("device.lock-out")] == ["maria", "maria"]

    def test_lets_running_work_and_the_ways_down_alone(self):
        job = a_job()
        lock_out(BENCH, "New disks are put in.", actor="maria")
        assert command("execute", **GOOD).refused == "STATE"
        work_off(QUEUE, "tester")
        jobs.follow()
        assert again(job).ack == 303
        assert command("disable").ack == 303


class TestAJob:
    def test_is_followed_to_its_end(self):
        job = a_job()
        assert (job.phase, job.ack, job.result) == (Phase.EXECUTING, 301, {"job_id": str(job.run_id)})
        assert jobs.follow() == 0
        work_off(QUEUE, "tester")
        assert jobs.follow() == 1
        assert acks(job) == [300, 301, 303]
        job = again(job)
        assert job.result == {"job_id": str(job.run_id), "exit_code": 0, "result": {"tasks": 1}}
        assert jobs.follow() == 0

    def test_that_fails_is_told_with_its_error_and_the_device_stays_enabled(self):
        job = a_job(pipeline="tests.refuse")
        work_off(QUEUE, "tester")
        jobs.follow()
        assert acks(job) == [300, 301, -302]
        assert "15 amplifiers" in again(job).text
        assert again(job).result["exit_code"] == 1
        assert state_of().state == State.ENABLED

    def test_that_ends_in_vain_is_told_as_failed_with_its_sentence(self):
        job = a_job()
        work_off(QUEUE, "tester")
        refused = registry.EXIT_FAILED, {"sentence": "the masters were not certified."}
        registry.register(replace(registry.kind_of(BENCH), result=lambda _: refused))
        jobs.follow()
        assert acks(job) == [300, 301, -302]
        assert again(job).text.endswith("the masters were not certified.")
        assert state_of().state == State.ENABLED

    def test_with_wrong_parameters_is_none(self):
        brought_to(State.ENABLED)
        given = command("execute", pipeline="nought")
        assert (given.refused, given.text) == ("PARAMETERS", "There is no pipeline 'nought'.")
        assert not Run.objects.exists()

    def test_is_not_taken_by_a_device_without_jobs(self):
        brought_to(State.ENABLED, kinds.PROCESSING_CLUSTER)
        assert "takes no jobs" in command("execute", device=kinds.PROCESSING_CLUSTER).text

    @pytest.mark.parametrize("name", ["disable", "abort", "release", "reset", "configure"])
    def test_goes_on_whatever_becomes_of_the_device(self, name):
        job = a_job()
        command(name, **({"configuration": "night"} if name == "configure" else {}))
        assert Run.objects.get().phase == Phase.QUEUED
        work_off(QUEUE, "tester")
        jobs.follow()
        assert again(job).ack == 303

    def test_whose_result_cannot_be_told_ends_nevertheless(self):
        def fail(run: Run) -> registry.Result:
            raise ZeroDivisionError

        job = a_job()
        work_off(QUEUE, "tester")
        registry.register(replace(registry.kind_of(BENCH), result=fail))
        jobs.follow()
        assert again(job).result["exit_code"] == 255
        assert again(job).ack == 303

    def test_is_aborted_by_its_id(self):
        job = a_job()
        given = command("abort_job", job_id=str(job.run_id), reason="wrong filter")
        assert (given.ack, given.text) == (303, f"Job {job.run_id} is aborted.")
        assert acks(job) == [300, 301, -303]
        assert again(job).result["exit_code"] == 255
        assert Run.objects.get().phase == Phase.ABORTED
        assert Event.objects.get(kind="run.aborted").reason == "wrong filter"

    @pytest.mark.parametrize("job_id", ["999", "x", "", None, True, "9" * 30])
    def test_that_is_not_there_cannot_be_aborted(self, job_id):
        a_job()
        assert command("abort_job", job_id=job_id).refused == "PARAMETERS"
        assert Run.objects.get().phase == Phase.QUEUED

    def test_that_is_over_cannot_be_aborted(self):
        job = a_job()
        work_off(QUEUE, "tester")
        assert "COMPLETED already" in command("abort_job", job_id=str(job.run_id)).text
        jobs.follow()
        assert command("abort_job", job_id=job.run_id).refused == "STATE"
        with pytest.raises(NotPossible, match="nothing to abort"):
            commands.abort(job.pk, actor="olivia", reason="late")

    def test_that_a_person_aborts_on_its_page_is_told_as_aborted(self):
        job = a_job()
        runs.abort(Run.objects.get().pk, actor="olivia", reason="wrong filter")
        jobs.follow()
        assert acks(job) == [300, 301, -303]

    def test_aborted_twice_is_aborted_once(self):
        job = a_job()
        for _ in range(2):
            assert commands.abort(job.pk, actor="olivia", reason="").phase == Phase.ABORTED
        assert acks(job) == [300, 301, -303]


class TestPrerequisites:
    def waiting(self) -> tuple[Command, Command]:
        first = a_job(pipeline="tests.refuse")
        second = command("execute", **GOOD, prereq_jobs=str(first.run_id))
        assert (second.phase, second.text) == (Phase.QUEUED, f"Waits until job {first.run_id} is over.")
        return first, second

    def test_are_waited_for_until_they_are_over_however_they_end(self):
        first, second = self.waiting()
        assert jobs.follow() == 0
        work_off(QUEUE, "tester")
        jobs.follow()
        assert again(first).ack == -302
        assert again(second).ack == 301
        assert acks(second) == [300, 300, 301]

    def test_that_end_when_the_device_is_not_enabled_are_in_vain(self):
        _, second = self.waiting()
        command("disable")
        work_off(QUEUE, "tester")
        jobs.follow()
        assert again(second).ack == -302
        assert "Bench is DISABLED now" in again(second).text

    def test_that_are_over_already_are_not_waited_for(self):
        first = a_job()
        work_off(QUEUE, "tester")
        assert command("execute", **GOOD, prereq_jobs=[first.run_id]).ack == 301

    @pytest.mark.parametrize("prereq", ["999", ["x"], {"a": 1}, 7, [True]])
    def test_that_are_none_are_refused(self, prereq):
        brought_to(State.ENABLED)
        given = command("execute", **GOOD, prereq_jobs=prereq)
        assert given.refused == "PARAMETERS"
        assert "job" in given.text

    def test_may_be_given_up(self):
        _, second = self.waiting()
        assert commands.abort(second.pk, actor="olivia", reason="no need").ack == -303


class TestTheHeartbeat:
    def test_is_there_for_every_device(self):
        heart.beat()
        Device.objects.update(heartbeat_at="2020-01-01T00:00Z")
        heart.beat()
        assert all(device.heartbeat_at.year > 2020 for device in registry.devices())

    def test_that_stopped_is_shown_as_a_fault_and_nothing_is_obeyed_but_the_way_down(self):
        brought_to(State.ENABLED)
        silent_for(40)
        shown = device_as_json(read(state_of()))
        assert (shown["state"], shown["code"]) == ("FAULT", 3)
        assert shown["reason"].startswith("No heartbeat for 4")
        assert command("execute", **GOOD).refused == "STATE"
        assert command("standby").ack == 303

    def test_that_comes_back_to_an_enabled_device_finds_it_in_fault_with_the_gap(self):
        brought_to(State.ENABLED)
        silent_for(40)
        heart.look_after()
        device = state_of()
        assert (device.state, device.fault_from) == (State.FAULT, State.ENABLED)
        assert device.reason.startswith("It had no heartbeat for 4")
        assert read(device).heartbeat_age_s < 15
        assert len(told("device.state")) == 4

    @pytest.mark.parametrize(("state", "seconds"), [(State.STANDBY, 40), (State.DISABLED, 40), (State.ENABLED, 10)])
    def test_that_comes_back_elsewhere_or_in_time_does_no_harm(self, state, seconds):
        served()
        brought_to(state)
        silent_for(seconds)
        heart.look_after()
        assert state_of().state == state

    def test_of_a_device_out_of_control_is_not_missed(self):
        brought_to(State.OFFLINE)
        silent_for(40)
        assert read(state_of()).state == State.OFFLINE


class TestWorkers:
    @pytest.mark.parametrize("seconds", [None, 60])
    def test_that_are_gone_take_an_enabled_device_to_fault(self, seconds):
        brought_to(State.ENABLED)
        a_while_ago()
        if seconds:
            served(seconds_ago=seconds)
        served("archive-center")
        heart.look_after()
        assert state_of().state == State.FAULT
        assert f"No worker serves {QUEUE}, {'the last was seen at' if seconds else 'none was'}" in state_of().reason

    def test_that_have_not_started_yet_are_waited_for(self):
        brought_to(State.ENABLED)
        a_while_ago(20)
        heart.look_after()
        assert state_of().state == State.ENABLED

    def test_that_live_keep_it_enabled(self):
        brought_to(State.ENABLED)
        a_while_ago()
        served(seconds_ago=20)
        heart.look_after()
        assert state_of().state == State.ENABLED

    def test_that_died_too_often_over_a_job_take_its_device_to_fault(self):
        job = a_job()
        served()
        Task.objects.update(max_attempts=1)
        assert claim(QUEUE, "doomed") is not None
        connection.close()  # as when the process is killed: PostgreSQL frees its lock
        recover()
        heart.look_after()
        assert acks(job) == [300, 301, -302]
        assert state_of().state == State.FAULT
        assert f"Job {job.run_id} lost its worker: worker doomed died" in state_of().reason


class TestAFault:
    def test_rings_one_alarm_that_ends_when_it_is_left(self):
        brought_to(State.ENABLED)
        a_while_ago()
        heart.look_after()
        heart.look_after()
        alarm = still_open().get(key="device:Bench")
        assert (alarm.subject, alarm.times) == ("device:Bench", 1)
        assert alarm.sentence.startswith("Bench is in FAULT: No worker serves")
        command("standby")
        assert not still_open().exists()
        assert (state_of().reason, state_of().error_code, state_of().fault_from) == ("", 0, "")

    def test_by_command_says_who_and_why(self):
        brought_to(State.ENABLED)
        command("abort", reason="smoke in the dome")
        assert (state_of().reason, state_of().error_code) == ("the OCS commanded abort.", 2)
        assert told("device.state")[-1].reason == "smoke in the dome"


class TestTheArchiver:
    def test_archives_as_long_as_nobody_has_commanded_it(self):
        assert kinds.archiving()
        command("enable", device=kinds.ARCHIVER)  # refused: it is OFFLINE
        assert kinds.archiving()

    @pytest.mark.parametrize(
        ("state", "archives"),
        [(State.STANDBY, False), (State.DISABLED, False), (State.ENABLED, True), (State.FAULT, True)],
    )
    def test_archives_while_enabled_and_through_a_fault(self, state, archives):
        brought_to(state, kinds.ARCHIVER)
        assert kinds.archiving() == archives

    def test_does_not_archive_in_a_fault_that_found_it_disabled(self):
        brought_to(State.DISABLED, kinds.ARCHIVER)
        command("abort", device=kinds.ARCHIVER)
        assert not kinds.archiving()


class TestEvents:
    def test_are_replayed_from_any_of_them_in_order(self):
        brought_to(State.ENABLED)
        events.record("note", "something else", actor="olivia")
        every = [event.pk for event in told()]
        assert [event.pk for event in events_after(0, BENCH)] == every
        assert [event.pk for event in events_after(every[4], BENCH, 3)] == every[5:8]

    def test_are_those_of_the_device_itself_for_what_others_write_keeps_no_order(self):
        brought_to(State.ENABLED)
        last = told()[-1].pk
        notes.write("device:Bench", "Its fan is loud.", author="olivia", day_obs=20261122)
        events.record("note", "something else", actor="olivia")
        assert events_after(last, BENCH) == []
        assert newest_event() == last

    def test_become_visible_in_the_order_of_their_numbers(self):
        """While one device is being changed, no event of another can overtake."""
        holding, go_on = threading.Event(), threading.Event()

        def slow(device: Device, parameters: dict[str, object], given: Command) -> Run:
            holding.set()
            go_on.wait(10)
            raise ValueError("No.")

        brought_to(State.ENABLED)
        registry.register(replace(registry.kind_of(BENCH), execute=slow))

        def in_thread(name: str, device: str) -> threading.Thread:
            def send() -> None:
                command(name, device=device)
                connection.close()

            thread = threading.Thread(target=send)
            thread.start()
            return thread

        last = max(event.pk for event in told())
        first = in_thread("execute", BENCH)
        assert holding.wait(10)
        second = in_thread("enterControl", kinds.ARCHIVER)
        seen = events_after(last)
        go_on.set()
        first.join()
        second.join()
        assert seen == []
        assert [event.subject for event in events_after(last)] == ["device:Bench"] * 3 + ["device:Archiver"] * 4

    def test_of_a_job_over_the_rollover_are_of_two_days_and_one_command(self, monkeypatch):
        noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
        monkeypatch.setattr(ObservingDay, "current", classmethod(lambda cls: cls.at(noon - timedelta(minutes=1))))
        job = a_job()
        work_off(QUEUE, "tester")
        monkeypatch.setattr(ObservingDay, "current", classmethod(lambda cls: cls.at(noon + timedelta(minutes=1))))
        jobs.follow()
        assert [event.day_obs for event in told("device.ack") if event.data["command"] == job.pk] == [
            20261122,
            20261122,
            20261123,
        ]
        assert acks(job) == [300, 301, 303]
