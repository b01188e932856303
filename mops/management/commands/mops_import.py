"""`manage.py mops_import`: observations in one of the MPC's formats, and an orbit fitted to each object of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mops.mpc.fitting import Fitted, fitted
from mops.mpc.importing import import_file

_COLUMNS = ("object", "obs", "used", "nights", "arc d", "rms ″", "a au", "e", "i °", "node °", "peri °", "M °", "epoch")


class Command(BaseCommand):
    help = "Read MPC 80-column records, ADES (PSV, XML) or a table with ADES columns, and fit each object's orbit."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--object", action="append", help="only this designation; may be given more than once")
        parser.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = import_file(options["file"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        self.stderr.write(found.report())
        objects = dict(found.objects)
        if wanted := options["object"]:
            if unknown := sorted(set(wanted) - set(objects)):
                raise CommandError(f"The file has no {', '.join(unknown)}; it has {', '.join(list(objects)[:10])}.")
            objects = {name: objects[name] for name in wanted}
        if not objects:
            raise CommandError(f"{options['file']} holds no observation that can be used.")
        self._tell(fitted(objects), as_json=options["json"])

    def _tell(self, found: Fitted, *, as_json: bool) -> None:
        for refusal in found.refused[:20]:
            self.stderr.write(f"  {refusal}")
        if not as_json:
            self.stdout.write("  ".join(f"{name:>10}" for name in _COLUMNS))
        for k in range(len(found.names)):
            row = _row(found, k)
            self.stdout.write(json.dumps(row) if as_json else _line(row))


def _row(found: Fitted, k: int) -> dict[str, Any]:
    orbits, elements = found.orbits, found.elements
    piece = slice(int(found.first[k]), int(found.first[k + 1]))
    row: dict[str, Any] = {
        "object": found.names[k],
        "observations": piece.stop - piece.start,
        "used": int(orbits.used[piece].sum()),
        "nights": int(found.nights[k]),
        "arc_days": float(found.arc_days[k]),
        "rms_arcsec": _number(orbits.rms_arcsec[k]),
        **{
            name: _number(getattr(elements, name)[k])
            for name in ("a", "e", "i", "node", "argperi", "mean_anomaly", "q", "peri_time")
        },
        "epoch_mjd_tdb": _number(orbits.epoch_mjd_tdb[k]),
        "state": orbits.state[k].tolist() if np.isfinite(orbits.state[k]).all() else None,
        "verdict": found.sentence(k),
    }
    return row


def _line(row: dict[str, Any]) -> str:
    shown = [row[name] for name in ("object", "observations", "used", "nights")]
    shown += [_short(row["arc_days"], 1), _short(row["rms_arcsec"], 3)]
    shown += [_short(row[name], digits) for name, digits in (("a", 5), ("e", 5), ("i", 4), ("node", 4))]
    shown += [_short(row[name], digits) for name, digits in (("argperi", 4), ("mean_anomaly", 4), ("epoch_mjd_tdb", 1))]
    return "  ".join(f"{cell:>10}" for cell in shown) + f"  {row['verdict']}"


def _short(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
