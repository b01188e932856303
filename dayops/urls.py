"""The addresses of DayOps. dayObs comes first wherever a page is about a day."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from dayops.web import converters
from dayops.web.health import healthz, readyz
from dayops.web.pulse import pulse
from dayops.web.sign_in import SignIn
from dayops.web.style_image import style_info, style_pixel, style_tile
from dayops.web.style_page import style, style_figure
from dayops.web.token_pages import revoke_token, token_list

converters.register()

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("pulse/", pulse, name="pulse"),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("tokens/", token_list, name="tokens"),
    path("tokens/<int:pk>/revoke/", revoke_token, name="token-revoke"),
    path("style/", style, name="style"),
    path("style/figure/", style_figure, name="style-figure"),
    path("style/image/", style_info, name="style-image"),
    path("style/image/pixel/", style_pixel, name="style-pixel"),
    path("style/image/<int:z>/<int:x>/<int:y>", style_tile, name="style-tile"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("dayops.web.api.urls")),
    path("api/ocs/v1/", include("dayops.web.api.ocs_urls")),
    path("api/v1/calib/", include("calib.api.urls")),
    path("api/v1/mops/", include("mops.api.urls")),
    path("", include("dayops.web.work_pages.urls")),
    path("calib/", include("calib.urls_camera")),
    path("<dayobs:day>/calib/", include("calib.urls")),
    path("<dayobs:day>/mops/", include("mops.urls")),
]

handler400 = "dayops.web.errors.bad_request"
handler403 = "dayops.web.errors.forbidden"
handler404 = "dayops.web.errors.not_found"
handler500 = "dayops.web.errors.server_error"
