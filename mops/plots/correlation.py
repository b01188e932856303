"""How well a state is known: the correlation of its six numbers, and the sigma of each."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from dayops.web.figures import new_figure

NAMES = ("x", "y", "z", "vx", "vy", "vz")
UNITS = ("au", "au", "au", "au/d", "au/d", "au/d")


def correlation_of(covariance: Sequence[float]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sigmas (6,) and correlations (6, 6) of a covariance given row by row (36 numbers).

    Raises ValueError where it is none: not 36 numbers, or a variance that is not above zero.
    """
    matrix = np.array(covariance, float)
    if matrix.size != 36:
        raise ValueError(f"A covariance of a state has 36 numbers, not {matrix.size}.")
    matrix = matrix.reshape(6, 6)
    variances = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (variances > 0).all()):
        raise ValueError("A variance of the state is not above zero: the orbit is not constrained.")
    sigmas = np.sqrt(variances)
    return sigmas, matrix / np.outer(sigmas, sigmas)


def correlation_figure(covariance: Sequence[float]) -> go.Figure:
    """The correlations as a map from −1 to 1, with their values."""
    _, matrix = correlation_of(covariance)
    figure = new_figure(x="", y="")
    figure.add_heatmap(
        x=NAMES, y=NAMES, z=matrix.tolist(), zmin=-1, zmax=1, colorscale="RdBu_r",
        colorbar={"title": {"text": "ρ"}, "thickness": 12}, text=[[f"{each:.2f}" for each in row] for row in matrix],
        texttemplate="%{text}", hovertemplate="%{y} with %{x}: %{z:.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain")
    return figure
