"""Arrays as Plotly's JSON packs them."""

import base64
from typing import Any

import numpy as np


def numbers(packed: Any) -> np.ndarray:
    """A plain list, or base64 with its dtype and shape."""
    if isinstance(packed, list):
        return np.array(packed)
    flat = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    return flat.reshape([int(side) for side in packed.get("shape", str(flat.size)).split(",")])
