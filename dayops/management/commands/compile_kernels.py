"""`manage.py compile_kernels`: compile what workers would compile at their first start. Safe to repeat."""

import time
from typing import Any

from django.core.management.base import BaseCommand

from dayops.kernels import warm_up


class Command(BaseCommand):
    help = "Compile the science kernels into Numba's cache, so that no worker has to."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        warm_up()
        self.stdout.write(f"kernels compiled in {time.monotonic() - began:.1f} s")
