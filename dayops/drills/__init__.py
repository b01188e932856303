"""Drills: DayOps under faults, on a scratch state. Their job functions exist only where DAYOPS_DRILL=1."""
