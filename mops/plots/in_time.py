"""A linkage over time: what the fit leaves of each observation, and how bright the object was."""

from collections.abc import Sequence
from statistics import median

import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, new_figure, threshold
from mops.plots.sky import BANDS, SYMBOLS
from mops.views.observations import Observation

_NEAR = 0.2  # of a limit: what is nearer to zero would not be seen beside it


def outlier_arcsec(observations: Sequence[Observation], reject_chi2: float) -> float | None:
    """The residual beyond which a detection of the median sigma is set aside; None where no sigma is known."""
    sigmas = [sigma for each in observations for sigma in (each.sigma_ra, each.sigma_dec) if sigma is not None]
    return reject_chi2**0.5 * median(sigmas) if sigmas else None


def residual_figure(
    observations: Sequence[Observation], limit_arcsec: float | None, outlier_arcsec: float | None = None
) -> go.Figure:
    """Observed minus computed against time, with the catalogue's sigmas; open points were not used.

    `limit_arcsec` (of a report) is drawn where it is near; `outlier_arcsec` always.
    """
    figure = new_figure(x="MJD TAI", y="observed − computed / ″")
    at = [each.mjd_tai for each in observations]
    for name, place, symbol in (("right ascension", 0, "circle"), ("declination", 1, "square")):
        y = [(each.residual_ra, each.residual_dec)[place] for each in observations]
        sigma = [(each.sigma_ra, each.sigma_dec)[place] for each in observations]
        figure.add_scatter(
            x=at, y=y, mode="markers", name=name, error_y={"array": sigma, "thickness": 1, "width": 0},
            marker={"color": OKABE_ITO[place], "size": 7,
                    "symbol": [symbol if each.used else f"{symbol}-open" for each in observations]},
            hovertemplate=f"{name}: %{{y:.3f}}″ at %{{x:.5f}}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=0, line={"width": 1})
    most = max((abs(value) for each in observations for value in (each.residual_ra, each.residual_dec)), default=0.0)
    if limit_arcsec and most > _NEAR * limit_arcsec:
        for side in (-limit_arcsec, limit_arcsec):
            threshold(figure, side, f"limit of a report {side:g}″", "warn")
    if outlier_arcsec:
        for side in (-outlier_arcsec, outlier_arcsec):
            threshold(figure, side, f"outliers beyond {side:.2g}″ at the median σ", "error")
    figure.update_xaxes(tickformat=".2f")
    figure.update_layout(showlegend=True)
    return figure


def light_curve(observations: Sequence[Observation]) -> go.Figure:
    """Apparent magnitude against time, by band; bright is up."""
    figure = new_figure(x="MJD TAI", y="apparent magnitude / mag (AB)")
    for band in dict.fromkeys(each.band for each in observations):
        chosen = [each for each in observations if each.band == band and each.mag is not None]
        if chosen:
            figure.add_scatter(
                x=[each.mjd_tai for each in chosen], y=[each.mag for each in chosen], mode="markers", name=band or "?",
                error_y={"array": [each.mag_sigma for each in chosen], "thickness": 1, "width": 0},
                marker={"color": BANDS.get(band, OKABE_ITO[7]), "symbol": SYMBOLS.get(band, "circle"), "size": 8},
                hovertemplate="%{y:.2f} mag at %{x:.5f}<extra>" + band + "</extra>",
            )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickformat=".2f")
    figure.update_layout(showlegend=True)
    return figure
