"""The pages of the calibration activity: the day's exposures, one exposure's focal plane, one detector's frame."""
