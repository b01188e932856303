"""The pages of the daily calibration products: the day, tonight, a set, a product, trends."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from calib.certification import roll_back
from calib.models import CertificationAction, Product
from calib.products.gate import override
from calib.products.lane import products_lane
from calib.search import PRODUCTS
from calib.views.products import image
from calib.views.products.day import readiness
from dayops.models import Command, Run
from dayops.observing_day import ObservingDay
from dayops.web.image_cache import ImageCache
from dayops.web.work_pages.subjects import subject_url
from tests.calib.products import BEFORE, DAY, REASON, SLOTS, made_set, product_of
from tests.people import client_of

pytestmark = pytest.mark.django_db

DAY_PAGE = "/2026-11-22/calib/products/"
TONIGHT = "/2026-11-22/calib/tonight/"
TRENDS = "/calib/products/trends/"
EVERYWHERE = tuple(range(9))
FRAGMENT = {"X-DayOps-Fragment": "1"}


@pytest.fixture(autouse=True)
def _no_image_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "IMAGES", ImageCache(10**8))


def page(path: str, role: str = "observer", **headers: str) -> Any:
    response = client_of(role).get(path, headers=headers)
    assert response.status_code == 200, response.content
    return response


def text(path: str, role: str = "observer") -> str:
    found: str = page(path, role).content.decode()
    return found


def exported(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page(f"{path}{'&' if '?' in path else '?'}format=json").getvalue())
    return found


def posted(path: str, role: str, **words: Any) -> str:
    """What the page says after a form was sent."""
    client: Client = client_of(role)
    response = client.post(path, words, follow=True)
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def queries(path: str) -> int:
    """Of a page that was looked at before: the device's row is made by the first look."""
    client = client_of()
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)


class TestTheDay:
    def test_without_a_set_says_what_will_make_one(self):
        assert "No set was made of this day yet" in text(DAY_PAGE)

    def test_shows_the_stages_of_the_newest_set_with_what_is_done(self):
        made_set(state="REFUSED")
        stages = page(DAY_PAGE).context["stages"]
        assert [stage.name for stage in stages] == [
            "bias", "dark", "crosstalk", "ptc", "linearity", "flat", "defects", "verify", "certify",
        ]  # fmt: skip
        assert {stage.name: (stage.word, stage.completed, stage.total) for stage in stages}["bias"] == (
            "COMPLETED",
            1,
            1,
        )
        verify = next(stage for stage in stages if stage.name == "verify")
        assert (verify.word, verify.troubles) == ("WARN", "1 test failed")
        assert verify.took.total_seconds() == 40

    def test_tells_why_a_set_was_refused_and_what_to_do(self):
        made_set(state="REFUSED")
        found = text(DAY_PAGE)
        assert "C12 0.31" in found
        assert "exclude the exposures at fault and build again" in found

    def test_runs_a_clock_of_1200_s_while_the_set_is_made(self):
        made_set(state="MAKING")
        found = text(DAY_PAGE)
        assert "data-countdown" in found
        assert page(DAY_PAGE).context["clock"].limit_s == 1200

    def test_tells_which_frames_were_left_out(self):
        made_set()
        assert "was taken at -90.0 °C" in text(DAY_PAGE)

    def test_is_ready_once_a_set_is_certified_in_time_and_late_after(self):
        assert page(DAY_PAGE).context["ready"].word in {"PENDING", "LATE"}
        made_set()
        assert "certified" in page(DAY_PAGE).context["ready"].sentence

    def test_lists_and_exports_its_sets_newest_first(self):
        refused, certified = made_set(state="REFUSED"), made_set()
        rows = exported(DAY_PAGE)
        assert [(row["set"], row["state"]) for row in rows] == [(certified.pk, "CERTIFIED"), (refused.pk, "REFUSED")]
        assert (rows[0]["products"], rows[0]["failed"], rows[1]["failed"]) == (len(SLOTS), 0, 1)

    def test_takes_the_same_queries_for_one_detector_as_for_nine(self):
        made_set()
        few = queries(DAY_PAGE)
        made_set(detectors=EVERYWHERE)
        assert queries(DAY_PAGE) == few

    def test_polls_for_its_live_part_alone(self):
        made_set()
        found = page(DAY_PAGE, **FRAGMENT).content.decode()
        assert "<html" not in found
        assert "Sets of the day" in found


