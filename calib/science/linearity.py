"""Linearity of amplifiers: the polynomial that makes their signals grow with the exposure time.

A lamp of constant light gives x (1 + c2 x + c3 x²) = R (t + t0), with x the signal in ADU above bias, t the exposure
time and R a rate of its own for each amplifier and group of exposures: those of one filter on one day. Of the logarithm
ln(x / t) = ln R - c2 x - … + t0 / t only terms of second order are not straight in the unknowns, so that a few linear
fits are enough. A response that loses a of each electron's worth per electron, read = e (1 - a e), has c2 = a g and
c3 = 2 c2²; this tie holds unless the data tell a c3 from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEVEL_ERROR_ADU = 0.1  # of an overscan level and a master bias together
RELATIVE_ERROR = 1e-4  # lamp and shutter
FREE_SIGMA = 5.0  # a cubic term and an offset in time are freed where they are this many errors from their usual value
FREE_LEVELS = 5  # exposure times beyond the groups' rates from which that is asked at all
_ITERATIONS = 12
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Linearity:
    """Linearity of n amplifiers from k exposures. NaN where an amplifier has no two exposure times in one group.

    coefficients, errors : (n, 2), c2 in ADU⁻¹ and c3 in ADU⁻².  cubic_free : (n,) where c3 is not 2 c2².
    residuals : (k, n) corrected signal over what the lamp gave, less 1; NaN where not used.  used : (k, n).
    maximum_residual, reduced_chi2 : (n,).  offset_s : t0, seconds, 0 where the data do not ask for it.
    """

    coefficients: Values
    errors: Values
    cubic_free: Flags
    residuals: Values
    used: Flags
    maximum_residual: Values
    reduced_chi2: Values
    offset_s: float


def fit_linearity(
    signal: Values,
    exposure_s: Values,
    groups: Sequence[object],
    errors: Values | None = None,
    largest: Values | None = None,
) -> Linearity:
    """The coefficients of n amplifiers from k exposures.

    Parameters
    ----------
    signal
        (k, n) ADU above overscan and master bias.
    exposure_s
        (k,) seconds.
    groups
        (k,) labels, equal where the lamp gave the same light: day and filter.
    errors
        (k, n) ADU; where not given, 0.1 ADU and a ten-thousandth of the signal.
    largest
        (n,) ADU, the largest signal to use: the turnoff. Where it is not given or NaN, all are used.

    Raises
    ------
    ValueError
        Shapes do not agree, or no group has two exposure times.
    """
    signal, exposure_s = np.asarray(signal, dtype=np.float64), np.asarray(exposure_s, dtype=np.float64)
    labels = _labels(signal, exposure_s, groups)
    errors = np.hypot(LEVEL_ERROR_ADU, RELATIVE_ERROR * signal) if errors is None else np.asarray(errors)
    largest = np.full(signal.shape[1], np.nan) if largest is None else np.asarray(largest)
    used = (signal > 0) & (errors > 0) & ~(signal > largest) & (exposure_s > 0)[:, None]
    used = np.stack([_tells(each, exposure_s, labels) for each in used.T], axis=1)
    problems = [
        _Problem(x[u], exposure_s[u], labels[u], (e / x)[u])
        for x, u, e in zip(signal.T, used.T, np.where(signal > 0, errors, np.nan).T, strict=True)
    ]
    offset_s = _offset(problems)
    return _linearity([_fit(each, offset_s) for each in problems], problems, used, offset_s)


def corrected(signal: Values, coefficients: Values) -> Values:
    """x + c2 x² + c3 x³ for signals (..., n) in ADU above bias and coefficients (n, 2)."""
    return np.asarray(signal * (1 + signal * (coefficients[:, 0] + signal * coefficients[:, 1])))


@dataclass(frozen=True, eq=False)
class _Problem:
    """The exposures that one amplifier uses: signal, time, group and relative error, each (m,)."""

    signal: Values
    exposure_s: Values
    labels: npt.NDArray[np.intp]
    errors: Values

    @property
    def freedom(self) -> int:
        """Exposures beyond the rates."""
        return len(self.signal) - len(np.unique(self.labels))

    @property
    def times(self) -> int:
        """Exposure times of the groups beyond their rates."""
        pairs = {(int(label), float(time)) for label, time in zip(self.labels, self.exposure_s, strict=True)}
        return len(pairs) - len(np.unique(self.labels))

    def about_rates(self, columns: Values) -> Values:
        """`columns` (m, ...) less their weighted means over each group, which takes the rates out of the fit."""
        weights = 1 / self.errors**2
        together = self.labels[:, None] == self.labels
        return np.asarray(columns - (together * weights / (together * weights).sum(axis=1)[:, None]) @ columns)


@dataclass(frozen=True, eq=False)
class _Fit:
    coefficients: Values
    errors: Values
    cubic_free: bool
    left: Values
    chi2: float
    offset_s: float
    offset_error: float


def _labels(signal: Values, exposure_s: Values, groups: Sequence[object]) -> npt.NDArray[np.intp]:
    if signal.ndim != 2 or not len(signal) == len(exposure_s) == len(groups):
        raise ValueError(
            f"Linearity needs signals of shape (exposures, amplifiers) with a time and a group for every exposure: "
            f"{signal.shape}, {len(exposure_s)} and {len(groups)} came."
        )
    names = list(dict.fromkeys(groups))
    labels = np.array([names.index(each) for each in groups], dtype=np.intp)
    if not _tells(np.ones(len(labels), dtype=np.bool_), exposure_s, labels).any():
        raise ValueError(
            "Linearity needs a lamp setting with two exposure times: take flats of one filter with different times."
        )
    return labels


def _tells(used: Flags, exposure_s: Values, labels: npt.NDArray[np.intp]) -> Flags:
    """Which of the `used` exposures share their group with one of another exposure time."""
    others = (labels[:, None] == labels) & used & (exposure_s[:, None] != exposure_s)
    return np.asarray(used & others.any(axis=1))


def _offset(problems: list[_Problem]) -> float:
    """The offset in time of all amplifiers together, seconds; 0 where it is not told from none."""
    known = [each for each in problems if each.times >= FREE_LEVELS]
    fits = [_solve(each, cubic=True, offset=True) for each in known]
    if not fits:
        return 0.0
    offset = float(np.median([fit.offset_s for fit in fits]))
    error = float(np.median([fit.offset_error for fit in fits]))  # a lamp's error is common to all: it averages not out
    return offset if abs(offset) > FREE_SIGMA * error else 0.0


def _fit(problem: _Problem, offset_s: float) -> _Fit:
    """The cubic term is free where the data tell it from 2 c2²."""
    if problem.freedom < 1:
        nothing = np.full(2, np.nan)
        return _Fit(nothing, nothing, False, np.full(len(problem.signal), np.nan), np.nan, 0.0, np.nan)
    tied = _solve(problem, offset_s=offset_s)
    if problem.times < FREE_LEVELS:
        return tied
    free = _solve(problem, cubic=True, offset_s=offset_s)
    told = abs(free.coefficients[1] - 2 * free.coefficients[0] ** 2) > FREE_SIGMA * free.errors[1]
    return free if told else tied


def _solve(problem: _Problem, cubic: bool = False, offset: bool = False, offset_s: float = 0.0) -> _Fit:
    x, t, unit = problem.signal, problem.exposure_s, problem.signal.max()
    columns = [-x / unit, *([-((x / unit) ** 2)] if cubic else []), *([1 / t] if offset else [])]
    weights = 1 / problem.errors
    design = problem.about_rates(np.stack(columns, axis=1)) * weights[:, None]
    inverse = np.linalg.pinv(design)
    c2, c3, t0 = 0.0, 0.0, offset_s
    for _ in range(_ITERATIONS):
        bent = c2 * x + c3 * x**2
        straight = c2 * x + (c3 * x**2 if cubic else 0.0)
        late = np.log1p(t0 / t) - (t0 / t if offset else 0.0)
        found = inverse @ (problem.about_rates(np.log(x / t) + np.log1p(bent) - straight - late) * weights)
        c2 = found[0] / unit
        c3 = found[1] / unit**2 if cubic else 2 * c2**2
        t0 = found[-1] if offset else offset_s
    left = problem.about_rates(np.log(x / (t + t0)) + np.log1p(c2 * x + c3 * x**2))
    freedom = problem.freedom - len(columns)
    chi2 = float(np.sum((left * weights) ** 2) / freedom) if freedom > 0 else np.nan
    spread = np.sqrt(np.diag(inverse @ inverse.T) * np.fmax(chi2, 1.0))  # fmax: NaN counts as 1
    c2_error = float(spread[0] / unit)
    c3_error = float(spread[1] / unit**2) if cubic else abs(4 * c2) * c2_error
    return _Fit(
        coefficients=np.array([c2, c3]),
        errors=np.array([c2_error, c3_error]),
        cubic_free=cubic,
        left=left,
        chi2=chi2,
        offset_s=float(t0),
        offset_error=float(spread[-1]) if offset else np.nan,
    )


def _linearity(fits: list[_Fit], problems: list[_Problem], used: Flags, offset_s: float) -> Linearity:
    residuals = np.full(used.shape, np.nan)
    for column, fit in enumerate(fits):
        residuals[used[:, column], column] = np.expm1(fit.left)
    return Linearity(
        coefficients=np.array([fit.coefficients for fit in fits]),
        errors=np.array([fit.errors for fit in fits]),
        cubic_free=np.array([fit.cubic_free for fit in fits]),
        residuals=residuals,
        used=used,
        maximum_residual=np.array([np.abs(np.expm1(fit.left)).max() if len(fit.left) else np.nan for fit in fits]),
        reduced_chi2=np.array([fit.chi2 for fit in fits]),
        offset_s=offset_s,
    )
