"""``python -m bench NAME``: run one benchmark, on a scratch PostgreSQL and Valkey of its own if it needs them."""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from dayops import embedded

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure DayOps.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="a short slice, as the tests run it")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dayops.settings")
    os.environ["NUMBA_NUM_THREADS"] = "1"
    module = importlib.import_module(f"bench.{options.name}")
    os.environ.update(getattr(module, "ENVIRONMENT", {}))
    if getattr(module, "NEEDS_DATABASE", True):
        report = _with_services(module, quick=options.quick)
    else:
        report = module.run(quick=options.quick)
    print(json.dumps(report))
    return 0


def _with_services(module: Any, *, quick: bool) -> dict[str, Any]:
    with embedded.scratch():
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        report: dict[str, Any] = module.run(quick=quick)
    return report


if __name__ == "__main__":
    sys.exit(main())
