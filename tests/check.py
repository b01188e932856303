"""Style, types and layers, before the tests: ``python -m tests.check``."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS = (
    ("style", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy", "."]),
    ("layers", ["lint-imports"]),
)


def main() -> int:
    """Run every check; the exit status is the number of those that failed."""
    failed = 0
    for name, (program, *words) in CHECKS:
        done = subprocess.run([BIN / program, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        print(f"{name:<7} {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout + done.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
