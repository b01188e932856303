"""Which frames masters are made of, and which are kept aside: rows only, no pixels."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calib import reviews
from calib.models import Assessment, CheckResult, Finding, Judgement, Level, Measurement
from calib.products import selection as selecting
from calib.products.configuration import configuration
from calib.products.selection import Candidate, Chosen, ChosenPairs, Selection, expected_filters, select
from dayops.camera import load
from dayops.models import Exposure, RawFrame
from dayops.observing_day import ObservingDay
from tests.calib.certified import product
from tests.calib.exposures import DAY, archived, exposure, quarantined

BEFORE, WEEK_BEFORE = 20261121, 20261115
MINICAM = load("minicam")
BANDS = ("g", "r", "i", "z", "y")
pytestmark = pytest.mark.django_db


def taken(
    image_type: str = "BIAS",
    seconds: Sequence[float] = (0.0, 0.0, 0.0),
    *,
    band: str = "",
    day_obs: int = DAY,
    detectors: Sequence[int] = (4,),
    camera: str = "minicam",
    begins: datetime | None = None,
    level: float = 2000.0,
    **cards: Any,
) -> list[RawFrame]:
    """Frames that may be used, in a row: one exposure of `detectors` for each of `seconds`."""
    frames = []
    for exposure_s in seconds:
        number = Exposure.objects.count() + 1
        began = (begins or ObservingDay(day_obs).begins + timedelta(hours=4)) + timedelta(seconds=30 * number)
        of = exposure(
            number, name=f"MC_S_{day_obs}_{number:06d}", camera=camera, image_type=image_type, filter=band,
            exposure_s=exposure_s, day_obs=day_obs, began_at=began,
        )  # fmt: skip
        header = {"CCDTEMP": -100.0, "TEMP_SET": -100.0, "SEQCKSUM": "ab12", **cards}
        frames += [usable(archived(of, detector, header=header), level) for detector in detectors]
    return frames


def usable(frame: RawFrame, level: float = 2000.0, verdict: Level = Level.OK) -> RawFrame:
    """Measured, and judged to be as good as `verdict`; a flat of `level` e⁻/s."""
    of = frame.exposure
    common = {"exposure": of, "detector": frame.detector}
    Assessment.objects.create(frame=frame, level=verdict, code_version="a test", **common)
    if of.image_type == "FLAT":
        Measurement.objects.create(frame=frame, metric="flat_level", values=[level] * 16, levels=[0] * 16, **common)
    Judgement.objects.filter(exposure=of).delete()
    Judgement.objects.create(exposure=of, level=verdict, measured=9, expected=9, code_version="a test")
    return frame


def selected(day_obs: int = DAY, exclude: Sequence[int] = (), **changes: Any) -> Selection:
    return select(MINICAM, day_obs, configuration("daily", changes), exclude)


def chosen(kind: str = "bias", band: str = "", detector: int = 4, *, of: Selection | None = None) -> Chosen:
    found = of or selected()
    return next(one for one in found.images if (one.type, one.filter, one.detector) == (kind, band, detector))


def pairs(of: Selection | None = None, detector: int = 4) -> ChosenPairs:
    return next(one for one in (of or selected()).pairs if one.detector == detector)


def keys(frames: Sequence[RawFrame]) -> tuple[int, ...]:
    return tuple(frame.pk for frame in frames)


class TestTheHeldOutFrame:
    def test_is_the_middle_one_of_the_days_biases(self):
        frames = taken()
        found = chosen()
        assert found.held_out == frames[1].pk
        assert found.inputs == keys([frames[0], frames[2]])

    def test_is_the_dark_of_middle_exposure_time_whenever_it_was_taken(self):
        frames = taken("DARK", (180, 15, 60))
        found = chosen("dark")
        assert found.held_out == frames[2].pk
        assert found.inputs == keys(frames[:2])

    def test_is_the_earlier_of_the_two_in_the_middle(self):
        frames = taken(seconds=(0,) * 4)
        assert chosen().held_out == frames[1].pk

    def test_is_one_of_today_however_many_there_were_before(self):
        before = taken(seconds=(0,) * 5, day_obs=BEFORE)
        today = taken(seconds=(0,))
        found = chosen()
        assert found.held_out == today[0].pk
        assert found.inputs == keys(before)

    def test_is_of_the_same_filter(self):
        red, green = taken("FLAT", (15,) * 3, band="r"), taken("FLAT", (15,) * 3, band="g")
        assert (chosen("flat", "r").held_out, chosen("flat", "g").held_out) == (red[1].pk, green[1].pk)


class TestTheWindow:
    def test_is_of_as_many_days_as_are_configured_today_included(self):
        old, first = taken(day_obs=WEEK_BEFORE), taken(day_obs=20261116)
        today = taken()
        assert chosen().inputs == keys([*first, today[0], today[2]])
        assert chosen(of=selected(days=8)).inputs == keys([*old, *first, today[0], today[2]])
        assert chosen(of=selected(days=1)).inputs == keys([today[0], today[2]])

    def test_ends_with_the_day_itself(self):
        today = taken()
        taken(day_obs=20261123)
        assert chosen().inputs == keys([today[0], today[2]])

    def test_keeps_the_newest_where_there_are_too_many(self):
        frames = taken(seconds=(0,) * 6)
        assert chosen(of=selected(maximum_frames=2)).inputs == keys(frames[4:])

    def test_counts_across_the_end_of_a_month(self):
        before = taken(day_obs=20261129)
        taken(day_obs=20261201)
        assert set(keys(before)) < set(chosen(of=selected(20261201, days=3)).inputs)

    def test_goes_on_over_midnight(self):
        """dayObs is the date of TAI - 12 h: 00:00 UTC is the middle of it."""
        frames = taken(begins=datetime(2026, 11, 22, 23, 58, 45, tzinfo=UTC))
        days = {frame.exposure.began_at.date().day for frame in frames}
        assert days == {22, 23}
        assert chosen(of=selected(days=1)).inputs == keys([frames[0], frames[2]])

    def test_breaks_at_the_roll_over_though_frames_are_seconds_apart(self):
        roll_over = ObservingDay(DAY).begins
        late = taken(day_obs=BEFORE, begins=roll_over - timedelta(seconds=100))
        early = taken(begins=roll_over - timedelta(seconds=80))
        assert early[0].exposure.began_at - late[2].exposure.began_at < timedelta(seconds=60)
        found = chosen(of=selected(days=1))
        assert set(found.inputs) | {found.held_out} == set(keys(early))


class TestTooFew:
    def test_frames_are_told_with_how_many_there_should_be(self):
        taken(seconds=(0, 0))
        found = chosen()
        assert found.inputs == ()
        assert found.held_out is None
        assert found.problem == "There are 2 usable frames: expected 2 to combine and one to verify with."

    def test_frames_are_as_many_as_the_configuration_wants(self):
        taken(seconds=(0,) * 4)
        assert not chosen(of=selected(minimum_frames=3)).problem
        assert chosen(of=selected(minimum_frames=4)).problem == (
            "There are 4 usable frames: expected 4 to combine and one to verify with."
        )

    def test_frames_of_today_are_told_though_there_were_some_yesterday(self):
        taken(seconds=(0,) * 9, day_obs=BEFORE)
        taken("DARK", (15, 60, 180))
        assert chosen().problem == "There is no usable frame of the day."

    def test_frames_of_a_whole_day_are_refused_in_a_sentence(self):
        taken(day_obs=BEFORE)
        with pytest.raises(ValueError, match=r"^There is no usable calibration frame of 2026-11-22: masters need"):
            selected()

    def test_detectors_leave_the_others_alone(self):
        frames = taken(detectors=(0, 1))
        assert chosen(detector=0).inputs == keys([frames[0], frames[4]])
        assert chosen(detector=2).problem == "There is no usable frame of the day."


class TestNeverUsed:
    def after(self, frames: list[RawFrame]) -> None:
        """Of five biases the first is not to be used."""
        found = chosen()
        assert frames[0].pk not in (*found.inputs, found.held_out)
        assert set(found.inputs) | {found.held_out} == set(keys(frames[1:]))

    def test_is_a_frame_that_people_rejected(self):
        frames = taken(seconds=(0,) * 5)
        reviews.reject(frames[0].exposure, frames[0], "sofia", "light")
        self.after(frames)

    def test_is_an_exposure_that_people_rejected(self):
        frames = taken(seconds=(0,) * 5)
        reviews.reject(frames[0].exposure, None, "sofia", "light")
        self.after(frames)

    def test_is_a_frame_in_error(self):
        """LCOGT/banzai #211: bad frames went into the stack."""
        frames = taken(seconds=(0,) * 5)
        Assessment.objects.filter(frame=frames[0]).update(level=Level.ERROR)
        self.after(frames)

    def test_is_a_frame_that_a_check_of_its_exposure_spoils(self):
        frames = taken(seconds=(0,) * 5)
        judgement = Judgement.objects.get(exposure=frames[0].exposure)
        CheckResult.objects.create(judgement=judgement, check_name="light_in_bias", level=Level.ERROR, value=30)
        self.after(frames)

    def test_is_a_frame_that_was_not_judged(self):
        frames = taken(seconds=(0,) * 5)
        Judgement.objects.filter(exposure=frames[0].exposure).delete()
        self.after(frames)

    def test_is_a_quarantined_frame(self):
        frames = taken(seconds=(0,) * 5)
        RawFrame.objects.filter(pk=frames[0].pk).update(state="QUARANTINED", reason="other bytes came before")
        usable(quarantined(frames[1].exposure, 4))
        self.after(frames)

    def test_is_a_frame_that_the_command_excludes(self):
        frames = taken(seconds=(0,) * 5)
        found = chosen(of=selected(exclude=[frames[2].pk]))
        assert found.held_out == frames[1].pk, "the middle of the four that are left"
        assert frames[2].pk not in found.inputs

    def test_is_a_frame_of_another_camera(self):
        frames = taken()
        taken(camera="comcam")
        found = chosen()
        assert set(found.inputs) | {found.held_out} == set(keys(frames))

    def test_is_a_flat_of_another_filter(self):
        frames = taken("FLAT", (15,) * 3, band="r")
        taken("FLAT", (15,) * 3, band="g")
        found = chosen("flat", "r")
        assert set(found.inputs) | {found.held_out} == set(keys(frames))

    def test_is_a_flat_of_a_filter_that_is_not_in_the_plan(self):
        taken("FLAT", (15,) * 3, band="u")
        assert {one.filter for one in selected().images if one.type == "flat"} == set(BANDS) == {*expected_filters(DAY)}

    def test_is_a_pair_of_the_photon_transfer_curve_as_a_flat(self):
        frames = taken("FLAT", (15,) * 3, band="r")
        taken("PTC", (0.5, 0.5), band="r")
        found = chosen("flat", "r")
        assert set(found.inputs) | {found.held_out} == set(keys(frames))

    def test_is_an_old_master_as_an_input(self):
        """LCOGT/banzai #248: old masters within the range of dates were stacked into new ones.

        Masters are no raw frames here: with the same key, date and detector as a frame they are still none.
        """
        frames = taken()
        product(detector=4, pk=frames[-1].pk + 1)
        product(detector=4, pk=frames[0].pk, day_obs=BEFORE)
        found = chosen()
        assert set(found.inputs) | {found.held_out} == set(keys(frames))

    def test_is_a_master_that_was_flagged_bad(self):
        """LCOGT/banzai #252: masters marked bad were still selected. Of masters nothing is selected at all."""
        taken()
        with CaptureQueriesContext(connection) as asked:
            selected()
        assert not [query for query in asked if "calib_product" in query["sql"]]


