"""Tracklets: detections of one night that may be one moving object (Heinze et al. 2022; Holman et al. 2018)."""

from mops.science.tracklets.configuration import Flood, Made, TrackletConfig, Tracklets
from mops.science.tracklets.make import make_tracklets, warm_up

__all__ = ["Flood", "Made", "TrackletConfig", "Tracklets", "make_tracklets", "warm_up"]
