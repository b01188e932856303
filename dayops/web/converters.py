"""dayObs in the URL: ``<dayobs:day>`` matches 2026-11-22 and hands the view an ObservingDay."""

from django.urls import register_converter

from dayops.observing_day import ObservingDay


class DayObsConverter:
    """Dates that do not exist (2026-02-30) do not match, and so are not found."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> ObservingDay:
        return ObservingDay.parse(value)

    def to_url(self, value: ObservingDay | int | str) -> str:
        """Take an ObservingDay, its number (20261122) or its text, so that rows link without translation."""
        return str(value if isinstance(value, ObservingDay) else ObservingDay.parse(str(value)))


def register() -> None:
    register_converter(DayObsConverter, "dayobs")
