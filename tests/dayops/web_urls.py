"""DayOps' addresses, with a few views that misbehave on purpose or need a right."""

from django.contrib import messages
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from dayops.observing_day import ObservingDay
from dayops.urls import handler400, handler403, handler404, handler500, urlpatterns  # noqa: F401
from dayops.web.access import require


@require("dayops.operate_run")
def operate(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"by": request.user.get_username()})


@require("dayops.judge_frame")
def judge(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"by": request.user.get_username()})


def read(request: HttpRequest) -> HttpResponse:
    return HttpResponse("readable")


def of_day(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    messages.success(request, "a message")
    return render(request, "base.html")


def database_is_away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("could not connect: secret-host refused")


def crash(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a secret detail")


urlpatterns = [
    *urlpatterns,
    path("operate/", operate),
    path("api/operate", operate),
    path("api/judge", judge),
    path("api/unguarded", read),
    path("read/", read),
    path("api/away", database_is_away),
    path("away/", database_is_away),
    path("crash/", crash),
    path("api/crash", crash),
    path("test/<dayobs:day>/", of_day, name="test-day"),
    path("test/<dayobs:day>/<int:pk>/", lambda request, day, pk: of_day(request, day), name="test-thing"),
]
