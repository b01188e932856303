"""The addresses of the pages about work."""

from django.urls import path

from dayops.web.work_pages.board import board, today
from dayops.web.work_pages.events import event_list
from dayops.web.work_pages.run import operate, run_page
from dayops.web.work_pages.runs import run_list
from dayops.web.work_pages.task import task_page
from dayops.web.work_pages.workers import worker_list

urlpatterns = [
    path("", today, name="today"),
    path("<dayobs:day>/", board, name="board"),
    path("<dayobs:day>/runs/", run_list, name="runs"),
    path("<dayobs:day>/runs/<int:pk>/", run_page, name="run"),
    path("<dayobs:day>/runs/<int:pk>/<slug:operation>/", operate, name="run-operate"),
    path("<dayobs:day>/tasks/<int:pk>/", task_page, name="task"),
    path("<dayobs:day>/workers/", worker_list, name="workers"),
    path("<dayobs:day>/events/", event_list, name="events"),
]
