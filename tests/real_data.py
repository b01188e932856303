"""Where the real files are, and the reason a test gives when it skips for want of them."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("DAYOPS_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

needs_real_data = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=f"the real files are not here: {FOLDER} does not exist (set DAYOPS_REAL_DATA to their folder)",
)


def real_file(*parts: str) -> Path:
    """A real file by its place in the folder; skips the running test where that one file is missing."""
    path = FOLDER.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"the real file {path} is not here")
    return path
