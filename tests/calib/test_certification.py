"""Certify, decertify, roll back, flag: what is then to be used, what was, and what is refused."""

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from calib.certification import (
    ConflictingCertification,
    NotCertifiable,
    certify,
    decertify,
    flag_bad,
    gaps,
    history_of,
    lookup,
    lookup_one,
    outlook,
    roll_back,
    state_seen,
)
from calib.certification.instants import night_of
from calib.models import CalibrationSlot, Certification, CertificationAction, Product, ProductType
from dayops.models import Event
from tests.calib.certified import DAY, certified, product, products, set_of

pytestmark = pytest.mark.django_db
BIAS, DARK, FLAT = ProductType.BIAS, ProductType.DARK, ProductType.FLAT
TONIGHT, TOMORROW = night_of(DAY)


def used(at: int, **words: object) -> int | None:
    """The bias to be used on detector 0."""
    found = lookup_one("minicam", at, BIAS, 0, **words)  # type: ignore[arg-type]
    return found.product if found else None


def test_a_certified_product_is_used_from_its_first_instant_to_the_last_before_its_end() -> None:
    bias = product()
    certified(bias, valid_to=TOMORROW)
    assert [used(at) for at in (TONIGHT - 1, TONIGHT, TOMORROW - 1, TOMORROW)] == [None, bias.pk, bias.pk, None]


def test_the_next_nights_product_takes_the_place_of_the_last_from_its_roll_over_on() -> None:
    first, second = product(), product(day_obs=20261123)
    certified(first)
    deed = certified(second)
    assert [used(at) for at in (TOMORROW - 1, TOMORROW)] == [first.pk, second.pk]
    (newest,) = lookup("minicam", TOMORROW)
    assert (newest.known_from, newest.action, newest.sha256) == (deed.at, deed.pk, second.sha256)
    assert (newest.valid_from, newest.valid_to, newest.day_obs) == (TOMORROW, None, 20261123)
    assert Certification.objects.count() == 3


def test_what_would_have_been_used_as_known_then_is_told_for_ever() -> None:
    first, second = product(), product()
    one = certified(first, valid_to=TOMORROW)
    other = certified(second, valid_to=TOMORROW)
    roll_back(other, "sofia", "a lamp was on")
    assert used(TONIGHT) == first.pk
    assert used(TONIGHT, known_at=other.at) == second.pk
    assert used(TONIGHT, known_at=one.at) == first.pk
    assert used(TONIGHT, known_at=set_of().created_at.replace(year=2020)) is None


def test_a_day_certified_amid_a_year_leaves_the_year_on_both_sides() -> None:
    year, night = product(), product()
    certified(year, valid_from=TONIGHT - 10**17, valid_to=TONIGHT + 10**17)
    certified(night, valid_to=TOMORROW)
    assert [used(at) for at in (TONIGHT - 1, TONIGHT, TOMORROW - 1, TOMORROW)] == [year.pk, night.pk, night.pk, year.pk]


def test_the_first_collection_of_the_chain_that_has_a_product_gives_it() -> None:
    daily, longterm, dark = product(), product(), product(DARK)
    certified(longterm, dark, collection="longterm")
    certified(daily, valid_to=TOMORROW)
    assert {each.slot: each.collection for each in lookup("minicam", TONIGHT)} == {
        (BIAS, 0, ""): "daily",
        (DARK, 0, ""): "longterm",
    }
    assert used(TOMORROW) == longterm.pk
    assert used(TONIGHT, chain=("longterm", "daily")) == longterm.pk
    assert lookup("lsstcam", TONIGHT) == lookup("minicam", TONIGHT, chain=()) == []


def test_flats_are_told_apart_by_filter_and_the_empty_filter_is_one() -> None:
    these = products([(FLAT, 0, "g"), (FLAT, 0, "r"), (BIAS, 0, ""), (BIAS, 1, "")])
    certified(*these)
    assert {each.slot: each.product for each in lookup("minicam", TONIGHT)} == {
        (each.type, each.detector, each.filter): each.pk for each in these
    }
    with pytest.raises(Error, match="certification_no_overlap"), transaction.atomic():
        row = Certification.objects.get(product=these[2])
        Certification.objects.create(slot=row.slot, product=these[2], valid=row.valid, known=row.known, action_id=1)


def test_decertified_instants_have_no_product_and_the_rest_has() -> None:
    bias, dark = products([(BIAS, 0, ""), (DARK, 0, "")])
    certified(bias, dark)
    only_bias = CalibrationSlot.objects.filter(type=BIAS)
    decertify("minicam", "daily", valid_from=TONIGHT, valid_to=TOMORROW, actor="sofia", reason="light", slots=only_bias)
    assert used(TONIGHT) is None
    assert used(TOMORROW) == bias.pk
    assert [each.product for each in lookup("minicam", TONIGHT)] == [dark.pk]
    (gap,) = gaps("minicam", TONIGHT, TOMORROW + 1)
    assert (gap.type, gap.begins, gap.ends) == (BIAS, TONIGHT, TOMORROW)


