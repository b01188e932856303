"""``python -m bench NAME``: run one benchmark on a scratch PostgreSQL and Valkey of its own."""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

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
    with embedded.scratch():
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        report = module.run(quick=options.quick)
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
