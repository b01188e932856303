"""The figures of the calibration pages."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import ArrayLike

from calib import plots
from calib.metric_map import FocalPlane, MetricMap
from calib.science.judgement import Limits
from calib.science.metrics import BY_NAME
from dayops.camera import load


def measured(values: ArrayLike, levels: ArrayLike = 0, limits: Limits | None = None) -> MetricMap:
    """A map of minicam's 144 amplifiers."""
    return MetricMap(
        metric=BY_NAME["read_noise_e"],
        plane=FocalPlane(load("minicam").detectors),
        values=np.array(np.broadcast_to(values, 144), dtype=np.float64),
        levels=np.array(np.broadcast_to(levels, 144), dtype=np.int16),
        limits=limits or Limits(),
    )


def plane(of: MetricMap, colours: Any = None) -> go.Figure:
    return plots.focal_plane(of, colours or plots.ColourRange(0.0, 1.0), lambda detector: f"/{detector.name}/")


def histogram(of: MetricMap) -> go.Figure:
    return plots.metric_histogram(of, plots.ColourRange(0.0, 1.0), lambda low, high: f"/{low}-{high}/")


def test_the_focal_plane_has_equal_axes_in_millimetres():
    layout = plane(measured(5.0)).layout
    assert (layout.yaxis.scaleanchor, layout.yaxis.scaleratio) == ("x", 1)
    assert layout.xaxis.title.text == "focal plane x / mm"


def test_each_amplifier_is_found_by_the_pointer_once():
    _, _, places = plane(measured(5.0)).data
    assert len(set(zip(places.x, places.y, strict=True))) == 144
    assert places.hovertext[0] == "R22_S00 C10 · 5 e⁻ · OK"


def test_the_hover_says_the_limits():
    *_, places = plane(measured(5.0, limits=Limits(2.0, 3.0, 13.0, 18.0))).data
    assert "WARN outside 3 … 13 e⁻, ERROR outside 2 … 18 e⁻" in places.hovertemplate


def test_what_was_not_measured_is_told_from_what_could_not_be():
    values, levels = np.full(144, np.nan), np.zeros(144)
    levels[1] = 2
    *_, places = plane(measured(values, levels)).data
    assert places.hovertext[0].endswith("not measured")
    assert places.hovertext[1].endswith("could not be measured · ERROR")


def test_all_detectors_are_outlined_even_without_a_value():
    cells, outlines, _ = plane(measured(np.nan)).data
    assert np.isnan(cells.z).all()
    assert list(outlines.x).count(None) == 9 + 144


def test_amplifiers_outside_their_limits_are_framed_in_the_colour_of_their_level():
    levels = np.zeros(144)
    levels[[0, 5, 77]] = 1, 2, 2
    _, _, warned, failed, places = plane(measured(5.0, levels)).data
    assert [list(frames.x).count(None) for frames in (warned, failed)] == [1, 2]
    assert warned.line.color != failed.line.color
    assert min(failed.x[:4]) < places.x[5] < max(failed.x[:4])


@pytest.mark.parametrize(("wrong", "traces"), [(72, 4), (73, 3), (144, 3)])
def test_a_focal_plane_of_which_most_is_wrong_is_not_covered_by_frames(wrong: int, traces: int):
    assert len(plane(measured(5.0, np.where(np.arange(144) < wrong, 2, 0))).data) == traces


def test_every_measured_amplifier_is_counted_in_the_histogram():
    values = np.linspace(4.0, 6.0, 144)
    values[:4] = np.nan
    bars, *_ = histogram(measured(values)).data
    assert sum(bars.y) == 140


def test_amplifiers_far_outside_are_counted_in_the_last_bar():
    values = np.full(144, 5.0)
    values[0] = 1e9
    bars, *_ = histogram(measured(values)).data
    assert sum(bars.y) == 144


def test_limits_are_drawn_where_they_are_near_enough():
    figure = histogram(measured(np.linspace(4.0, 6.0, 144), limits=Limits(None, 3.0, 7.0, 1e6)))
    assert [line.x0 for line in figure.layout.shapes] == [3.0, 7.0]
    assert {note.text for note in figure.layout.annotations} == {"WARN 3", "WARN 7"}


def test_a_histogram_of_nothing_is_empty():
    assert len(histogram(measured(np.nan)).data) == 0


def test_a_histogram_of_equal_values_has_one_bar():
    bars, *_ = histogram(measured(0.0)).data
    assert list(bars.y) == [144]


def test_colours_span_the_first_to_the_99th_percentile_unless_told_otherwise():
    of = measured(np.linspace(0.0, 143.0, 144))
    colours = plots.colour_range(of, None, None)
    assert (colours.low, colours.high) == pytest.approx((1.43, 141.57))
    assert plots.colour_range(of, 2.0, 9.0) == plots.ColourRange(2.0, 9.0)


@pytest.mark.parametrize("values", [np.nan, 0.0, 5.0])
def test_colours_always_span_something(values: float):
    colours = plots.colour_range(measured(values), None, None)
    assert colours.low < colours.high


def test_the_histogram_of_pixels_has_their_counts_and_unit():
    figure = plots.pixel_histogram(np.array([3, 1]), np.array([0.0, 1.0, 2.0]), "ADU")
    assert list(figure.data[0].y) == [3, 1]
    assert figure.layout.xaxis.title.text == "pixel value / ADU"
