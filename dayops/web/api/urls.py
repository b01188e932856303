"""The addresses of the API, without a slash at their end."""

from django.urls import path

from dayops.web.api.alarms import acknowledge_view, alarms_view, snooze_view
from dayops.web.api.days import day_events, day_runs, day_view
from dayops.web.api.openapi import openapi
from dayops.web.api.runs import operate_view, run_view
from dayops.web.work_pages.operations import OPERATIONS

urlpatterns = [
    path("openapi.json", openapi, name="api-description"),
    path("days/<dayobs:day>", day_view, name="api-day"),
    path("days/<dayobs:day>/runs", day_runs, name="api-runs"),
    path("days/<dayobs:day>/events", day_events, name="api-events"),
    path("alarms", alarms_view, name="api-alarms"),
    path("alarms/<int:pk>/acknowledge", acknowledge_view, name="api-alarm-acknowledge"),
    path("alarms/<int:pk>/snooze", snooze_view, name="api-alarm-snooze"),
    path("runs/<int:pk>", run_view, name="api-run"),
    *(path(f"runs/<int:pk>/{name}", operate_view, {"operation": name}, name=f"api-run-{name}") for name in OPERATIONS),
]
