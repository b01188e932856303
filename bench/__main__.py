"""``python -m bench NAME``: run one benchmark, on a scratch PostgreSQL and Valkey of its own if it needs them."""

import argparse
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dayops import embedded

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure DayOps.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="a short slice, as the tests run it")
    options, rest = parser.parse_known_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dayops.settings")
    os.environ["NUMBA_NUM_THREADS"] = "1"
    module = importlib.import_module(f"bench.{options.name}")
    os.environ.update(getattr(module, "ENVIRONMENT", {}))
    wanted = {"quick": options.quick, **own_options(options.name, module.run, rest)}
    report = _with_services(module, wanted) if getattr(module, "NEEDS_DATABASE", True) else module.run(**wanted)
    print(json.dumps(report))
    return 0


def own_options(name: str, run: Callable[..., Any], words: Sequence[str]) -> dict[str, Any]:
    """What the benchmark takes besides `quick`: an option for each keyword of its `run`, of its default's type."""
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}")
    for parameter in inspect.signature(run).parameters.values():
        if parameter.name == "quick":
            continue
        flag, default = f"--{parameter.name.replace('_', '-')}", parameter.default
        if isinstance(default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default)
        else:
            parser.add_argument(flag, type=type(default), default=default)
    return vars(parser.parse_args(words))


def _with_services(module: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    with embedded.scratch():
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        report: dict[str, Any] = module.run(**wanted)
    return report


if __name__ == "__main__":
    sys.exit(main())
