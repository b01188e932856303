"""The day board: can we observe tonight, and if not, why not?"""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import conditional_page, require_safe

from dayops.models import Event, Phase, Run, Severity
from dayops.observing_day import ObservingDay
from dayops.web.health import work_findings
from dayops.web.refusals import is_fragment
from dayops.web.work_pages.alarms import open_alarms
from dayops.web.work_pages.answer import answer
from dayops.web.work_pages.lanes import day_lanes
from dayops.web.work_pages.queues import queue_states, worker_states
from dayops.web.work_pages.subjects import linked

EVENTS_SHOWN = 12
ALARMS_SHOWN = 8


@require_safe
@never_cache
def today(request: HttpRequest) -> HttpResponse:
    """To the board of the current dayObs, with the query string (``?kiosk=1``)."""
    response = redirect("board", day=ObservingDay.current())
    if query := request.GET.urlencode():
        response["Location"] += f"?{query}"
    return response


@require_safe
@conditional_page
def board(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    """The board of `day`, whole or as the fragment that keeps it current. A constant number of queries."""
    now = datetime.now(UTC)
    lanes = day_lanes(day, now)
    events = Event.objects.filter(day_obs=day.day_obs).order_by("-id")
    context = {
        "subject": f"day:{day.day_obs}",
        "lanes": lanes,
        "answer": answer(lanes),
        "open_alarms": open_alarms(day, is_today=day == ObservingDay.at(now)),
        "alarms": linked(events.filter(severity=Severity.ALARM)[:ALARMS_SHOWN]),
        "events": linked(events.exclude(severity=Severity.ALARM)[:EVENTS_SHOWN]),
        "failed_runs": Run.objects.filter(day_obs=day.day_obs, phase=Phase.ERROR).count(),
        "findings": work_findings(),
        "queues": queue_states(worker_states(now)),
        "seconds_left": max(0, int((day.ends - now).total_seconds())) + 5,
    }
    return render(request, "board_live.html" if is_fragment(request) else "board.html", context)