class TestADetectorWithATroubleInAllOfItsFrames:
    def trouble(self, frame: RawFrame, metric: str = "crosstalk", level: Level = Level.ERROR) -> None:
        Finding.objects.create(assessment=frame.assessment, metric=metric, level=level, value=0.02)

    @pytest.mark.parametrize("metric", ["crosstalk", "gain_change"])
    def test_gives_nothing_of_that_day_and_says_so(self, metric):
        frames = taken()
        self.trouble(frames[0], metric)
        found = selected()
        assert chosen(of=found).problem == "There is no usable frame of the day."
        said = f"R22_S11: nothing of 2026-11-22 is used, for its {metric.replace('_', ' ')} was in ERROR that day"
        assert found.left_out == [f"{said}, which is in all of its frames."]

    def test_gives_those_of_other_days(self):
        before = taken(day_obs=20261121)
        today = taken()
        self.trouble(before[0])
        assert set(chosen().inputs) < set(keys(today))

    @pytest.mark.parametrize(("metric", "level"), [("crosstalk", Level.WARN), ("mean", Level.ERROR)])
    def test_is_another_than_one_with_a_warning_or_a_trouble_of_one_frame(self, metric, level):
        frames = taken()
        self.trouble(frames[0], metric, level)
        assert chosen().problem == ""


