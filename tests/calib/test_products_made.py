"""A day's masters of real files, by the engine, beside what the simulator put in: one whole sensor of minicam."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from calib.models import ProductSet, ProductType
from calib.products.known import Known, made_so_far
from calib.science.mask_planes import Plane, flagged
from dayops.simulator.scenes import scene_for
from tests.calib.masters import ONE, SENSOR, committed, made, problems, take, truth

SENSOR_ONE = ONE.by_id[SENSOR]
AMPLIFIERS = SENSOR_ONE.amplifiers
TRUTH = truth(ONE)
pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Result:
    """What is left of the job, with every file read."""

    made_set: ProductSet
    problems: list[str]
    known: Known

    def numbers(self, kind: str, name: str) -> Any:
        found = self.known.values(kind, name)
        assert found is not None
        return found

    def image(self, kind: str, band: str = "") -> Any:
        found = self.known.image(kind, band)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def result(django_db_setup: None, django_db_blocker: Any) -> Iterator[Result]:
    """The job is done once; the database is emptied before any test looks at it."""
    with committed(django_db_blocker, ONE):
        take(camera=ONE)
        made_set = made()
        found = Result(made_set, problems(made_set), made_so_far(made_set, SENSOR_ONE))
        for kind, band in found.known.products:
            if kind in {"bias", "dark", "flat"}:
                found.known.image(kind, band)
        found.known.mask()
    yield found


def test_the_whole_day_is_made_and_certified(result):
    assert (result.made_set.state, result.made_set.reasons, result.problems) == ("CERTIFIED", [], [])
    assert set(result.known.products) == {
        *((str(kind), "") for kind in ProductType if kind != ProductType.FLAT),
        *(("flat", band) for band in "grizy"),
    }


def test_the_bias_has_the_shape_that_the_simulator_gave_it(result):
    image = result.image("bias").image
    for amplifier, shape in zip(AMPLIFIERS, TRUTH.bias_shape_adu, strict=True):
        lit = shape[amplifier.image.slices][:: -1 if amplifier.flip_y else 1, :: -1 if amplifier.flip_x else 1]
        left = image[amplifier.place.slices] - lit
        assert abs(left.mean()) < 0.2, "the level is the overscan's"
        assert left.mean(axis=0).std() < 0.25, "columns"
        assert left.mean(axis=1).std() < 0.4, "rows"


def test_the_noise_of_the_bias_is_what_two_frames_leave(result):
    expected = np.hypot(TRUTH.read_noise_e / TRUTH.gain, 1 / np.sqrt(12)) / np.sqrt(2)
    assert result.numbers("bias", "noise") == pytest.approx(expected, rel=0.03)
    assert result.numbers("bias", "read_noise_adu") == pytest.approx(expected * np.sqrt(2), rel=0.03)


def test_the_dark_current_is_known_to_two_thousandths_of_an_electron_a_second(result):
    image = result.image("dark").image
    for amplifier, gain, expected in zip(AMPLIFIERS, TRUTH.gain, TRUTH.dark_e_s, strict=True):
        rate = image[amplifier.place.slices] * gain
        usual = rate[np.abs(rate - np.median(rate)) < 0.5]
        assert usual.mean(dtype=np.float64) == pytest.approx(expected, abs=0.002)


def test_gain_and_read_noise_are_known_to_1_5_and_2_per_cent(result):
    assert np.abs(result.numbers("ptc", "gain") / TRUTH.gain - 1).max() < 0.015
    noise = np.hypot(TRUTH.read_noise_e, TRUTH.gain / np.sqrt(12))
    assert np.abs(result.numbers("ptc", "read_noise_e") / noise - 1).max() < 0.02


def test_linearity_leaves_a_five_hundredth_at_most(result):
    gain, loss = TRUTH.gain.astype(np.float64), TRUTH.nonlinearity / 1e5
    electrons = np.linspace(2_000, 60_000, 50)[:, None]
    read = electrons * (1 - loss * electrons) / gain
    c2, c3 = result.known.linearity().T
    assert np.abs((read + c2 * read**2 + c3 * read**3) * gain / electrons - 1).max() < 0.002


@pytest.mark.parametrize("band", list("grizy"))
def test_a_flat_shows_the_response_under_the_lamp_to_its_noise(result, band):
    flat = result.image("flat", band)
    light = TRUTH.response * scene_for("FLAT", band).electrons(ONE, SENSOR_ONE, 1.0)
    for place in (amplifier.place.slices for amplifier in AMPLIFIERS):
        image, usual = flat.image[place], (TRUTH.response[place] > 0.9) & (flat.frames[place] == 2)
        ratio = image[usual] / light[place][usual]
        sigma = np.sqrt(np.median(flat.variance[place])) / np.median(image)
        assert (ratio / np.median(ratio)).std() < 1.05 * sigma
        assert np.median(image) == pytest.approx(1.0, abs=0.06), "of the level of the focal plane"


def test_every_defect_clear_of_the_limits_is_found_and_nothing_else(result):
    found = result.known.mask()
    hot, cold, column = (flagged(found, plane) for plane in (Plane.HOT, Plane.COLD, Plane.COLUMN))
    normal = TRUTH.response / np.median(TRUTH.response)
    limit = 5.0 * (1 + np.abs(result.numbers("ptc", "gain") / TRUTH.gain - 1).max())
    assert hot[TRUTH.dark_map_e_s > 1.1 * limit + 0.3].all()
    assert cold[(normal < 0.7) & ~hot & ~column].all()
    assert not (hot & ~column & (TRUTH.dark_map_e_s < 0.9 * 5.0 - 0.3)).any()
    assert not (cold & ~column & (normal > 0.88)).any()


def test_rays_of_the_darks_are_in_no_master(result):
    dark = result.image("dark")
    assert result.known.product("dark").statistics["rejected"] > 1000, "there were rays"
    left = 0
    for amplifier, gain in zip(AMPLIFIERS, TRUTH.gain, strict=True):
        place = amplifier.place.slices
        above = dark.image[place] * gain - TRUTH.dark_map_e_s[place]
        left += int((above > 8 * np.sqrt(dark.variance[place]) * gain + 0.1).sum())
    assert left <= 5, "a ray on a hot pixel, or on both frames, is chance"


def test_each_product_says_what_it_was_made_of_and_with(result):
    products = result.known.products
    for (kind, band), product in products.items():
        origin = product.provenance
        assert (origin["type"], origin["filter"], origin["detector"]) == (kind, band, "R22_S11")
        assert [one["frame"] for one in origin["inputs"]] == product.inputs
        assert [one["product"] for one in origin["calibrations"]] == product.calibrations
        assert not set(product.inputs) & set(product.held_out)
    of = {key: product.pk for key, product in products.items()}
    assert products["bias", ""].calibrations == []
    assert products["dark", ""].calibrations == [of["bias", ""]]
    assert set(products["flat", "r"].calibrations) == {of[kind, ""] for kind in ("bias", "dark", "ptc", "linearity")}
    assert set(products["defects", ""].calibrations) == {of["dark", ""], *(of["flat", band] for band in "grizy")}
    assert products["linearity", ""].calibrations == [of["ptc", ""]]


def test_numbers_of_a_product_are_one_for_each_amplifier(result):
    for kind, name in (("bias", "median"), ("dark", "noise"), ("ptc", "gain"), ("linearity", "maximum_residual")):
        assert result.numbers(kind, name).shape == (16,)
    assert result.numbers("crosstalk", "applied").shape == (16, 16)
