"""How many verdicts other limits would have given, day by day."""

import plotly.graph_objects as go

from calib.threshold_preview import Preview
from dayops.observing_day import ObservingDay
from dayops.web.figures import STATUS_COLOURS, new_figure

_LINES = (
    ("error", "ERROR as judged", "error", "dot"),
    ("error_then", "ERROR by the new limits", "error", "solid"),
    ("warn", "WARN as judged", "warn", "dot"),
    ("warn_then", "WARN by the new limits", "warn", "solid"),
)


def verdicts_by_day(preview: Preview) -> go.Figure:
    """Values in WARN and ERROR of each dayObs: dotted as they were judged, solid as the new limits would judge."""
    figure = new_figure(x="dayObs", y="values outside limits")
    days = [preview.days[day_obs] for day_obs in sorted(preview.days)]
    for name, title, look, dash in _LINES:
        figure.add_scatter(
            x=[str(ObservingDay(day.day_obs)) for day in days],
            y=[getattr(day, name) for day in days],
            name=title,
            mode="lines+markers",
            line={"color": STATUS_COLOURS[look], "dash": dash, "width": 1.6},
            marker={"symbol": "circle" if dash == "solid" else "circle-open", "size": 8},
            customdata=[f"/{ObservingDay(day.day_obs)}/calib/" for day in days],
            hovertemplate=f"%{{y}} in {title}<br>%{{x}}<extra></extra>",
        )
    figure.update_xaxes(type="category")
    figure.update_yaxes(rangemode="tozero", tickformat=",d")
    return figure
