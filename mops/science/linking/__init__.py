"""Linking: tracklets of several nights that one orbit explains."""
