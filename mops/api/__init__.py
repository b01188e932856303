"""DayMOPS for programs: nights, linkages and reports, below ``/api/v1/mops/``."""
