"""The figures of one candidate, each with the numbers that matter in its caption."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from statistics import fmean

import numpy as np
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe
from plotly.graph_objects import Figure

from dayops.observing_day import ObservingDay, mjd_tai
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, not_here
from mops.models import Linkage
from mops.plots import in_time, sky, solar_system
from mops.plots.correlation import correlation_figure
from mops.plots.path import path
from mops.plots.population import Place, population_figure
from mops.science.orbit_fit import FitConfig
from mops.science.time_scales import tdb_from_tai
from mops.views.level1 import observations_of, orbits_of_known
from mops.views.lookup import candidate_url, linkage_numbered
from mops.views.observations import Observation, known
from mops.views.words import plural, said

NAMES = ("sky", "residuals", "light", "top", "edge", "a-e", "a-i", "correlation")
MOST_OTHERS = 3000
OUTLIER_CHI2 = FitConfig().reject_chi2
_PATH_POINTS = 200


@gzip_page
@require_safe
@conditional_page
@in_words
def candidate_figure(request: HttpRequest, day: ObservingDay, pk: int, figure: str) -> HttpResponse:
    linkage = linkage_numbered(day, pk)
    if figure not in _DRAWN:
        raise not_here(f"A candidate has no figure “{figure[:40]}”.", f"There are {', '.join(NAMES)}.")
    try:
        return figure_response(_DRAWN[figure](linkage))
    except ValueError as error:
        raise not_here(f"Candidate {pk} lacks the numbers of this figure. {error}", "Open its page.") from error


def captions(linkage: Linkage, observations: Sequence[Observation]) -> dict[str, str]:
    """What stands below each figure that the candidate has numbers for."""
    seen = known(observations)
    found: dict[str, str] = {}
    if seen:
        found |= _captions_of_seen(linkage, seen)
    if is_drawable(linkage):
        reach = f"q {said(linkage.q_au)} au, Q {said(_aphelion(linkage))} au"
        found["top"] = (
            f"From the ecliptic's north; {reach}. Places of now; the Sun in the middle, planets' orbits beside."
        )
        found["edge"] = f"Along the ecliptic: i {said(linkage.incl)}°."
    if linkage.a_au and isfinite(linkage.a_au) and linkage.a_au > 0:
        found["a-e"] = f"a {said(linkage.a_au, 4)} au, e {said(linkage.e)}. Others are accepted ones and known objects."
        found["a-i"] = f"a {said(linkage.a_au, 4)} au, i {said(linkage.incl)}°. A click leads to a point's own page."
    if linkage.covariance:
        found["correlation"] = f"Of the state at MJD {linkage.epoch_mjd_tdb:.4f} TDB, ICRF axes."
    return found


def figure_url(linkage: Linkage, name: str) -> str:
    return reverse("mops:linkage-figure", args=[linkage.night.day_obs, linkage.pk, name])


def is_drawable(linkage: Linkage) -> bool:
    """Whether the fit left an orbit that has a size and a place in space."""
    values = (linkage.q_au, linkage.e, linkage.incl, linkage.node, linkage.argperi)
    return all(value is not None and isfinite(value) for value in values)


def report_limit(linkage: Linkage) -> float | None:
    """The worst rms that is reported, arcsec, as the night was configured."""
    limit = linkage.night.parameters.get("submission_rms_arcsec")
    return limit if isinstance(limit, int | float) else None


def _captions_of_seen(linkage: Linkage, seen: Sequence[Observation]) -> Iterator[tuple[str, str]]:
    unused = sum(not each.used for each in seen)
    left = f", {unused} not used (open)" if unused else ""
    where = f"{plural(len(seen), 'detection')} in {plural(len({each.day for each in seen}), 'night')}{left}"
    yield "sky", f"{where}; {said(sky.extent_arcmin(seen))}′ from first to last. East is left."
    yield "residuals", f"{_residuals_in_words(linkage, seen)}{left}. Bars: σ of the catalogue."
    bright = [each.mag for each in seen if each.mag is not None]
    if bright:
        bands = "".join(f", H({band}) {said(value)}" for band, value in linkage.h_by_band.items())
        yield "light", f"{min(bright):.2f} to {max(bright):.2f} mag; H {said(linkage.h_mag)}{bands}."


def _residuals_in_words(linkage: Linkage, seen: Sequence[Observation]) -> str:
    limit = report_limit(linkage)
    at_most = f" (at most {limit:g}″ in a report)" if limit else ""
    ra, dec = fmean(each.residual_ra for each in seen), fmean(each.residual_dec for each in seen)
    outliers = f"outliers are those with χ² over {OUTLIER_CHI2:g}"
    return f"rms {said(linkage.rms_arcsec, 2)}″{at_most}, mean RA {ra:+.3f}″, dec {dec:+.3f}″; {outliers}"


def _sky(linkage: Linkage) -> Figure:
    seen = known(observations_of(linkage))
    times = [each.mjd_tai for each in seen if each.mjd_tai is not None]
    if not times:
        raise ValueError("Level 1 has none of its detections.")
    grid = np.linspace(min(times) - 0.5, max(times) + 0.5, _PATH_POINTS)
    ra, dec = path(linkage.state, linkage.epoch_mjd_tdb, grid)
    return sky.sky_figure(seen, (ra.tolist(), dec.tolist()))


def _residuals(linkage: Linkage) -> Figure:
    seen = known(observations_of(linkage))
    return in_time.residual_figure(seen, report_limit(linkage), in_time.outlier_arcsec(seen, OUTLIER_CHI2))


def _orbit(view: solar_system.View, linkage: Linkage) -> Figure:
    if not is_drawable(linkage):
        raise ValueError("The fit left no elements.")
    elements = (linkage.e, linkage.q_au, linkage.incl, linkage.node, linkage.argperi)
    now = float(tdb_from_tai(mjd_tai(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))))
    place = solar_system.place_at(linkage.state, linkage.epoch_mjd_tdb, now)
    orbit = solar_system.orbit_points(*(float(each or 0.0) for each in elements))
    return solar_system.orbit_figure(orbit, place if np.isfinite(place).all() else None, now, view)


def _population(against: str, linkage: Linkage) -> Figure:
    rows = Linkage.objects.filter(night=linkage.night, verdict=Linkage.Verdict.ACCEPTED, a_au__gt=0).exclude(
        pk=linkage.pk
    )
    rows = rows.select_related("night").only("a_au", "e", "incl", "night__day_obs").order_by("pk")[:MOST_OTHERS]
    others = [place for row in rows if (place := _place(row))] + orbits_of_known(
        ObservingDay(linkage.night.day_obs), MOST_OTHERS
    )
    return population_figure(others, _place(linkage), "e" if against == "a-e" else "i")


def _place(row: Linkage) -> Place | None:
    if row.a_au is None or row.e is None or row.incl is None or not isfinite(row.a_au):
        return None
    return Place(row.a_au, row.e, row.incl, candidate_url(row), f"candidate {row.pk}")


def _correlation(linkage: Linkage) -> Figure:
    return correlation_figure(linkage.covariance or [])


def _aphelion(linkage: Linkage) -> float | None:
    return linkage.a_au * (1 + linkage.e) if linkage.a_au and linkage.e is not None and linkage.e < 1 else None


_DRAWN: dict[str, Callable[[Linkage], Figure]] = {
    "sky": _sky,
    "residuals": _residuals,
    "light": lambda linkage: in_time.light_curve(known(observations_of(linkage))),
    "top": partial(_orbit, "top"),
    "edge": partial(_orbit, "edge"),
    "a-e": partial(_population, "a-e"),
    "a-i": partial(_population, "a-i"),
    "correlation": _correlation,
}
