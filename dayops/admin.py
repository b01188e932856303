"""What maintainers do by hand: accounts and their groups, and revoking tokens. What work wrote is only for reading."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest

from dayops.devices.changes import lock_out
from dayops.models import (
    Alarm,
    AlarmDelivery,
    ApiToken,
    Command,
    Device,
    Event,
    Exposure,
    Note,
    RawFrame,
    Run,
    Task,
    WorkerProcess,
)
from dayops.web import tokens
from dayops.web.admin_site import MAINTAIN

admin.site.unregister([User, Group])  # groups and their rights come by migration; accounts have rules of their own


class ForMaintainers:
    """One right opens the admin; the permissions Django makes for each model are not used."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAINTAIN)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAINTAIN)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class Accounts(ForMaintainers, UserAdmin):  # type: ignore[type-arg]
    """People. An account that is no longer wanted is made inactive, so that the record keeps its name.

    Only a superuser touches superusers: otherwise whoever may edit accounts could make himself one.
    """

    list_display = ("username", "first_name", "last_name", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAINTAIN)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        out_of_reach = obj is not None and obj.is_superuser and not request.user.is_superuser
        return request.user.has_perm(MAINTAIN) and not out_of_reach


class ReadOnly(ForMaintainers, admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only services write. Large tables are not counted for a page's footer."""

    show_full_result_count = False


@admin.register(ApiToken)
class Tokens(ReadOnly):
    list_display = ("user", "name", "scope", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke the chosen tokens")
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        ended = sum(tokens.revoke(token, request.user.get_username()) for token in chosen)
        self.message_user(request, f"{ended} tokens were revoked.")


@admin.register(Event)
class Events(ReadOnly):
    list_display = ("at", "severity", "kind", "actor", "text")
    list_filter = ("severity", "kind")
    search_fields = ("text", "subject", "actor")


@admin.register(Alarm)
class Alarms(ReadOnly):
    list_display = ("raised_at", "severity", "name", "sentence", "times", "cleared_at", "acknowledged_by")
    list_filter = ("severity", "activity")
    search_fields = ("key", "sentence", "subject")


@admin.register(AlarmDelivery)
class AlarmDeliveries(ReadOnly):
    list_display = ("alarm_id", "channel", "address", "state", "tries", "sent_at", "error")
    list_filter = ("state", "channel")


@admin.register(Note)
class Notes(ReadOnly):
    list_display = ("written_at", "kind", "subject", "author", "text", "retracted_at")
    list_filter = ("kind",)
    search_fields = ("text", "subject", "author")


@admin.register(Device)
class Devices(ReadOnly):
    """States come by command; a maintainer locks a device out for engineering, or ends that."""

    list_display = ("name", "state", "state_since", "configuration_name", "locked_out")
    fields = ("name", "state", "state_since", "configuration_name", "reason", "locked_out")
    readonly_fields = ("name", "state", "state_since", "configuration_name", "reason")

    def has_change_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        return request.user.has_perm(MAINTAIN)

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        lock_out(obj.name, obj.locked_out, actor=request.user.get_username())


@admin.register(Command)
class Commands(ReadOnly):
    list_display = ("id", "device", "name", "phase", "ack", "text", "requested_by", "created_at")
    list_select_related = ("device",)
    list_filter = ("phase", "name")
    search_fields = ("key", "text")


@admin.register(Run)
class Runs(ReadOnly):
    list_display = ("id", "day_obs", "activity", "title", "phase", "created_at")
    list_filter = ("phase", "activity")
    search_fields = ("title", "key")


@admin.register(Task)
class Tasks(ReadOnly):
    list_display = ("id", "run_id", "key", "queue", "phase", "attempt", "worker")
    list_filter = ("phase", "queue")
    search_fields = ("key",)


@admin.register(Exposure)
class Exposures(ReadOnly):
    list_display = ("name", "camera", "day_obs", "image_type", "exposure_s", "filter")
    list_filter = ("camera", "image_type")
    search_fields = ("name",)


@admin.register(RawFrame)
class RawFrames(ReadOnly):
    list_display = ("exposure", "detector_name", "state", "verified", "size", "archived_at")
    list_select_related = ("exposure",)
    list_filter = ("state", "verified")
    search_fields = ("file_name", "sha256")


@admin.register(WorkerProcess)
class Workers(ReadOnly):
    list_display = ("name", "host", "pid", "queue", "started_at", "seen_at", "ended_at")
