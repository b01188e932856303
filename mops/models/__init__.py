"""DayMOPS' tables: nights, their tracklets, the linkages found in them, and what is sent to the Minor Planet Center."""

from mops.models.linkages import Linkage
from mops.models.nights import KeptArrays, Night, SyntheticTruth
from mops.models.submissions import Submission

__all__ = ["KeptArrays", "Linkage", "Night", "Submission", "SyntheticTruth"]
