"""The addresses of the pages about work."""

from django.urls import path

from dayops.web.work_pages.alarms import alarm_badge, alarm_list, alarm_operate, alarm_page
from dayops.web.work_pages.board import board, today
from dayops.web.work_pages.devices import command_device, device_list, device_page
from dayops.web.work_pages.events import event_list
from dayops.web.work_pages.notes import note_list, retract_note
from dayops.web.work_pages.run import operate, run_page
from dayops.web.work_pages.runs import run_list
from dayops.web.work_pages.search import search_page
from dayops.web.work_pages.task import task_page
from dayops.web.work_pages.workers import worker_list

urlpatterns = [
    path("", today, name="today"),
    path("search/", search_page, name="search"),
    path("alarms/", alarm_list, name="alarms"),
    path("alarms/badge/", alarm_badge, name="alarm-badge"),
    path("alarms/<int:pk>/<slug:deed>/", alarm_operate, name="alarm-operate"),
    path("notes/", note_list, name="notes"),
    path("notes/<int:pk>/retract/", retract_note, name="note-retract"),
    path("devices/", device_list, name="devices"),
    path("<dayobs:day>/devices/<str:device>/", device_page, name="device"),  # where events and notes lead
    path("devices/<str:device>/", device_page, name="device"),
    path("devices/<str:device>/<slug:command>/", command_device, name="device-command"),
    path("<dayobs:day>/", board, name="board"),
    path("<dayobs:day>/runs/", run_list, name="runs"),
    path("<dayobs:day>/runs/<int:pk>/", run_page, name="run"),
    path("<dayobs:day>/runs/<int:pk>/<slug:operation>/", operate, name="run-operate"),
    path("<dayobs:day>/tasks/<int:pk>/", task_page, name="task"),
    path("<dayobs:day>/workers/", worker_list, name="workers"),
    path("<dayobs:day>/alarms/", alarm_list, name="day-alarms"),
    path("<dayobs:day>/alarms/<int:pk>/", alarm_page, name="alarm"),
    path("<dayobs:day>/events/", event_list, name="events"),
]
