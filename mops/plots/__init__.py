"""Figures of DayMOPS."""
