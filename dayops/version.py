"""Which code is running, said with every run and attempt."""

import subprocess
from functools import cache
from pathlib import Path

VERSION = "0.1.0"


@cache
def code_version() -> str:
    """Release and, in a git checkout, commit: ``0.1.0+1a2b3c4`` (``.dirty`` when files differ from the commit)."""
    here = Path(__file__).resolve().parent.parent
    described = (
        subprocess.run(
            ["git", "-C", str(here), "describe", "--always", "--dirty=.dirty", "--abbrev=9"],
            capture_output=True,
            text=True,
            check=False,
        )
        if (here / ".git").exists()
        else None
    )
    commit = described.stdout.strip() if described and described.returncode == 0 else ""
    return f"{VERSION}+{commit}" if commit else VERSION