class TestFramesThatDoNotGoWithTheOthers:
    def test_are_left_out_for_their_temperature_with_a_sentence(self):
        frames = taken(seconds=(0,) * 4)
        warm = taken(seconds=(0,), CCDTEMP=-95.0)
        found = selected()
        assert warm[0].pk not in (*chosen(of=found).inputs, chosen(of=found).held_out)
        assert set(chosen(of=found).inputs) | {chosen(of=found).held_out} == set(keys(frames))
        name = warm[0].exposure.name
        assert found.left_out == [f"R22_S11 {name} was taken at -95.0 °C: expected -100.0 ± 1 °C."]

    def test_are_as_many_as_the_tolerance_says(self):
        taken(seconds=(0,) * 4)
        taken(seconds=(0,), CCDTEMP=-95.0)
        assert selected(temperature_tolerance_c=6).left_out == []

    def test_are_left_out_for_their_settings_with_a_sentence_that_names_them(self):
        taken(seconds=(0,) * 4)
        mixed = taken(seconds=(0,), SEQCKSUM="cd34", CCDSUM="2 2")
        found = selected()
        assert mixed[0].pk not in chosen(of=found).inputs
        assert found.left_out == [
            f"R22_S11 {mixed[0].exposure.name} was taken with other settings (SEQCKSUM cd34 instead of ab12, "
            "CCDSUM 2 2 instead of none)."
        ]

    def test_are_those_of_yesterday_where_the_set_point_was_changed(self):
        taken(day_obs=BEFORE, TEMP_SET=-110.0, CCDTEMP=-110.0)
        today = taken(seconds=(0,) * 3)
        found = selected()
        assert chosen(of=found).inputs == keys([today[0], today[2]])
        assert len(found.left_out) == 3

    def test_may_lack_a_temperature_or_have_one_that_is_no_number(self):
        frames = [*taken(seconds=(0,), CCDTEMP=None), *taken(seconds=(0,), CCDTEMP="cold"), *taken(seconds=(0,))]
        found = chosen()
        assert set(found.inputs) | {found.held_out} == set(keys(frames))

    def test_are_looked_for_in_each_detector_by_itself(self):
        taken(detectors=(0, 1))
        taken(seconds=(0,), detectors=(1,), CCDTEMP=-90.0)
        assert [sentence[:7] for sentence in selected().left_out] == ["R22_S01"]

    def test_with_a_temperature_that_is_not_a_number_are_left_out(self):
        taken(seconds=(0,) * 4)
        odd = taken(seconds=(0,), CCDTEMP="nan")
        assert odd[0].pk in (*chosen().inputs, chosen().held_out), "no temperature is known"