class TestTheButton:
    def test_says_why_it_cannot_be_pressed_while_the_device_is_not_enabled(self):
        assert "disabled" in text(DAY_PAGE, "operator")
        assert page(DAY_PAGE, "operator").context["may_not"]

    def test_commands_the_device_for_the_reason_given(self):
        found = posted(f"{DAY_PAGE}start/", "operator", reason="the OCS is away")
        command = Command.objects.get(name="execute")
        assert command.parameters["data_query"] == {"day_obs": "2026-11-22", "exclude": []}
        assert f"answered {command.ack}" in found

    def test_asks_for_a_reason(self):
        assert "A reason is needed" in posted(f"{DAY_PAGE}start/", "operator")
        assert not Command.objects.exists()


class TestTonight:
    def test_is_missing_everything_before_anything_was_certified(self):
        found = page(TONIGHT).context["tonight"]
        assert found.word == "MISSING"
        assert found.sentence.startswith("Nothing is certified for the night of 2026-11-22: all 99 products")

    def test_is_complete_with_a_whole_set_of_the_day(self):
        made_set(detectors=EVERYWHERE)
        found = page(TONIGHT).context["tonight"]
        assert found.word == "OK"
        assert found.sentence == "Tonight is complete: all 99 products are of 2026-11-22."
        assert not found.gaps

    def test_falls_back_to_earlier_days_and_says_why(self):
        old = made_set(BEFORE, detectors=EVERYWHERE)
        refused = made_set(state="REFUSED", detectors=EVERYWHERE)
        context = page(TONIGHT).context
        assert context["tonight"].sentence.endswith("99 of 99 products are of earlier days, the oldest 1 day old.")
        (_, _, tags), *_ = context["grid"].rows
        assert len(context["grid"].rows) == len(SLOTS)
        assert (tags[0].words, tags[0].look) == ("1 d old", "warn")
        assert tags[0].url == f"/calib/products/{product_of(old, 'bias', detector=0).pk}/"
        assert tags[0].candidate_url == f"/calib/products/{product_of(refused, 'bias', detector=0).pk}/"
        whys = [why for why, _ in context["tonight"].reasons]
        assert f"Set {refused.pk} was refused. {REASON}" in whys
        assert f"Set {refused.pk} was refused for another product. {REASON}" in whys

    def test_tells_the_verification_of_what_is_used_in_its_table(self):
        made_set(detectors=EVERYWHERE)
        row = exported(f"{TONIGHT}?type=Bias")[0]
        assert (row["state"], row["passed"], row["failed"], row["age_days"]) == ("OK", 1, 0, 0)

    def test_is_answered_as_it_was_known_before(self):
        made_set(detectors=EVERYWHERE)
        found = page(f"{TONIGHT}?known=2020-01-01T00:00").context["tonight"]
        assert found.word == "MISSING"
        assert "No set was made" in found.reasons[0][0]

    def test_refuses_an_instant_that_is_none(self):
        response = client_of().get(f"{TONIGHT}?known=yesterday")
        assert response.status_code == 400
        assert "is not an instant" in response.content.decode()

    def test_tells_what_was_flagged_bad(self):
        made = made_set(detectors=EVERYWHERE)
        posted(f"/calib/products/{product_of(made, 'dark').pk}/flag/", "scientist", reason="light")
        found = page(TONIGHT).context["tonight"]
        assert [why for why, _ in found.reasons] == [f"That of set {made.pk} was flagged bad by scientist: light"]

    def test_takes_the_same_queries_however_many_products(self):
        made_set(detectors=(0,))
        few = queries(TONIGHT)
        made_set(detectors=range(8))
        assert queries(TONIGHT) == few

    def test_counts_by_raft_where_there_are_many_detectors(self, settings):
        settings.CAMERA = "lsstcam"
        made_set(detectors=(0, 1), camera="lsstcam")
        context = page(TONIGHT).context
        assert len(context["grid"].heads) == 21
        assert {len(tags) for _, _, tags in context["grid"].rows} == {21}
        assert len(page(f"{TONIGHT}?raft=R22").context["grid"].heads) == 9


