"""Several who certify the same slots at the same time, each in a session of its own."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from calib.certification import ConflictingCertification, history_of, lookup, roll_back, state_seen
from calib.certification.instants import night_of
from calib.models import CertificationAction, ProductType
from tests.calib.certified import DAY, certified, product, products

pytestmark = pytest.mark.django_db(transaction=True)
SLOTS = [(kind, detector, "") for kind in (ProductType.BIAS, ProductType.DARK) for detector in range(9)]
TONIGHT = night_of(DAY)[0]


def at_once(number: int, work: Callable[[int], object]) -> list[BaseException]:
    """Do `work` in that many threads, each inside a transaction that has begun before any starts; what they raised."""
    together = threading.Barrier(number)
    raised: list[BaseException] = []

    def one(mine: int) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT now()")
                together.wait(timeout=30)
                work(mine)
        except Exception as error:  # the thread's, told to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(mine,)) for mine in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


@pytest.mark.parametrize("number", [4, 16])
def test_of_those_who_looked_at_the_same_state_exactly_one_wins(number: int) -> None:
    certified(*products(SLOTS))
    sets = [products(SLOTS) for _ in range(number)]
    seen = state_seen("minicam", "daily")
    lost = at_once(number, lambda mine: certified(*sets[mine], seen=seen))
    assert [type(error) for error in lost] == [ConflictingCertification] * (number - 1)
    assert CertificationAction.objects.count() == 2
    winner = {each.product for each in lookup("minicam", TONIGHT)}
    assert winner in [{each.pk for each in one} for one in sets]


def test_those_who_did_not_look_are_certified_one_after_another_however_long_they_waited() -> None:
    sets = [products(SLOTS) for _ in range(4)]
    assert at_once(4, lambda mine: certified(*sets[mine])) == []
    first, *_, last = history = list(history_of("minicam", "daily", ProductType.BIAS, 0))[::-1]
    assert [row.known.upper for row in history] == [row.known.lower for row in history[1:]] + [None]
    assert first.action_id < last.action_id


def test_one_of_those_who_roll_back_the_same_deed_wins() -> None:
    deed = certified(*products(SLOTS))
    lost = at_once(4, lambda mine: roll_back(deed, "sofia", "light"))
    assert [type(error) for error in lost] == [ConflictingCertification] * 3
    assert lookup("minicam", TONIGHT) == []


def test_a_clock_that_was_set_back_harms_neither_history_nor_what_was_seen() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    CertificationAction.objects.create(
        kind="CERTIFY", collection="daily", camera="minicam", day_obs=DAY, actor="sofia", at=ahead
    )
    seen = state_seen("minicam", "daily")
    first = certified(product(), seen=seen)
    with pytest.raises(ConflictingCertification):
        certified(product(), seen=seen)
    second = certified(product())
    assert ahead < first.at < second.at