class TestScalesOfFlats:
    def test_bring_every_exposure_to_the_same_light(self):
        frames = []
        for level in (1000.0, 2000.0, 4000.0):
            frames += taken("FLAT", (15,), band="r", detectors=(3, 4), level=level)
        found = chosen("flat", "r")
        assert found.scales == pytest.approx((1 / 15_000, 1 / 60_000))

    def test_are_the_same_for_all_detectors_however_bright_they_are(self):
        for _ in range(3):
            one = taken("FLAT", (15,), band="r", detectors=())
            assert one == []
            of = Exposure.objects.order_by("pk").last()
            assert of is not None
            for detector, level in ((3, 1000.0), (4, 3000.0)):
                usable(archived(of, detector, header={}), level)
        found = selected()
        assert chosen("flat", "r", 3, of=found).scales == chosen("flat", "r", 4, of=found).scales
        assert chosen("flat", "r", 3, of=found).scales == pytest.approx((1 / 30_000,) * 2)

    def test_are_common_to_the_focal_plane_though_a_detector_is_missing_in_one_exposure(self):
        for number in range(4):
            taken("FLAT", (15,), band="r", detectors=())
            of = Exposure.objects.order_by("pk").last()
            assert of is not None
            for detector, level in ((3, 1000.0), (4, 3000.0), (5, 2000.0)):
                if (number, detector) != (3, 4):
                    usable(archived(of, detector, header={}), level)
        found = selected()
        by_exposure: dict[int, set[float]] = {}
        exposures = dict(RawFrame.objects.values_list("pk", "exposure"))
        for one in found.images:
            if one.type == "flat" and one.filter == "r":
                for frame, scale in zip(one.inputs, one.scales, strict=True):
                    by_exposure.setdefault(exposures[frame], set()).add(scale)
        assert len(by_exposure) == 3
        assert {len(scales) for scales in by_exposure.values()} == {1}, "one scale for each exposure"

    def test_need_a_measured_level(self):
        taken("FLAT", (15,) * 3, band="r")
        Measurement.objects.all().delete()
        assert chosen("flat", "r").problem == "A flat has no measured level to be normalised by."

    def test_need_light(self):
        taken("FLAT", (15,) * 3, band="r", level=0.0)
        assert chosen("flat", "r").problem == "A flat has no measured level to be normalised by."

    def test_need_light_that_is_a_number(self):
        taken("FLAT", (15,) * 3, band="r", level=float("nan"))
        assert chosen("flat", "r").problem == "A flat has no measured level to be normalised by."

    def test_are_none_for_biases_and_darks(self):
        taken()
        taken("DARK", (15, 60, 180))
        assert chosen().scales == chosen("dark").scales == ()


