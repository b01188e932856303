"""Pages of the daily calibration products: the day's sets, tonight, one set, one product, trends."""
