"""The JSON API under /api/v1/: what the pages show and the buttons do, for programs."""