class TestPairs:
    def test_are_neighbours_of_the_same_light(self):
        ptc = taken("PTC", (2, 2, 36, 36), band="r")
        flats = taken("FLAT", (15,) * 3, band="r")
        found = pairs()
        assert [(pair.first, pair.second) for pair in found.pairs] == [
            keys(ptc[:2]), keys(flats[:2]), keys(ptc[2:])
        ]  # fmt: skip
        assert found.held_out is None, "three are too few to spare one"

    def test_leave_an_odd_one_over(self):
        taken("PTC", (2, 2, 2), band="r")
        assert len(pairs().pairs) == 1

    def test_are_not_made_of_different_days_filters_times_or_kinds(self):
        taken("PTC", (2,), band="r", day_obs=BEFORE)
        taken("PTC", (2, 3), band="r")
        taken("PTC", (2,), band="g")
        taken("FLAT", (2,), band="r")
        assert pairs().problem == "There is no pair of usable flats of equal light of the day."

    def test_need_one_of_today(self):
        taken("PTC", (2, 2), band="r", day_obs=BEFORE)
        taken()
        assert pairs().problem == "There is no pair of usable flats of equal light of the day."

    def test_spare_one_whose_filter_has_a_single_time_and_says_nothing_of_linearity(self):
        taken("PTC", (2, 2, 36, 36), band="r")
        taken("FLAT", (15,) * 3, band="r")
        green = taken("FLAT", (15,) * 3, band="g")
        found = pairs()
        assert found.held_out is not None
        assert (found.held_out.first, found.held_out.second) == keys(green[:2])
        assert len(found.pairs) == 3

    def test_spare_the_middle_one_where_all_say_something_of_linearity(self):
        frames = taken("PTC", (1, 1, 2, 2, 3, 3, 4, 4), band="r")
        found = pairs()
        assert found.held_out is not None
        assert found.held_out.first == frames[4].pk

    def test_of_a_week_are_all_in_the_curve(self):
        for day in range(20261116, DAY + 1):
            taken("PTC", (2, 2, 36, 36), band="r", day_obs=day)
        found = pairs()
        assert len(found.pairs) == 13
        assert found.held_out is not None
        assert found.held_out.day_obs == DAY


