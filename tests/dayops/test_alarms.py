"""An alarm is raised once, however often it is seen; people acknowledge or snooze it; nothing of it is lost."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dayops import alarms
from dayops.models import Alarm, AlarmDelivery, Event, Severity
from dayops.runs import NotPossible
from tests.work import DAY

KEYS = ("calib.noise:R22_S11", "archive.full")
WHY = "a cable was loose"


def seen(key: str = KEYS[0], **changes: Any) -> Alarm:
    """The condition `key` is seen (once more)."""
    fields = {"name": "noise", "activity": "calib", "day_obs": DAY, "sentence": "The noise of R22_S11 is 31 e⁻."}
    return alarms.raise_alarm(key=key, **{**fields, **changes})


def passes(time: timedelta) -> None:
    """Let `time` pass for every alarm, by moving its past back."""
    moments = ("raised_at", "seen_at", "cleared_at", "acknowledged_at", "snoozed_until")
    Alarm.objects.update(**{name: F(name) - time for name in moments})


def told() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def in_a_day() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


@pytest.mark.django_db
class TestRaising:
    def test_opens_an_alarm_tells_it_once_and_queues_its_messages(self, settings):
        settings.ALARM_EMAILS = ["shift@example.org", "chief@example.org"]
        settings.ALARM_WEBHOOKS = ["https://chat.example.org/hook"]
        alarm = seen(subject="detector:minicam/R22_S11")
        event = Event.objects.get()
        assert (event.kind, event.severity, event.subject) == ("alarm.raised", "ALARM", f"alarm:{alarm.pk}")
        assert (event.text, event.day_obs, event.actor) == (alarm.sentence, DAY, "calib")
        deliveries = AlarmDelivery.objects.values_list("channel", "address", "state").order_by("address")
        assert list(deliveries) == [
            ("email", "chief@example.org", "WAITING"),
            ("webhook", "https://chat.example.org/hook", "WAITING"),
            ("email", "shift@example.org", "WAITING"),
        ]

    def test_again_while_it_is_open_only_counts_and_keeps_the_newest_sentence(self, settings):
        settings.ALARM_EMAILS = ["shift@example.org"]
        first = seen()
        passes(timedelta(minutes=1))
        again = seen(sentence="It is 33 e⁻ now.", severity=Severity.WARN)
        assert (again.pk, again.times, again.sentence, again.severity) == (first.pk, 2, "It is 33 e⁻ now.", "WARN")
        assert again.seen_at > again.raised_at
        assert told() == ["alarm.raised"]
        assert AlarmDelivery.objects.count() == 1

    def test_a_moment_after_it_was_cleared_opens_the_same_alarm_without_a_message(self, settings):
        settings.ALARM_EMAILS = ["shift@example.org"]
        first = seen()
        alarms.clear(first.key, why="measured again")
        passes(timedelta(seconds=alarms.FLAP_S - 1))
        assert seen().pk == first.pk
        assert told() == ["alarm.raised", "alarm.cleared", "alarm.reopened"]
        assert AlarmDelivery.objects.count() == 1

    def test_long_after_it_was_cleared_is_a_new_alarm(self, settings):
        settings.ALARM_EMAILS = ["shift@example.org"]
        first = seen()
        alarms.clear(first.key, why="measured again")
        passes(timedelta(seconds=alarms.FLAP_S + 1))
        assert seen().pk != first.pk
        assert told() == ["alarm.raised", "alarm.cleared", "alarm.raised"]
        assert AlarmDelivery.objects.count() == 2

    def test_keeps_an_acknowledgement_when_it_flaps(self):
        alarms.acknowledge(seen().pk, actor="olivia", reason=WHY)
        alarms.clear(KEYS[0], why="")
        assert seen().acknowledged_by == "olivia"
        assert not alarms.asking().exists()

    def test_of_different_keys_are_different_alarms(self):
        assert seen(KEYS[0]).pk != seen(KEYS[1]).pk

    def test_is_undone_with_the_transaction_it_is_part_of(self):
        with suppress(ZeroDivisionError), transaction.atomic():
            seen()
            raise ZeroDivisionError
        assert not Alarm.objects.exists()
        assert not Event.objects.exists()

    def test_does_not_fail_for_odd_or_long_texts(self):
        alarm = seen("k\0" * 300, name="n" * 99, subject="s" * 999, sentence="a\0b \udcff")
        assert (len(alarm.key), len(alarm.name), len(alarm.subject), alarm.sentence) == (200, 60, 200, "ab ?")
        assert seen("k" * 300).pk == alarm.pk
        assert alarms.clear("k" * 300, why="\0")

    def test_fails_for_what_breaks_another_rule(self):
        with pytest.raises(Exception, match="alarm_severity_known"):
            seen(severity="LOUD")


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_see_it_at_once_make_one_alarm():
    both_looked = threading.Barrier(2)
    found = []

    def see() -> None:
        both_looked.wait()
        with transaction.atomic():
            found.append(seen().pk)
        connection.close()

    threads = [threading.Thread(target=see) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    assert Alarm.objects.get().times == 2
    assert told() == ["alarm.raised"]


@pytest.mark.django_db(transaction=True)
def test_who_comes_second_waits_for_the_first_and_opens_it_where_the_first_gave_up():
    opened, give_up = threading.Event(), threading.Event()

    def raise_and_fail() -> None:
        with suppress(ZeroDivisionError), transaction.atomic():
            seen()
            opened.set()
            give_up.wait()
            raise ZeroDivisionError
        connection.close()

    first = threading.Thread(target=raise_and_fail)
    first.start()
    opened.wait()
    threading.Timer(0.2, give_up.set).start()
    assert seen().times == 1
    first.join()
    assert told() == ["alarm.raised"]


@pytest.mark.django_db
class TestClearing:
    def test_closes_it_and_tells_why(self):
        seen()
        assert alarms.clear(KEYS[0], why="4.9 e⁻ in the next frame")
        assert Alarm.objects.get().cleared_at is not None
        assert Event.objects.get(kind="alarm.cleared").reason == "4.9 e⁻ in the next frame"

    def test_what_is_not_open_tells_nothing(self, django_assert_num_queries):
        seen(KEYS[1])
        with django_assert_num_queries(3):  # a savepoint around one look
            assert not alarms.clear(KEYS[0], why="")
        assert told() == ["alarm.raised"]


@pytest.mark.django_db
class TestPeople:
    def test_who_acknowledges_is_kept_with_the_reason_and_it_asks_no_more(self):
        alarm = seen()
        alarms.acknowledge(alarm.pk, actor="olivia", reason=WHY)
        alarm.refresh_from_db()
        assert (alarm.acknowledged_by, alarm.reason, alarm.cleared_at) == ("olivia", WHY, None)
        assert not alarms.asking().exists()
        event = alarms.history(alarm)[0]
        assert (event.kind, event.actor, event.reason) == ("alarm.acknowledged", "olivia", WHY)

    def test_a_snoozed_alarm_asks_again_when_the_snooze_is_over(self):
        alarms.snooze(seen().pk, actor="olivia", reason=WHY, until=in_a_day())
        assert not alarms.asking().exists()
        passes(timedelta(days=1, seconds=1))
        assert alarms.asking().exists()
        assert told() == ["alarm.raised", "alarm.snoozed"]

    def test_a_snooze_takes_an_acknowledgement_back_and_an_acknowledgement_ends_a_snooze(self):
        alarm = seen()
        alarms.acknowledge(alarm.pk, actor="olivia", reason=WHY)
        alarms.snooze(alarm.pk, actor="otto", reason=WHY, until=in_a_day())
        alarm.refresh_from_db()
        assert (alarm.acknowledged_at, alarm.snoozed_by) == (None, "otto")
        alarms.acknowledge(alarm.pk, actor="olivia", reason=WHY)
        alarm.refresh_from_db()
        assert (alarm.acknowledged_by, alarm.snoozed_until, alarm.snoozed_by) == ("olivia", None, "")

    @pytest.mark.parametrize(
        ("ahead", "sentence"),
        [
            (timedelta(seconds=-1), "must end in the future"),
            (timedelta(days=7, minutes=1), "may last 7 days at most"),
        ],
    )
    def test_a_snooze_ends_soon_but_not_in_the_past(self, ahead, sentence):
        alarm = seen()
        with pytest.raises(NotPossible, match=sentence):
            alarms.snooze(alarm.pk, actor="olivia", reason=WHY, until=datetime.now(UTC) + ahead)
        assert alarms.asking().exists()

    @pytest.mark.parametrize("reason", ["", "  ", "\0"])
    def test_nothing_is_done_without_a_reason(self, reason):
        alarm = seen()
        with pytest.raises(NotPossible, match="A reason is needed"):
            alarms.acknowledge(alarm.pk, actor="olivia", reason=reason)
        with pytest.raises(NotPossible, match="A reason is needed"):
            alarms.snooze(alarm.pk, actor="olivia", reason=reason, until=in_a_day())
        assert told() == ["alarm.raised"]

    def test_what_is_acknowledged_is_not_acknowledged_again(self):
        alarm = seen()
        alarms.acknowledge(alarm.pk, actor="olivia", reason=WHY)
        with pytest.raises(NotPossible, match="acknowledged by olivia"):
            alarms.acknowledge(alarm.pk, actor="otto", reason=WHY)

    def test_what_is_over_is_left_alone(self):
        alarm = seen()
        alarms.clear(alarm.key, why="")
        with pytest.raises(NotPossible, match="has been over since"):
            alarms.acknowledge(alarm.pk, actor="olivia", reason=WHY)
        with pytest.raises(NotPossible, match="nothing to silence"):
            alarms.snooze(alarm.pk, actor="olivia", reason=WHY, until=in_a_day())


class AlarmRules(RuleBasedStateMachine):
    """Two conditions that come and go, people and time, against a model of four numbers for each."""

    keys = st.sampled_from(KEYS)

    def __init__(self) -> None:
        super().__init__()
        Alarm.objects.all().delete()
        self.now = 0.0
        self.events = Event.objects.count()
        self.rows = dict.fromkeys(KEYS, 0)  # alarms that there should have been
        self.open = dict.fromkeys(KEYS, False)
        self.cleared = dict.fromkeys(KEYS, float("-inf"))
        self.quiet_until = dict.fromkeys(KEYS, 0.0)

    @rule(key=keys)
    def see(self, key: str) -> None:
        before = Event.objects.count()
        seen(key)
        flaps = self.rows[key] and self.now - self.cleared[key] < alarms.FLAP_S
        assert Event.objects.count() - before == (0 if self.open[key] else 1)
        if not self.open[key] and not flaps:
            self.rows[key] += 1
            self.quiet_until[key] = 0.0
        self.open[key] = True

    @rule(key=keys)
    def clear(self, key: str) -> None:
        assert alarms.clear(key, why="it is over") == self.open[key]
        if self.open[key]:
            self.cleared[key] = self.now
        self.open[key] = False

    @rule(key=keys)
    def acknowledge(self, key: str) -> None:
        self._do(key, lambda pk: alarms.acknowledge(pk, actor="olivia", reason=WHY), float("inf"))

    @rule(key=keys, hours=st.integers(1, 24 * 7 - 1))
    def snooze(self, key: str, hours: int) -> None:
        until = datetime.now(UTC) + timedelta(hours=hours)
        self._do(key, lambda pk: alarms.snooze(pk, actor="olivia", reason=WHY, until=until), self.now + 3600 * hours)

    def _do(self, key: str, deed: Any, quiet_until: float) -> None:
        alarm = Alarm.objects.filter(key=key).last()
        if alarm is None:
            return
        may = self.open[key] and not (quiet_until == float("inf") == self.quiet_until[key])
        try:
            deed(alarm.pk)
        except NotPossible:
            assert not may
        else:
            assert may
            self.quiet_until[key] = quiet_until

    @rule(seconds=st.sampled_from([60, 600, 1200, 4 * 3600, 3 * 86_400]))
    def wait(self, seconds: int) -> None:
        passes(timedelta(seconds=seconds + 1))  # the second keeps what is exact in the model apart from real moments
        self.now += seconds + 1

    @invariant()
    def there_is_one_alarm_for_each_time_it_was_raised_and_one_message(self) -> None:
        for key in KEYS:
            rows = Alarm.objects.filter(key=key)
            assert rows.count() == self.rows[key]
            assert rows.filter(cleared_at=None).count() == self.open[key]
            assert AlarmDelivery.objects.filter(alarm__key=key).count() == self.rows[key]

    @invariant()
    def what_asks_for_attention_is_open_and_neither_acknowledged_nor_snoozed(self) -> None:
        wanted = {key for key in KEYS if self.open[key] and self.quiet_until[key] <= self.now}
        assert set(alarms.asking().values_list("key", flat=True)) == wanted


@pytest.mark.django_db
def test_the_rules_hold_in_any_order(settings_of_site):
    small = settings(
        max_examples=40,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(AlarmRules, settings=small)


@pytest.fixture
def settings_of_site(settings):
    settings.ALARM_EMAILS = ["shift@example.org"]
