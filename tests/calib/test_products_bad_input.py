"""Bad input to the masters: each kind has its sentence, and what is certified stays as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calib.models import ProductSet, ProductType, Verification
from calib.products.curves import faintest_beyond
from calib.products.made import numbers
from dayops.archive import content_store
from dayops.day_plan import Plan, PlannedExposure
from dayops.models import RawFrame, Run
from tests.calib.certified import certified, products
from tests.calib.masters import (
    BEFORE,
    DAY,
    SENSOR,
    SMALL,
    Change,
    Segments,
    files,
    made,
    problems,
    product,
    steps,
    take,
    used,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dayops.camera.load", lambda name: SMALL)


@pytest.fixture
def incumbents(settings: Any, tmp_path: Path) -> dict[tuple[str, str], str]:
    """What is certified before, and an archive whose files may be damaged."""
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    kinds = (ProductType.LINEARITY, ProductType.CROSSTALK)
    certified(*products([(kind, SENSOR, "") for kind in kinds], day_obs=BEFORE))
    return used()


def refused(made_set: ProductSet, incumbents: dict[tuple[str, str], str]) -> list[str]:
    """The reasons of a set that was refused, after a run that ended well, while the incumbents stay in use."""
    assert made_set.state == "REFUSED"
    assert Run.objects.get(pk=made_set.run_id).phase == "COMPLETED"
    assert used() == incumbents
    reasons: list[str] = made_set.reasons
    assert all(reason.endswith((".", "?")) for reason in reasons)
    return reasons


def damage(frame: RawFrame, how: Callable[[bytes], bytes]) -> None:
    """Other bytes in the archive under the frame's address, as a dying disk leaves them."""
    path = Path(content_store.store().url) / content_store.address(frame.sha256)
    content = how(path.read_bytes())
    path.chmod(0o600)
    path.write_bytes(content)


def of(frames: list[RawFrame], seq_num: int) -> RawFrame:
    return next(frame for frame in frames if frame.exposure.seq_num == seq_num)


def everywhere(value: float, *numbers: int) -> Change:
    """These exposures hold nothing but `value`, overscan and all."""

    def change(planned: PlannedExposure, segments: Segments) -> Segments:
        return np.full_like(segments, value) if planned.seq_num in numbers else segments

    return change


class TestACorruptFrame:
    @pytest.mark.parametrize(
        "how",
        [lambda content: content[:3000], lambda content: b"no FITS" * 1000, lambda content: b""],
        ids=["cut short", "other bytes", "empty"],
    )
    def test_among_good_ones_is_named_and_only_its_master_is_missing(self, incumbents, how):
        frames = take(only=steps("bias", "dark"))
        wrong = of(frames, steps("dark")[0])
        damage(wrong, how)
        made_set = made()
        reasons = refused(made_set, incumbents)
        assert files(made_set).keys() == {("bias", "")}, problems(made_set)
        named = [reason for reason in reasons if wrong.exposure.name in reason]
        assert [reason.split(":")[0] for reason in named] == ["R22_S11 crosstalk", "R22_S11 dark"]
        assert all(f"{wrong.file_name}: " in reason for reason in named)

    def test_that_was_held_out_is_named_and_nothing_is_verified(self, incumbents):
        frames = take(only=steps("bias", "dark"))
        wrong = of(frames, steps("bias")[1])
        damage(wrong, lambda content: content[:3000])
        made_set = made(days=1)
        reasons = refused(made_set, incumbents)
        named = [reason for reason in reasons if wrong.exposure.name in reason]
        assert len(named) == 1
        assert named[0].startswith(f"R22_S11 verification: {wrong.file_name}: ")
        assert "3 products were not verified." in reasons
        assert not Verification.objects.filter(product__product_set=made_set).exists()

    def test_may_be_left_out_and_all_is_well(self, incumbents):
        take(BEFORE, only=steps("bias"))
        frames = take()
        wrong = of(frames, steps("bias")[0])
        damage(wrong, lambda content: content[:3000])
        made_set = made(exclude=[wrong.pk])
        assert (made_set.state, made_set.reasons) == ("CERTIFIED", [])

    def test_of_a_pair_is_named(self, incumbents):
        frames = take()
        wrong = of(frames, steps("ptc")[0])
        damage(wrong, lambda content: content[:3000])
        reasons = refused(made(), incumbents)
        assert [reason for reason in reasons if reason.startswith(f"R22_S11 ptc: {wrong.file_name}: ")]
        assert "R22_S11 flat r: It needs the ptc and the linearity of this set, which could not be made." in reasons


class TestPixelsThatAreNoNumbers:
    def test_have_no_value_in_the_master_where_every_frame_has_none(self, incumbents):
        def change(planned: PlannedExposure, segments: Segments) -> Segments:
            segments = segments.astype(np.float32)
            segments[0, 50, 60] = np.nan
            segments[1, 70 + planned.seq_num, 80] = np.nan
            return segments

        take(only=steps("bias"), change=change)
        made_set = made(days=1)
        assert files(made_set).keys() == {("bias", "")}, problems(made_set)
        bias = product(made_set, "bias")
        assert bias.statistics["no_data"] == 1
        assert np.isfinite(bias.statistics["median"]).all()
        refused(made_set, incumbents)

    def test_alone_make_no_master(self, incumbents):
        take(only=steps("bias"), change=lambda planned, segments: np.full(segments.shape, np.nan, np.float32))
        made_set = made(days=1)
        reasons = refused(made_set, incumbents)
        assert files(made_set) == {}
        assert [reason for reason in reasons if reason.startswith("R22_S11 bias: ")]

    def test_in_a_whole_amplifier_of_the_held_out_frame_fail_its_tests(self, incumbents):
        middle = steps("bias")[1]

        def change(planned: PlannedExposure, segments: Segments) -> Segments:
            segments = segments.astype(np.float32)
            if planned.seq_num == middle:
                segments[0] = np.nan
            return segments

        take(only=steps("bias"), change=change)
        made_set = made(days=1)
        reasons = refused(made_set, incumbents)
        assert any("C10 not measured" in reason for reason in reasons)
        assert not any("C11 not measured" in reason for reason in reasons)

    def test_in_all_of_the_held_out_frame_fail_its_tests(self, incumbents):
        middle = steps("bias")[1]
        take(only=steps("bias"), change=everywhere_nan(middle))
        reasons = refused(made(days=1), incumbents)
        assert any("C10 not measured, C11 not measured" in reason for reason in reasons)
        assert any(
            reason.endswith(
                "this master leaves no patch with enough good pixels to tell how well it fits. Look at the frame."
            )
            for reason in reasons
        )


