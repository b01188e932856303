"""The JSON API under /api/v1/calib/: people's verdicts and limits, for programs."""
