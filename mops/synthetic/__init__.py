"""Skies that we know: synthetic objects, what a survey sees of them, and scores against that truth. No Django."""
