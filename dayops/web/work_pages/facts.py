"""JSON that work left behind, as lines a person can read."""

import json
from collections.abc import Mapping
from typing import Any


def facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and texts in the order they were written; what is nested stays JSON."""
    return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in values.items()]
