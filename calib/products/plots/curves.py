"""Photon transfer curves and linearity: one trace for each amplifier, by what is stored with the product."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from calib.products.made import numbers
from dayops.web.figures import SEQUENTIAL, new_figure, threshold

Values = npt.NDArray[np.float64]
_UNUSED = "circle-open"
_NEAR = 0.2  # of a limit: what is nearer to zero would not be seen beside it


def photon_transfer(statistics: Mapping[str, Any], amplifiers: Sequence[str]) -> go.Figure:
    """Variance against signal, both axes logarithmic; the line is what the fit says, open circles were not fitted."""
    figure = new_figure(x="signal / ADU", y="variance / ADU²")
    signal, variance = numbers(statistics, "signal"), numbers(statistics, "variance")
    gain, turnoff = numbers(statistics, "gain"), numbers(statistics, "turnoff")
    for place, (name, colour) in enumerate(_coloured(amplifiers)):
        said = f"gain {gain[place]:.4g} e⁻/ADU"
        if np.isfinite(turnoff[place]):
            said += f", turnoff {turnoff[place]:.5g} ADU"
        _points(figure, name, colour, signal[place], variance[place], _used(statistics, place), "ADU²", said)
        fitted = variance[place] / (1 + _residuals(statistics)[place])
        order = np.argsort(signal[place])
        figure.add_scatter(
            x=_listed(signal[place][order]), y=_listed(fitted[order]), mode="lines", legendgroup=name,
            line={"color": colour, "width": 1}, showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    figure.update_xaxes(type="log", exponentformat="power")
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def photon_transfer_residuals(statistics: Mapping[str, Any], amplifiers: Sequence[str]) -> go.Figure:
    """What is left of each point over the fit, in per cent."""
    figure = new_figure(x="signal / ADU", y="variance over the curve − 1 / %")
    signal, residuals = numbers(statistics, "signal"), _residuals(statistics)
    for place, (name, colour) in enumerate(_coloured(amplifiers)):
        _points(figure, name, colour, signal[place], 100 * residuals[place], _used(statistics, place), "%")
    figure.update_xaxes(type="log", exponentformat="power")
    _zero(figure)
    return figure


def linearity_residuals(statistics: Mapping[str, Any], amplifiers: Sequence[str], limit: float | None) -> go.Figure:
    """Departure from a straight line after correction, in per cent; `limit`, a share, is drawn where it is near."""
    figure = new_figure(x="signal / ADU", y="departure from a straight line / %")
    signal, residuals = numbers(statistics, "signal"), _residuals(statistics)
    for place, (name, colour) in enumerate(_coloured(amplifiers)):
        used = np.ones(len(residuals[place]), dtype=np.bool_)
        _points(figure, name, colour, signal[place], 100 * residuals[place], used, "%")
    known = np.abs(residuals[np.isfinite(residuals)])
    if limit is not None and known.size and known.max() > _NEAR * limit:
        for side in (-limit, limit):
            threshold(figure, 100 * side, f"limit {100 * side:g} %", "error")
    _zero(figure)
    return figure


def crosstalk_matrix(statistics: Mapping[str, Any], amplifiers: Sequence[str]) -> go.Figure:
    """What each victim gets of each aggressor, in parts per million; white is nothing."""
    found, errors = 1e6 * numbers(statistics, "coefficients"), 1e6 * numbers(statistics, "errors")
    np.fill_diagonal(found, np.nan)
    known = np.abs(found[np.isfinite(found)])
    reach = float(known.max()) if known.size else 1.0
    names = [escape(name) for name in amplifiers]
    figure = new_figure(x="aggressor", y="victim")
    figure.add_heatmap(
        x=names, y=names, z=_listed(found), customdata=None, text=_listed(errors),
        colorscale="RdBu_r", zmin=-reach, zmax=reach, colorbar={"title": {"text": "10⁻⁶"}, "thickness": 12},
        hovertemplate="%{y} gets %{z:.3g} ± %{text:.2g} × 10⁻⁶ of %{x}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain", side="top")
    figure.update_layout(height=520, margin={"t": 60})
    return figure


def _residuals(statistics: Mapping[str, Any]) -> Values:
    """(n, k): of each amplifier and point, NaN where it was not fitted."""
    return numbers(statistics, "residuals")


def _used(statistics: Mapping[str, Any], place: int) -> npt.NDArray[np.bool_]:
    return np.array(statistics["used"][place], dtype=np.bool_)


def _points(
    figure: go.Figure,
    name: str,
    colour: str,
    x: Values,
    y: Values,
    used: npt.NDArray[np.bool_],
    unit: str,
    said: str = "",
) -> None:
    symbols = ["circle" if each else _UNUSED for each in used]
    figure.add_scatter(
        x=_listed(x), y=_listed(y), mode="markers", name=escape(name), legendgroup=name,
        marker={"color": colour, "size": 6, "symbol": symbols},
        hovertemplate=f"{escape(name)}: %{{y:.5g}} {unit} at %{{x:.5g}} ADU<br>{escape(said)}<extra></extra>",
    )  # fmt: skip


def _zero(figure: go.Figure) -> None:
    figure.add_hline(y=0, line={"width": 1})


def _coloured(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each name with a colour of its own, in their order along the scale."""
    places = np.linspace(0.25, 0.95, len(names))
    return zip(names, sample_colorscale(SEQUENTIAL, list(places)), strict=True)


def _listed(values: Values) -> list[Any]:
    """As JSON takes them: None for NaN."""
    return [
        _listed(each) if isinstance(each, np.ndarray) else float(each) if np.isfinite(each) else None for each in values
    ]
