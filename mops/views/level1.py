"""What these pages read of Level 1."""

from mops.models import Linkage
from mops.plots.population import Place
from mops.views.observations import Observation, fitted


def observations_of(linkage: Linkage) -> list[Observation]:
    return fitted(linkage)


def orbits_of_known(most: int) -> list[Place]:
    return []