def test_four_questions_are_asked_however_many_frames_there_are():
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            selected()
        return len(queries)

    taken()
    assert asked() <= 4
    for band in BANDS:
        taken("FLAT", (15,) * 4, band=band, detectors=range(9))
    assert asked() <= 4


def test_every_detector_and_filter_has_its_place_though_nothing_can_be_made():
    taken(seconds=(0,))
    found = selected()
    assert len(found.images) == 9 * 7
    assert len(found.pairs) == 9
    assert all(one.problem for one in found.images)
    assert all(one.problem for one in found.pairs)


def test_it_does_not_matter_in_which_order_frames_came():
    begins = ObservingDay(DAY).begins + timedelta(hours=5)
    late = taken(seconds=(0,), begins=begins + timedelta(hours=2))
    first = taken(seconds=(0,), begins=begins)
    middle = taken(seconds=(0,), begins=begins + timedelta(hours=1))
    found = chosen()
    assert (found.held_out, found.inputs) == (middle[0].pk, keys([first[0], late[0]]))


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Frames of one detector of some days, in any order, of which some do not go with the others."""
    begin = datetime(2026, 11, 20, 16, tzinfo=UTC)
    count = draw(st.integers(1, 24))
    return [
        Candidate(
            frame=number,
            detector=4,
            exposure=number,
            exposure_name=f"E{number}",
            image_type=draw(st.sampled_from(["BIAS", "DARK", "FLAT", "PTC"])),
            filter=draw(st.sampled_from(["r", "g"])),
            exposure_s=draw(st.sampled_from([0.0, 15.0, 60.0])),
            day_obs=20261120 + number * 3 // (count + 1),
            began_at=begin + timedelta(hours=72 * number / (count + 1)),
            temperature=draw(st.sampled_from([-100.0, -99.9, -90.0, None])),
            settings=(draw(st.sampled_from(["a", "a", "a", "b"])),) * 3,
        )
        for number in range(count)
    ]


def selection_of(found: list[Candidate], monkeypatch: pytest.MonkeyPatch) -> Selection | None:
    monkeypatch.setattr(selecting, "_candidates", lambda *_: found)
    try:
        return select(MINICAM, DAY, configuration("daily"))
    except ValueError:
        return None


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=candidates())
def test_no_frame_ever_has_two_parts_in_one_master(found, monkeypatch):
    selection = selection_of(found, monkeypatch)
    if selection is None:
        assert not any(one.day_obs == DAY for one in found)
        return
    days = {one.frame: one.day_obs for one in found}
    for one in selection.images:
        assert one.held_out not in one.inputs
        assert len(set(one.inputs)) == len(one.inputs)
        assert bool(one.problem) == (len(one.inputs) < 2) == (one.held_out is None)
        assert one.held_out is None or days[one.held_out] == DAY
    for two in selection.pairs:
        all_pairs = [*two.pairs, *([two.held_out] if two.held_out else [])]
        frames = [key for pair in all_pairs for key in (pair.first, pair.second)]
        assert len(set(frames)) == len(frames)
        assert bool(two.problem) == (not two.pairs)
