"""What maintainers edit by hand: people, and little else. What work and archive wrote is for reading."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest

from dayops.models import ApiToken, Event, Exposure, RawFrame, Run, Task, WorkerProcess
from dayops.web.admin_site import MAINTAIN


class ForMaintainers(admin.ModelAdmin[Model]):
    """Everything for whoever may maintain. The model permissions Django makes are not used."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAINTAIN)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAINTAIN)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission  # type: ignore[assignment]
