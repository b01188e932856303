"""The addresses of the OCS's API, without a slash at their end."""

from django.urls import path

from dayops.web.api.ocs import command_view, commands_view, device_view, devices_view
from dayops.web.api.ocs_events import events_view
from dayops.web.api.ocs_openapi import ocs_openapi

urlpatterns = [
    path("openapi.json", ocs_openapi, name="ocs-description"),
    path("devices", devices_view, name="ocs-devices"),
    path("devices/<str:device>", device_view, name="ocs-device"),
    path("devices/<str:device>/commands", commands_view, name="ocs-commands"),
    path("commands/<int:pk>", command_view, name="ocs-command"),
    path("events", events_view, name="ocs-events"),
]