def test_nothing_can_be_taken_back_where_nothing_is_or_without_a_reason() -> None:
    with pytest.raises(NotCertifiable, match="Nothing is certified for minicam in daily"):
        decertify("minicam", "daily", valid_from=TONIGHT, valid_to=None, actor="sofia", reason="light")
    with pytest.raises(NotCertifiable, match="reason is needed"):
        decertify("minicam", "daily", valid_from=TONIGHT, valid_to=None, actor="sofia", reason=" ")
    assert not CertificationAction.objects.exists()


def test_a_roll_back_restores_every_slot_in_one_deed_and_can_be_rolled_back() -> None:
    slots = [(BIAS, 0, ""), (DARK, 0, ""), (FLAT, 0, "r")]
    old, new = products(slots), products([*slots, (BIAS, 1, "")])
    certified(*old)
    deed = certified(*new, valid_to=TOMORROW)
    undoing = roll_back(deed, "sofia", "a lamp was on")
    assert {each.product for each in lookup("minicam", TONIGHT)} == {each.pk for each in old}
    roll_back(undoing, "sofia", "it was not")
    assert {each.product for each in lookup("minicam", TONIGHT)} == {each.pk for each in new}
    assert deed.undone_by == undoing


def test_what_was_changed_since_is_rolled_back_last_deed_first() -> None:
    first, second = certified(product(), product(DARK)), certified(product(DARK))
    with pytest.raises(ConflictingCertification, match=r"sofia certified the same at .*roll that back first"):
        roll_back(first, "sofia", "a lamp was on")
    roll_back(second, "sofia", "a lamp was on")
    with pytest.raises(ConflictingCertification, match="rolled back the same"):
        roll_back(second, "sofia", "again")


def test_a_change_of_other_slots_hinders_no_roll_back() -> None:
    first = certified(product())
    certified(product(detector=1))
    roll_back(first, "sofia", "a lamp was on")
    assert [each.detector for each in lookup("minicam", TONIGHT)] == [1]


def test_who_looked_before_another_certified_is_told_to_look_again() -> None:
    seen = state_seen("minicam", "daily")
    certified(product(), seen=seen)
    with pytest.raises(ConflictingCertification, match=r"sofia certified the same at .* look again"):
        certified(product(), seen=seen)
    certified(product(detector=1), seen=seen)
    certified(product(), seen=state_seen("minicam", "daily"))


def test_the_same_set_is_certified_once() -> None:
    these = products([(BIAS, 0, ""), (DARK, 0, "")])
    certified(*these)
    with pytest.raises(NotCertifiable, match="nothing to change"):
        certified(*these)
    assert CertificationAction.objects.count() == 1


def test_products_that_do_not_fit_are_refused_in_words_and_nothing_changes() -> None:
    one = product()
    wrong = {
        "choose at least one": [],
        "named twice": [one, one],
        "one camera at a time": [one, product(of=set_of(camera="lsstcam"))],
        "choose one of them": [one, product()],
        "only a flat has one": [product(filter="r")],
        "has no detector 77": [_of_detector_77()],
    }
    for words, these in wrong.items():
        with pytest.raises(NotCertifiable, match=words):
            certify(these, valid_from=TONIGHT, valid_to=None, actor="sofia")
    with pytest.raises(NotCertifiable, match="not all of set"):
        certified(one, product_set=set_of())
    with pytest.raises(NotCertifiable, match="is empty"):
        certified(one, valid_to=TONIGHT)
    with pytest.raises(NotCertifiable, match="1677 to 2262"):
        certified(one, valid_from=2**63)
    with pytest.raises(NotCertifiable, match="override needs a reason"):
        certified(one, override=True)
    assert not CertificationAction.objects.exists()
    assert not Event.objects.filter(kind__startswith="calib").exists()


def _of_detector_77() -> Product:
    wrong = product()
    Product.objects.filter(pk=wrong.pk).update(detector=77)
    return wrong


def test_a_product_flagged_bad_is_never_certified_and_never_restored() -> None:
    bad, good = product(), product()
    certified(bad)
    deed = certified(good)
    flag_bad(bad, "sofia", "a lamp was on")
    with pytest.raises(NotCertifiable, match=r"flagged bad by sofia \(a lamp was on\)"):
        certified(bad)
    with pytest.raises(NotCertifiable, match="Certify something else"):
        roll_back(deed, "sofia", "a change of mind")
    with pytest.raises(NotCertifiable, match="already"):
        flag_bad(bad, "sofia", "again")


def test_what_was_before_a_flagged_product_stands_again_wherever_that_was_used() -> None:
    first, second, third, longterm = product(), product(), product(day_obs=20261123), product()
    certified(first)
    certified(second)
    certified(second, collection="longterm")
    certified(third)
    certified(longterm, collection="other")
    deeds = flag_bad(second, "sofia", "a lamp was on")
    assert {deed.collection for deed in deeds} == {"daily", "longterm"}
    assert [used(at) for at in (TONIGHT - 1, TONIGHT, TOMORROW - 1, TOMORROW)] == [None, first.pk, first.pk, third.pk]
    assert used(TONIGHT, chain=["longterm"]) is None
    flag_bad(third, "sofia", "too")
    assert used(TOMORROW) == first.pk
    flag_bad(first, "sofia", "too")
    assert lookup("minicam", TONIGHT, chain=["daily"]) == []


