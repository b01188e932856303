"""The Level 1 tables, by subject. A model's fields are all that loading and reading know of a table."""

from dayops.level1.models.loads import Clock, Load, Refusal
from dayops.level1.models.objects import DiaObject
from dayops.level1.models.solar_system import MpcOrbit, SSObject, SSSource
from dayops.level1.models.sources import DiaForcedSource, DiaSource
from dayops.level1.models.visits import DetectorVisitProcessingSummary, Visit

__all__ = [
    "Clock",
    "DetectorVisitProcessingSummary",
    "DiaForcedSource",
    "DiaObject",
    "DiaSource",
    "Load",
    "MpcOrbit",
    "Refusal",
    "SSObject",
    "SSSource",
    "Visit",
]
