"""Frames that are recorded, and exposures that are judged, by several processes at once."""

import threading
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection, transaction

from calib import rejudging, services
from calib.exposure_judgement import judge_exposure, judge_what_waits
from calib.models import Judgement
from dayops.engine import work_off
from dayops.models import Exposure, Task
from tests.calib.exposures import archived, assessed, exposure

pytestmark = pytest.mark.django_db(transaction=True)


def has_to_wait(function: Callable[[], object]) -> bool:
    """Whether `function`, in a session of its own, waits for a lock that this one holds."""
    waited = []

    def elsewhere() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                function()
            waited.append(False)
        except OperationalError as error:
            waited.append("lock timeout" in str(error))
        finally:
            connection.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    return waited == [True]


@pytest.fixture
def half() -> Exposure:
    """An exposure of two frames, of which one is measured."""
    one = exposure(detectors_expected=2)
    assessed(archived(one, 0))
    archived(one, 1)
    return one


def test_an_exposure_is_not_judged_while_a_frame_of_it_is_being_recorded(half: Exposure) -> None:
    late = half.frames.get(detector=1)
    with transaction.atomic():
        assessed(late)
        assert has_to_wait(lambda: judge_exposure(half))
        assert has_to_wait(lambda: rejudging.rejudge(half))


def test_a_frame_is_not_recorded_while_its_exposure_is_judged(half: Exposure) -> None:
    late = half.frames.get(detector=1)
    with transaction.atomic():
        judge_exposure(half)
        assert has_to_wait(lambda: assessed(late))


def test_a_frame_is_not_recorded_while_its_exposure_is_judged_again(half: Exposure) -> None:
    late = half.frames.get(detector=1)
    with transaction.atomic():
        rejudging.rejudge(half)
        assert has_to_wait(lambda: assessed(late))


def test_two_frames_are_recorded_beside_each_other(half: Exposure) -> None:
    first, second = half.frames.order_by("detector")
    with transaction.atomic():
        assessed(first)
        assert not has_to_wait(lambda: assessed(second))


def test_a_frame_recorded_in_a_transaction_that_began_before_the_judgement_is_seen_by_the_duty(half: Exposure) -> None:
    """Its time is that of the statement, not that of the transaction."""
    late = half.frames.get(detector=1)
    with transaction.atomic():
        assert Exposure.objects.exists()  # PostgreSQL's now() stands still from here
        judging = threading.Thread(target=_judge, args=(half,))
        judging.start()
        judging.join()
        assessed(late)
    assert judge_what_waits() == 1
    assert Judgement.objects.get().measured == 2


def test_two_exposures_of_a_kind_tell_their_alarms_one_after_the_other() -> None:
    first, second = (exposure(number, detectors_expected=1) for number in (1, 2))
    for one in (first, second):
        assessed(archived(one))
    with transaction.atomic():
        judge_exposure(first)
        assert has_to_wait(lambda: judge_exposure(second))


def test_a_frame_is_measured_though_its_exposure_cannot_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    from calib import jobs
    from calib.measurement import MeasuredFrame
    from dayops.camera import load
    from tests.calib.exposures import measured

    of_frame = measured(load("minicam").by_id[0])
    monkeypatch.setattr(jobs, "measure_frame", lambda *_: MeasuredFrame(of_frame, [], []))
    monkeypatch.setattr("calib.exposure_judgement.outcomes", lambda *_: 1 / 0)
    services.queue_assessment(archived(exposure(detectors_expected=1)))
    work_off(services.QUEUE, "tester")
    assert Task.objects.get().phase == "COMPLETED"
    monkeypatch.undo()
    assert judge_what_waits() == 1


def _judge(exposure: Exposure) -> None:
    """In a thread, with a connection of its own."""
    judge_exposure(exposure)
    connection.close()
