"""Figures: one template, an ETag, limits and interventions drawn."""

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dayops.web import figures
from tests.people import client_of


def sent(figure: go.Figure) -> Any:
    return json.loads(figures.figure_response(figure).content)


def test_a_figure_travels_with_our_template_and_its_units():
    layout = sent(figures.new_figure(x="dayObs", y="read noise / e⁻"))["layout"]
    assert layout["template"]["layout"]["colorway"] == list(figures.OKABE_ITO)
    assert layout["yaxis"]["title"]["text"] == "read noise / e⁻"


def test_a_figure_built_elsewhere_gets_our_template_too():
    assert sent(go.Figure())["layout"]["template"]["layout"]["colorway"] == list(figures.OKABE_ITO)


def test_the_same_figure_has_the_same_etag_and_another_has_another():
    def etag(values: list[int]) -> str:
        figure = figures.new_figure(x="x", y="y")
        figure.add_scatter(y=np.asarray(values))
        return figures.figure_response(figure)["ETag"]

    assert etag([1, 2]) == etag([1, 2]) != etag([1, 3])


def test_markup_in_a_label_cannot_end_a_script():
    figure = figures.new_figure(x="</script><script>", y="y")
    assert b"</script>" not in figures.figure_response(figure).content


def test_limits_and_interventions_are_drawn_and_named():
    figure = figures.new_figure(x="x", y="y")
    figures.threshold(figure, 9.0, "ERROR above 9 e⁻", "error")
    figures.intervention(figure, 3, "new firmware")
    layout = sent(figure)["layout"]
    assert [shape["y0"] for shape in layout["shapes"]] == [9.0, 0]
    assert layout["shapes"][0]["line"]["color"] == figures.STATUS_COLOURS["error"]
    assert {note["text"] for note in layout["annotations"]} == {"ERROR above 9 e⁻", "new firmware"}


@pytest.mark.django_db
def test_an_unchanged_figure_is_not_sent_again():
    client = client_of("maintainer")
    etag = client.get("/style/figure/")["ETag"]
    assert client.get("/style/figure/", headers={"If-None-Match": etag}).status_code == 304
