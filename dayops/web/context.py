"""What every page knows: its dayObs, the time, the Sun, and whether work can be done."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from dayops.alarms import asking
from dayops.models import Severity
from dayops.observing_day import ObservingDay
from dayops.web import markup, navigation
from dayops.web.health import Finding, work_findings
from dayops.web.theme import THEMES, theme_of


@dataclass(frozen=True)
class Page:
    """The frame of one page. What costs a query or the Sun's position is computed when a template asks for it."""

    request: HttpRequest
    day: ObservingDay
    now: datetime

    @property
    def theme(self) -> str:
        return theme_of(self.request)

    @property
    def themes(self) -> tuple[str, ...]:
        return THEMES

    @property
    def kiosk(self) -> bool:
        """``?kiosk=1``: no header, for a wall display."""
        return self.request.GET.get("kiosk") == "1"

    @cached_property
    def today(self) -> ObservingDay:
        return ObservingDay.at(self.now)

    @property
    def is_today(self) -> bool:
        return self.day == self.today

    @property
    def tai_offset_s(self) -> int:
        return int(markup.tai_seconds(self.now.date()).total_seconds())

    @property
    def previous_url(self) -> str:
        return self._same_page(self.day.previous)

    @property
    def next_url(self) -> str:
        return self._same_page(self.day.next)

    @property
    def today_url(self) -> str:
        return self._same_page(self.today)

    @property
    def links(self) -> list[navigation.Link]:
        return list(navigation.links(self.day))

    @property
    def view_name(self) -> str:
        match = self.request.resolver_match
        return match.view_name if match else ""

    @cached_property
    def warnings(self) -> list[Finding]:
        """What keeps work from being done, worst first; one query however many workers there are."""
        return sorted((finding for finding in work_findings() if finding.level != "OK"), key=lambda f: f.level)

    @cached_property
    def alarms(self) -> dict[str, int]:
        """How many alarms ask for attention: `total`, and how many of them are more than warnings (one query)."""
        worse = Count("id", filter=Q(severity=Severity.ALARM))
        return asking().aggregate(total=Count("id"), worse=worse)

    def _same_page(self, day: ObservingDay) -> str:
        """This page on another day, or the board of that day where the page is about one thing of its day."""
        match = self.request.resolver_match
        if match and match.view_name and set(match.kwargs) == {"day"}:
            query = self.request.GET.urlencode()
            return self._reverse(match.view_name, day) + (f"?{query}" if query else "")
        return self._reverse("board", day)

    def _reverse(self, name: str, day: ObservingDay) -> str:
        try:
            return reverse(name, kwargs={"day": day})
        except NoReverseMatch:
            return f"/{day}/"


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `page`, and `day`, the dayObs in the URL or else the current one."""
    now = datetime.now(UTC)
    match = request.resolver_match
    day = match.kwargs.get("day") if match else None
    frame = Page(request, day if isinstance(day, ObservingDay) else ObservingDay.at(now), now)
    return {"page": frame, "day": frame.day}
