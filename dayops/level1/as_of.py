"""What the database held at an instant. The same instant gives the same rows, whatever was loaded or found since."""

from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Q


class LoadedRows(models.QuerySet[Any]):
    """Rows that come with a load and change only by being withdrawn."""

    def as_of(self, mjd_tai: float) -> Self:
        """Those known, and not withdrawn, at the instant `mjd_tai`."""
        known = apps.get_model("level1", "Load").objects.filter(knownFromMjdTai__lte=mjd_tai)
        here = Q(timeWithdrawnMjdTai=None) | Q(timeWithdrawnMjdTai__gt=mjd_tai)
        return self.filter(here, loadId__in=known.values("pk"))

    def current(self) -> Self:
        return self.filter(timeWithdrawnMjdTai=None)


class ValidRows(models.QuerySet[Any]):
    """Rows that are valid from one instant to another."""

    def as_of(self, mjd_tai: float) -> Self:
        """Those valid at the instant `mjd_tai`."""
        not_ended = Q(validityEndMjdTai=None) | Q(validityEndMjdTai__gt=mjd_tai)
        return self.filter(not_ended, validityStartMjdTai__lte=mjd_tai)

    def current(self) -> Self:
        return self.filter(validityEndMjdTai=None)