def test_of_several_before_a_flagged_product_the_newest_stands_again() -> None:
    oldest, newer, newest = product(), product(), product()
    for each in (oldest, newer, newest):
        certified(each)
    flag_bad(newest, "sofia", "a lamp was on")
    assert used(TONIGHT) == newer.pk


def test_a_product_that_somebody_took_away_does_not_come_back_by_a_flag() -> None:
    oldest, taken, newest = product(), product(), product()
    certified(oldest)
    certified(taken)
    decertify("minicam", "daily", valid_from=TONIGHT, valid_to=TOMORROW, actor="sofia", reason="a lamp was on")
    certified(newest)
    flag_bad(newest, "sofia", "too")
    assert [used(TONIGHT), used(TOMORROW)] == [oldest.pk, taken.pk]


def test_a_deed_is_known_from_after_its_turn_came_not_from_the_beginning_of_its_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (waited_until,) = cursor.fetchone()
    assert certified(product()).at > waited_until


def test_every_deed_is_an_event_of_the_same_transaction() -> None:
    bias = product()
    deed = certified(bias, reason="the lamp is known", override=True)
    roll_back(deed, "diego", "the lamp is not")
    certified(bias)
    flag_bad(bias, "diego", "light")
    told = Event.objects.filter(kind__startswith="calib").order_by("pk")
    assert [event.kind for event in told] == [
        "calib.certified",
        "calib.rolled_back",
        "calib.certified",
        "calib.product.flagged_bad",
    ]
    assert "against the checks" in told[0].text
    assert told[1].reason == "the lamp is not"


def test_the_outlook_names_age_and_what_is_missing_and_what_there_was_before() -> None:
    certified(product(day_obs=20261101), valid_from=night_of(20261101)[0])
    certified(product(detector=1, day_obs=20261120), valid_from=night_of(20261120)[0], valid_to=TONIGHT)
    first, second, third = outlook("minicam", TONIGHT, types=[BIAS], detectors=[0, 1, 2])
    assert (first.age_days, first.sentence) == (21, "That of 2026-11-01 in daily, 21 days old.")
    assert second.sentence == "Missing: the newest before is that of 2026-11-20, not valid any more."
    assert (third.found, third.earlier, third.sentence) == (None, None, "Missing: none was ever certified.")


def test_the_outlook_of_a_camera_needs_every_type_detector_and_filter() -> None:
    assert len(outlook("minicam", TONIGHT)) == 9 * (6 + 6)
    assert len(outlook("latiss", TONIGHT)) == 7


def test_the_outlook_says_of_which_night_the_newest_earlier_one_is() -> None:
    for day in (20261118, 20261119):
        begins, ends = night_of(day)
        certified(product(day_obs=day), valid_from=begins, valid_to=ends)
    (only,) = outlook("minicam", TONIGHT, types=[BIAS], detectors=[0])
    assert only.earlier is not None
    assert only.earlier.day_obs == 20261119


def test_a_whole_focal_plane_takes_as_many_queries_as_one_product(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    everything = [(kind, detector, "") for kind in ProductType for detector in range(9)]
    counts = []
    for these in (products(everything[:1]), products(everything)):
        with CaptureQueriesContext(connection) as captured:
            deed = certified(*these)
        with django_assert_num_queries(1):
            assert len(lookup("minicam", TONIGHT)) == len(these)
        assert {each.detector for each in lookup("minicam", TONIGHT, detector=0)} == {0}
        counts.append(len(captured))
        roll_back(deed, "sofia", "a lamp was on")
    assert counts[0] == counts[1] < 25


def test_the_history_of_a_slot_keeps_every_row_with_its_deeds() -> None:
    deed = certified(product())
    undoing = roll_back(deed, "diego", "a lamp was on")
    (row,) = history_of("minicam", "daily", BIAS, 0)
    assert (row.action, row.ended_by, row.known.upper) == (deed, undoing, undoing.at)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM calib_certification",
        "TRUNCATE calib_certification",
        "UPDATE calib_certification SET valid = '[0,1)'",
        "UPDATE calib_certification SET known = tstzrange(lower(known) - interval '1 day', NULL)",
        "UPDATE calib_certification SET known = tstzrange(lower(known), clock_timestamp())",
        "UPDATE calib_certification SET known = 'empty', ended_by_id = action_id",
        "DELETE FROM calib_certificationaction",
        "TRUNCATE calib_certificationaction CASCADE",
        "UPDATE calib_certificationaction SET actor = 'nobody'",
    ],
)
def test_the_database_refuses_to_forget_or_rewrite(statement: str) -> None:
    certified(product())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            cursor.execute(statement)
