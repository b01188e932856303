"""Django's admin, for maintainers: by group rather than the staff flag, and through our own throttled sign-in."""

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

MAINTAIN = "dayops.maintain"


class MaintainerSite(admin.AdminSite):
    """The admin site of DayOps."""

    site_header = site_title = "DayOps administration"
    index_title = "Maintenance of DayOps"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm(MAINTAIN)

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponseBase:
        return redirect_to_login(request.GET.get("next") or request.path)
