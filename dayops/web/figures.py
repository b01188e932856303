"""How figures look and travel. One Plotly template for all; the browser lays the theme's colours under it.

figure = new_figure(x="dayObs", y="read noise / e⁻")
figure.add_scatter(x=days, y=noise, customdata=links)      # a click follows customdata: paths within this site
threshold(figure, 9.0, "ERROR above 9 e⁻", "error")
return figure_response(figure)                             # decorate the view with @conditional_page for 304
"""

import hashlib
from typing import Literal

import plotly.graph_objects as go
from django.http import HttpResponse

OKABE_ITO = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442", "#999999")
STATUS_COLOURS = {"ok": "#009E73", "warn": "#E69F00", "error": "#D55E00", "missing": "#999999", "late": "#CC79A7"}
SEQUENTIAL = "viridis"

_AXIS = {"ticks": "outside", "ticklen": 4, "zeroline": False, "automargin": True, "title": {"standoff": 8}}
TEMPLATE = go.layout.Template(
    layout=go.Layout(
        colorway=OKABE_ITO,
        colorscale={"sequential": SEQUENTIAL, "diverging": "RdBu"},
        font={"family": "system-ui, sans-serif", "size": 12},
        margin={"l": 56, "r": 16, "t": 16, "b": 44},
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis=_AXIS,
        yaxis=_AXIS,
        coloraxis={"colorbar": {"thickness": 12, "outlinewidth": 0}},
        bargap=0.05,
    )
)


def new_figure(*, x: str, y: str) -> go.Figure:
    """An empty figure in the house's style; `x` and `y` title the axes and carry the units."""
    layout = go.Layout(template=TEMPLATE, xaxis={"title": {"text": x}}, yaxis={"title": {"text": y}})
    return go.Figure(layout=layout)


def threshold(figure: go.Figure, level: float, label: str, look: Literal["warn", "error"]) -> None:
    """Draw a limit across the figure, named in words."""
    colour = STATUS_COLOURS[look]
    note = {"text": label, "font": {"size": 11}}
    figure.add_hline(y=level, line={"color": colour, "width": 1, "dash": "dash"}, annotation=note)


def intervention(figure: go.Figure, at: str | float, label: str) -> None:
    """Mark what people did (a new threshold, maintenance, new software) as a vertical line."""
    figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, yref="paper", line={"width": 1, "dash": "dot"})
    figure.add_annotation(x=at, y=1, yref="paper", text=label, showarrow=False, xanchor="left", yanchor="top")


def figure_response(figure: go.Figure) -> HttpResponse:
    """The figure as Plotly's JSON, with an ETag of its content. Its template is ours even if it was built without."""
    figure.update_layout(template=TEMPLATE)
    body = figure.to_json().encode()
    digest = hashlib.sha256(body).hexdigest()[:32]
    return HttpResponse(body, content_type="application/json", headers={"ETag": f'"{digest}"'})