class TestASet:
    def test_shows_its_failed_tests_first_with_the_worst_amplifier(self):
        made = made_set(state="REFUSED")
        first = exported(f"/calib/products/sets/{made.pk}/")[0]
        assert (first["passed"], first["worst"], first["amplifier"]) == ("FAILED", 0.31, "C12")
        assert (first["lower"], first["upper"], first["incumbent"]) == (-0.05, 0.05, 0.02)
        assert len(exported(f"/calib/products/sets/{made.pk}/?passed=False")) == 1

    def test_is_certified_by_hand_for_a_reason_by_those_who_may(self):
        made = made_set(state="REFUSED")
        address = f"/calib/products/sets/{made.pk}/override/"
        assert client_of("operator").post(address, {"reason": "x"}).status_code == 403
        assert "A reason is needed" in posted(address, "scientist")
        assert "is certified by your word" in posted(address, "scientist", reason="C12 is known")
        assert CertificationAction.objects.get().override

    def test_that_was_certified_says_why_it_cannot_be_certified_again(self):
        made = made_set()
        found = page(f"/calib/products/sets/{made.pk}/", "scientist").context
        assert found["may_not_override"].startswith("The set is certified")
        assert found["may_not_roll_back"].startswith("Only the group")

    def test_is_rolled_back_and_what_was_before_is_used_again(self):
        before, made = made_set(BEFORE), made_set()
        address = f"/calib/products/sets/{made.pk}/rollback/"
        assert "is rolled back" in posted(address, "operator", reason="stripes in the flats")
        assert {
            cell.outlook.found.day_obs for cell in page(TONIGHT).context["tonight"].cells if cell.outlook.found
        } == {before.day_obs}
        assert "Nothing of this set is certified" in posted(address, "operator", reason="again")

    def test_is_built_again_without_the_exposures_that_were_ticked(self):
        made = made_set(state="REFUSED")
        address = f"/calib/products/sets/{made.pk}/rebuild/"
        assert "Tick at least one" in posted(address, "operator", reason="x")
        posted(address, "operator", reason="light in it", exclude=["MC_S_20261122_000001"])
        query = Command.objects.get().parameters["data_query"]
        assert query == {"day_obs": "2026-11-22", "exclude": ["MC_S_20261122_000001"]}

    def test_offers_every_exposure_that_it_was_made_of(self):
        made = made_set(detectors=(3, 4))
        offered = [each.name for each, _ in page(f"/calib/products/sets/{made.pk}/").context["exposures"]]
        assert offered == [f"MC_S_20261122_{number:06d}" for number in (1, 2, 3)]

    def test_takes_the_same_queries_for_one_detector_as_for_nine(self):
        few = queries(f"/calib/products/sets/{made_set().pk}/")
        assert queries(f"/calib/products/sets/{made_set(detectors=EVERYWHERE).pk}/") == few


