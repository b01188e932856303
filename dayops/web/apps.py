"""`django.contrib.admin` with our own site; named in INSTALLED_APPS in its place."""

from django.contrib.admin.apps import AdminConfig


class MaintainerAdminConfig(AdminConfig):
    default_site = "dayops.web.admin_site.MaintainerSite"
