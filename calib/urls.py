"""Addresses of the calibration pages, below ``/<dayObs>/calib/``."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from calib.views.amplifiers import amplifiers_page, findings_page
from calib.views.compare import compare_figure, compare_page
from calib.views.day import day_page
from calib.views.detector import detector_over_time, detector_page
from calib.views.exposure import exposure_page, focal_plane_figure, metric_histogram_figure
from calib.views.frame_image import frame_file, image_info, image_pixel, image_tile, pixel_histogram_figure
from calib.views.products.day import products_day, start_products
from calib.views.products.product import product_of_event
from calib.views.products.sets import certification_of_event, set_of_event
from calib.views.products.tonight import tonight_page
from calib.views.review import review_exposure, review_frame, reviews_page
from calib.views.thresholds import rejudge_day, threshold_of_day


class Sha256Converter(StringConverter):
    regex = r"[0-9a-f]{64}"


register_converter(Sha256Converter, "sha256")
app_name = "calib"
_EXPOSURE = "exposures/<str:name>/"
_FRAME = "frames/<sha256:sha256>/"

urlpatterns = [
    path("", day_page, name="day"),
    path("compare/", compare_page, name="compare"),
    *(
        path(f"compare/{which}/", compare_figure, {"which": which}, name=f"compare-{which}")
        for which in ("a", "b", "change", "histogram")
    ),
    path("products/", products_day, name="products"),
    path("products/start/", start_products, name="products-start"),
    path("products/sets/<int:pk>/", set_of_event, name="productset"),  # where events and notes lead
    path("products/<int:pk>/", product_of_event, name="product"),
    path("certifications/<int:pk>/", certification_of_event, name="certification"),
    path("tonight/", tonight_page, name="tonight"),
    path("rejudge/", rejudge_day, name="rejudge"),
    path("reviews/", reviews_page, name="reviews"),
    path("thresholds/<int:pk>/", threshold_of_day, name="threshold"),
    path("detectors/<str:detector>/", detector_over_time, name="detector"),
    path(_EXPOSURE, exposure_page, name="exposure"),
    path(f"{_EXPOSURE}review/", review_exposure, name="review"),
    path(f"{_EXPOSURE}<str:detector>/review/", review_frame, name="review-frame"),
    path(f"{_EXPOSURE}focal-plane/", focal_plane_figure, name="focal-plane"),
    path(f"{_EXPOSURE}histogram/", metric_histogram_figure, name="metric-histogram"),
    path(f"{_EXPOSURE}amplifiers/", amplifiers_page, name="amplifiers"),
    path(f"{_EXPOSURE}findings/", findings_page, name="findings"),
    path(f"{_EXPOSURE}<str:detector>/", detector_page, name="detector"),
    path(f"{_FRAME}file/", frame_file, name="file"),
    path(f"{_FRAME}image/", image_info, name="image"),
    path(f"{_FRAME}image/pixel/<str:overscan>/", image_pixel, name="pixel"),
    path(f"{_FRAME}image/histogram/", pixel_histogram_figure, name="pixel-histogram"),
    path(f"{_FRAME}image/<int:z>/<int:x>/<int:y>", image_tile, name="tile"),
]