class TestAProduct:
    @pytest.mark.parametrize("slot", SLOTS)
    def test_has_a_page_and_every_figure_of_its_type(self, slot):
        made_set(BEFORE, slots=[slot], files=True)
        product = product_of(made_set(slots=[slot], files=True, level=3.0), *slot)
        context = page(f"/calib/products/{product.pk}/").context
        assert context["incumbent"].day_obs == BEFORE
        for url, _, _ in context["figures"]:
            assert page(url).json()["data"]
        for plane in context["planes"]:
            assert page(plane["info"]).json()["width"] == 1024
            assert page(plane["tiles"].format(z=1, x=0, y=0)).content.startswith(b"\x89PNG")

    def test_shows_each_amplifier_beside_the_certified_one(self):
        made_set(BEFORE, slots=[("ptc", "")])
        product = product_of(made_set(slots=[("ptc", "")], level=3.0), "ptc")
        row = exported(f"/calib/products/{product.pk}/")[0]
        assert (row["gain"], row["gain_certified"]) == (pytest.approx(1.53 * 0.98), pytest.approx(1.5 * 0.98))

    def test_reads_a_pixel_in_each_plane(self):
        old = product_of(made_set(BEFORE, slots=[("bias", "")], files=True), "bias")
        product = product_of(made_set(slots=[("bias", "")], files=True, level=3.0), "bias")

        def value(plane: str) -> dict[str, Any]:
            address = f"/calib/products/{product.pk}/image/{plane}/{old.pk}/pixel/?x=20&y=10"
            found: dict[str, Any] = page(address).json()
            return found

        assert value("difference")["value"] == pytest.approx(3.0, abs=0.1)
        assert value("ratio")["value"] == pytest.approx(value("new")["value"] / value("incumbent")["value"])
        assert value("mask")["unit"] == "BAD HOT"
        assert value("variance")["unit"] == "(ADU)²"

    def test_is_compared_only_with_its_own_slot(self):
        product = product_of(made_set(slots=[("bias", ""), ("dark", "")], files=True), "bias")
        other = Product.objects.get(type="dark")
        response = client_of().get(f"/calib/products/{product.pk}/image/difference/{other.pk}/")
        assert response.status_code == 404
        assert "is not of the same slot" in response.content.decode()

    def test_tells_which_defects_are_new_and_which_vanished(self):
        made_set(BEFORE, slots=[("defects", "")], files=True)
        product = product_of(made_set(slots=[("defects", "")], files=True, level=8.0), "defects")
        rows = exported(f"/calib/products/{product.pk}/")
        assert [(row["fate"], row["x0"]) for row in rows] == [
            ("new", 108),
            ("vanished", 100),
            ("kept", 20),
            ("kept", 300),
        ]

    def test_whose_file_is_lost_says_so_and_keeps_its_page(self):
        product = product_of(made_set(slots=[("defects", "")]), "defects")
        page(f"/calib/products/{product.pk}/")
        response = client_of().get(f"/calib/products/{product.pk}/file/")
        assert response.status_code == 404
        assert "does not hold the file" in response.content.decode()

    def test_tells_where_it_comes_from_and_what_was_certified(self):
        product = product_of(made_set(), "bias")
        context = page(f"/calib/products/{product.pk}/").context
        assert [(use, row["exposure"]) for use, row, _ in context["frames"]] == [
            ("combined", "MC_S_20261122_000002"),
            ("combined", "MC_S_20261122_000003"),
            ("held out", "MC_S_20261122_000001"),
        ]
        assert [spell.is_this for spell in context["history"]] == [True]

    def test_is_flagged_bad_once_for_a_reason(self):
        product = product_of(made_set(), "bias")
        address = f"/calib/products/{product.pk}/flag/"
        assert "A reason is needed" in posted(address, "scientist")
        assert "is flagged bad and taken out of daily" in posted(address, "scientist", reason="a ghost")
        assert "Flagged bad by scientist" in text(f"/calib/products/{product.pk}/")
        assert "flagged bad by scientist already" in posted(address, "scientist", reason="again")

    def test_downloads_as_it_was_made(self):
        product = product_of(made_set(slots=[("bias", "")], files=True), "bias")
        response = page(f"/calib/products/{product.pk}/file/")
        assert response["Content-Disposition"].endswith(f'"bias_R22_S11_20261122_set{product.product_set_id}.fits.fz"')
        assert len(response.getvalue()) == product.size


class TestTrends:
    def test_have_a_point_for_each_set_with_what_became_of_it(self):
        made_set(BEFORE)
        made_set(state="REFUSED", level=3.0)
        rows = exported(f"{TRENDS}?type=ptc&number=gain&detector=R22_S11&until=2026-11-22")
        assert [(row["day_obs"], row["state"]) for row in rows] == [
            ("2026-11-22", "REFUSED"),
            ("2026-11-21", "CERTIFIED"),
        ]
        assert (rows[0]["median"], rows[1]["median"]) == (pytest.approx(1.53, abs=0.01), pytest.approx(1.5, abs=0.01))

    @pytest.mark.parametrize("words", ["type=ptc&number=turnoff", "type=defects&number=boxes", "type=flat&filter=g"])
    @pytest.mark.parametrize("detector", ["", "&detector=R22_S11"])
    def test_are_drawn(self, words, detector):
        made_set(BEFORE)
        made_set()
        figure = page(f"{TRENDS}figure/?{words}{detector}&until=2026-11-22").json()
        assert [trace["name"] for trace in figure["data"] if trace.get("mode") == "markers"] == ["certified"]

    def test_without_a_product_say_so(self):
        assert "No product in these days" in text(TRENDS)

    def test_mark_what_people_did_to_certifications(self):
        made = made_set(state="REFUSED")
        posted(f"/calib/products/sets/{made.pk}/override/", "scientist", reason="known stripe")
        assert [mark.text for mark in page(TRENDS).context["marks"]] == [
            "Certified against the checks by scientist: known stripe"
        ]

    @pytest.mark.parametrize("words", ["type=crosstalk", "detector=R99_S99", "days=0", "until=yesterday"])
    def test_refuse_what_makes_no_sense(self, words):
        assert client_of().get(f"{TRENDS}?{words}").status_code in {400, 404}

    def test_take_one_query_more_for_no_more_products(self):
        made_set()
        few = queries(TRENDS)
        made_set(detectors=EVERYWHERE)
        assert queries(TRENDS) == few


