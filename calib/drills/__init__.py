"""Drills of the calibration activity."""
