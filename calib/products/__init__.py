"""Daily calibration products: from the day's usable frames to certified masters, on the OCS's command."""