class TestSubjects:
    def test_of_events_lead_to_their_pages(self):
        made = made_set()
        deed = CertificationAction.objects.get()
        set_page = f"/calib/products/sets/{made.pk}/"
        product = product_of(made, "bias").pk
        for subject, address in (
            (f"productset:{made.pk}", set_page),
            (f"certification:{deed.pk}", set_page),
            (f"product:{product}", f"/calib/products/{product}/"),
        ):
            assert client_of().get(subject_url(subject, DAY))["Location"] == address


class TestTheLane:
    def test_before_a_set_says_who_will_make_one(self):
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.expected, found.url) == ("NONE", None, DAY_PAGE)
        assert found.latest_safe_start == ObservingDay(DAY).evening_twilight - timedelta(hours=1, seconds=1200)

    def test_follows_a_set_in_the_making(self):
        made_set(state="MAKING")
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.done, found.expected) == ("EXECUTING", 0, 9)

    def test_is_well_with_a_certified_set(self):
        made = made_set()
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.done, found.sentence) == ("OK", 9, f"Set {made.pk} is certified for tonight.")
        assert found.latest_safe_start is None

    def test_knows_that_a_certified_set_was_rolled_back(self):
        made = made_set()
        roll_back(made.actions.get(), actor="otto", reason="the lamp flickered")
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.sentence) == (
            "ERROR",
            f"Set {made.pk} was certified and taken back; those of earlier days stay in use.",
        )
        assert readiness(ObservingDay(DAY), ObservingDay(DAY).begins).word == "PENDING"

    def test_tells_why_a_set_was_refused_and_what_stays(self):
        made_set(state="REFUSED")
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.blocked_by) == ("ERROR", REASON)
        assert found.sentence.endswith("those of earlier days stay in use.")

    def test_only_warns_where_another_set_of_the_day_is_certified(self):
        certified = made_set()
        made_set(state="REFUSED")
        found = products_lane(ObservingDay(DAY))
        assert found.state == "WARN"
        assert f"set {certified.pk} of the day stays in use" in found.sentence

    def test_keeps_in_mind_that_a_person_overrode_the_checks(self):
        made = made_set(state="REFUSED")
        override(made, "sofia", "known")
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.sentence) == (
            "WARN",
            f"Set {made.pk} is certified by sofia against the checks for tonight.",
        )

    def test_says_that_the_run_failed(self):
        made = made_set(state="MAKING")
        Run.objects.filter(pk=made.run_id).update(phase="ERROR", ended_at=now(), error="the disk is full")
        found = products_lane(ObservingDay(DAY))
        assert (found.state, found.blocked_by) == ("ERROR", "The run failed: open it, read the error and retry.")
        assert "the disk is full" in found.sentence

    def test_takes_four_queries_however_full_the_day(self, django_assert_num_queries):
        made_set()
        made_set(detectors=EVERYWHERE)
        with django_assert_num_queries(4):
            products_lane(ObservingDay(DAY))


class TestTheSearch:
    def test_finds_products_by_any_of_their_words(self):
        made = made_set()
        (hit,) = PRODUCTS.find(["R22_S11", "flat", "g", "2026-11-22"])
        assert hit.url == f"/calib/products/{product_of(made, 'flat', 'g').pk}/"
        assert hit.about == f"set {made.pk}, certified"

    def test_leads_straight_to_a_set(self):
        made = made_set(state="REFUSED")
        assert PRODUCTS.exact(f"set {made.pk}") == f"/calib/products/sets/{made.pk}/"
        assert PRODUCTS.exact("set 999999") == PRODUCTS.exact("set sail") == ""