def everywhere_nan(number: int) -> Change:
    def change(planned: PlannedExposure, segments: Segments) -> Segments:
        return np.full(segments.shape, np.nan, np.float32) if planned.seq_num == number else segments

    return change


class TestSaturatedFlats:
    def saturated(self, *numbers: int) -> Change:
        def change(planned: PlannedExposure, segments: Segments) -> Segments:
            if planned.seq_num in numbers:
                for segment, amplifier in zip(segments, SMALL.detectors[0].amplifiers, strict=True):
                    segment[amplifier.image.slices] = 260_000
            return segments

        return change

    def test_make_no_master_and_no_set(self, incumbents):
        flats = steps("flat-r")
        take(change=self.saturated(*flats))
        made_set = made()
        reasons = refused(made_set, incumbents)
        assert "1 flat product is missing." in reasons
        assert (
            "R22_S11 flat r: No pixel has a good value in any frame: look at the frames, they may be saturated."
            in reasons
        )
        assert ("flat", "g") in files(made_set)

    def test_held_out_fail_the_tests_of_the_master(self, incumbents):
        take(change=self.saturated(steps("flat-r")[1]))
        made_set = made()
        reasons = refused(made_set, incumbents)
        assert [reason for reason in reasons if reason.startswith("R22_S11 r ")]
        assert ("flat", "r") in files(made_set)

    def test_of_the_photon_transfer_curve_tell_no_gain_if_there_are_no_others(self, incumbents):
        lit = [number for number in steps() if number > steps("dark")[-1]]
        take(change=self.saturated(*lit))
        reasons = refused(made(), incumbents)
        assert (
            "R22_S11 ptc: No pair of flats tells a gain: they are too faint, too bright or of unequal light." in reasons
        )
        assert "R22_S11 linearity: It needs the photon transfer curve of this set, which could not be made." in reasons


class TestADeadAmplifier:
    def test_has_no_gain_and_is_never_certified_automatically(self, incumbents):
        def change(planned: PlannedExposure, segments: Segments) -> Segments:
            segments[1] = 20_000
            return segments

        take(change=change)
        made_set = made(days=1)
        reasons = refused(made_set, incumbents)
        assert any("C11" in reason for reason in reasons)
        assert not problems(made_set) or all("R22_S11" in problem for problem in problems(made_set))


class TestFramesThatAreMissing:
    def test_of_one_filter_leave_that_flat_out(self, incumbents):
        take(only=[number for number in steps() if number not in steps("flat-z")])
        reasons = refused(made(), incumbents)
        assert reasons[0] == "1 flat product is missing."
        assert "R22_S11 flat z: There is no usable frame of the day." in reasons

    def test_as_too_few_are_told_with_the_number(self, incumbents):
        take(only=[number for number in steps() if number not in steps("dark")[1:]])
        reasons = refused(made(), incumbents)
        sentence = "There are 1 usable frames: expected 2 to combine and one to verify with."
        assert f"R22_S11 dark: {sentence}" in reasons
        assert f"R22_S11 crosstalk: {sentence}" in reasons

    def test_at_the_wrong_temperature_are_told_as_too_few(self, incumbents):
        frames = take(only=steps("bias", "dark"))
        warm = of(frames, steps("dark")[0])
        RawFrame.objects.filter(pk=warm.pk).update(header={**warm.header, "CCDTEMP": -80.0})
        made_set = made()
        reasons = refused(made_set, incumbents)
        assert "R22_S11 dark: There are 2 usable frames: expected 2 to combine and one to verify with." in reasons
        left_out = Run.objects.get(pk=made_set.run_id).parameters["left_out"]
        assert left_out == [f"R22_S11 {warm.exposure.name} was taken at -80.0 °C: expected -100.0 ± 1 °C."]

    def test_altogether_start_nothing(self, incumbents):
        with pytest.raises(ValueError, match=r"^There is no usable calibration frame of 2026-11-22: masters need"):
            made(DAY)
        assert ProductSet.objects.count() == 1
        assert used() == incumbents


def test_a_day_whose_brightest_pair_is_full_is_certified_without_any_other():
    """Its last good pair is far below the full one: the turnoff lies between, and is not taken for a low one."""
    day_obs = 20261121
    assert Plan.load().exposures(day_obs)[-1].exposure_s == 90
    take(day_obs)
    found = made(day_obs, days=1)
    assert (found.state, found.reasons) == ("CERTIFIED", [])
    curve = product(found, "ptc")
    beyond = faintest_beyond(curve) * numbers(curve.statistics, "gain")
    assert np.isfinite(beyond).any()
    assert not (beyond < 90_000).any()
