"""Columns with the width and the unit that APDB gives them.

A field carries its `unit` (FITS notation, empty where there is none) for people and for files; it is no part of the
migration, since it changes nothing in the table.
"""

from typing import Any

from django.db import models


class Measured:
    """What makes a column of numbers one with a unit."""

    def __init__(self, unit: str = "", **words: Any) -> None:
        self.unit = unit
        super().__init__(**words)


class Double(Measured, models.FloatField):  # type: ignore[type-arg]
    """APDB's `double`: float8."""


class Real(Measured, models.FloatField):  # type: ignore[type-arg]
    """APDB's `float`: float4, which Django has no field for."""

    def db_type(self, connection: Any) -> str:
        return "real"


class Short(Measured, models.SmallIntegerField):  # type: ignore[type-arg]
    """APDB's `short`: int2."""


class Int(Measured, models.IntegerField):  # type: ignore[type-arg]
    """APDB's `int`: int4."""


class Long(Measured, models.BigIntegerField):  # type: ignore[type-arg]
    """APDB's `long`: int8, as every id is."""


class Flag(models.BooleanField):  # type: ignore[type-arg]
    """APDB's `boolean`; null where it was not looked at."""

    unit = ""

    def __init__(self, **words: Any) -> None:
        super().__init__(**({"null": True} | words))


class Text(models.CharField):  # type: ignore[type-arg]
    """APDB's `char` of a given length."""

    unit = ""
