"""Django's admin, for maintainers: by group rather than the staff flag, and through our own throttled sign-in."""

from http import HTTPStatus

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dayops.web.access import why_not
from dayops.web.refusals import refusal

MAINTAIN = "dayops.maintain"


class MaintainerSite(admin.AdminSite):
    """The admin site of DayOps."""

    site_header = site_title = "DayOps administration"
    index_title = "Maintenance of DayOps"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm(MAINTAIN)

    @login_not_required
    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """To the sign-in page; who is signed in and still lands here lacks the right, and is told so."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or request.path)
        reason = why_not(request, MAINTAIN)
        return refusal(request, HTTPStatus.FORBIDDEN, reason) if reason else redirect("admin:index")
