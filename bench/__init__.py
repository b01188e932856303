"""Benchmarks: ``python -m bench NAME [--quick]``. The last line of each is one JSON object."""
