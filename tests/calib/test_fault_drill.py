"""How the fault drill judges what it saw, and what it takes of a day."""

from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command

from calib.drills.days import reject
from calib.drills.faults import Drill, FaultSeen, matrix
from calib.exposure_judgement import judge_exposure
from calib.models import Review
from dayops.camera import load
from dayops.day_plan import Plan
from dayops.models import Event, RawFrame, Severity
from dayops.simulator.faults import FAULTS, Fault, fault_named
from dayops.simulator.observatory import Programme
from tests.calib.exposures import DAY, archived, assessed, exposure

LIGHT = fault_named("light-in-a-bias")
JUMP = fault_named("bias-jump")


def seen(fault: Fault, *names: str) -> FaultSeen:
    return FaultSeen(fault, 9, frozenset(names), frozenset(names))


class TestVerdict:
    def test_every_check_that_should_see_it_must(self) -> None:
        assert seen(LIGHT, *LIGHT.caught_by).missed == ()
        assert seen(LIGHT, "median").missed == ("light_in_bias",)

    def test_anything_that_raises_an_alarm_catches_it(self) -> None:
        assert seen(LIGHT, "banding").caught
        assert not seen(LIGHT).caught

    def test_what_is_in_error_without_an_alarm_is_not_caught(self) -> None:
        assert not FaultSeen(LIGHT, 9, frozenset(LIGHT.caught_by), frozenset()).caught

    def test_the_matrix_says_named_caught_or_missed_with_what_else_it_raised(self) -> None:
        lines = matrix([seen(LIGHT, *LIGHT.caught_by, "banding"), seen(JUMP, "median"), seen(JUMP)])
        assert "named" in lines[0] and "light_in_bias ✓" in lines[0] and "also: banding" in lines[0]
        assert "caught" in lines[1] and "overscan_level_drift ✗" in lines[1]
        assert "MISSED" in lines[2]


class Crew:
    """Takes nothing, but notes what it was asked for and leaves rows as frames would."""

    def __init__(self, leaves: object = None) -> None:
        self.asked: list[tuple[Programme, list[int]]] = []
        self._leaves = leaves

    def take(self, programme: Programme, seq_nums: list[int]) -> int:
        self.asked.append((programme, list(seq_nums)))
        if callable(self._leaves):
            self._leaves()
        return len(self.asked[-1][1])


def drill(crew: Crew) -> Drill:
    return Drill(load("minicam"), 22, crew, DAY, Mock())  # type: ignore[arg-type]


def a_light_bias() -> None:
    one = exposure()
    for detector in range(9):
        assessed(archived(one, detector), median=30.0)
    judge_exposure(one)


def a_healthy_bias() -> None:
    one = exposure()
    for detector in range(9):
        assessed(archived(one, detector))
    judge_exposure(one)


@pytest.mark.django_db
class TestDays:
    def test_a_healthy_day_is_the_whole_plan_without_a_fault(self) -> None:
        crew = Crew()
        drill(crew).healthy(2)
        days = [programme.day_obs for programme, _ in crew.asked]
        assert days == [DAY, DAY + 1]
        assert all(programme.fault is None for programme, _ in crew.asked)
        assert len(crew.asked[0][1]) == len(Plan.load().exposures(DAY))

    def test_findings_and_checks_in_error_on_healthy_days_are_counted(self) -> None:
        found = drill(Crew(a_light_bias)).healthy(1)
        assert found.frames == 9
        assert found.errors == 144 + 9  # the median of every amplifier, the check of every detector
        assert found.names == {"median", "light_in_bias"}

    def test_healthy_days_that_are_healthy_count_nothing(self) -> None:
        found = drill(Crew(a_healthy_bias)).healthy(1)
        assert (found.frames, found.errors, found.warnings, found.names) == (9, 0, 0, frozenset())

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
    def test_a_fault_takes_every_exposure_it_hits(self, fault: Fault) -> None:
        crew = Crew()
        drill(crew).fault(fault, 3)
        ((programme, taken),) = crew.asked
        assert programme.fault == fault
        assert taken == sorted(planned.seq_num for planned in fault.where.exposures(programme.day_obs))

    def test_what_a_fault_raised_are_the_alarms_of_its_day(self) -> None:
        found = drill(Crew(a_light_bias)).fault(LIGHT, 0)
        assert found.names == {"median", "light_in_bias"}
        assert found.alarms == {"light_in_bias"}  # it explains the median

    def test_the_archives_own_alarms_count_too(self) -> None:
        def refused() -> None:
            Event.objects.create(day_obs=DAY, kind="frame.refused", severity=Severity.ALARM, actor="archiver", text="x")

        assert drill(Crew(refused)).fault(fault_named("truncated-file"), 0).names == {"frame.refused"}

    def test_alarms_from_before_are_not_the_faults(self) -> None:
        a_light_bias()
        assert drill(Crew()).fault(JUMP, 3).names == frozenset()

    def test_a_faulty_day_is_rejected_so_that_it_is_nobodys_past(self) -> None:
        a_light_bias()
        reject(DAY)
        assert Review.objects.filter(decision="REJECT", exposure__day_obs=DAY).count() == 1
        assert RawFrame.objects.count() == 9


def test_an_unknown_fault_is_refused_with_those_there_are() -> None:
    with pytest.raises((CommandError, ValueError), match="There is no fault 'gremlins': expected one of"):
        call_command("fault_drill", "--fault", "gremlins")
