"""Addresses of the calibration pages that are about no single day, below ``/calib/``."""

from django.urls import path

from calib.views.coverage import coverage_page
from calib.views.products.figures import product_figure
from calib.views.products.image import product_file, product_histogram, product_image, product_pixel, product_tile
from calib.views.products.product import flag_product, product_page
from calib.views.products.sets import override_set, rebuild_set, roll_back_set, set_page
from calib.views.products.trends import product_trend_figure, product_trends
from calib.views.threshold_edit import activate_thresholds, preview_figure, threshold_editor
from calib.views.thresholds import retire_threshold, threshold_list, threshold_page
from calib.views.trend import trend_figure_data, trend_page

app_name = "calib-camera"
_SET = "products/sets/<int:pk>/"
_PRODUCT = "products/<int:pk>/"
_IMAGE = f"{_PRODUCT}image/<slug:plane>/<int:beside>/"

urlpatterns = [
    path("coverage/", coverage_page, name="coverage"),
    path("products/trends/", product_trends, name="product-trends"),
    path("products/trends/figure/", product_trend_figure, name="product-trend-figure"),
    path(_SET, set_page, name="productset"),
    path(f"{_SET}override/", override_set, name="productset-override"),
    path(f"{_SET}rollback/", roll_back_set, name="productset-rollback"),
    path(f"{_SET}rebuild/", rebuild_set, name="productset-rebuild"),
    path(_PRODUCT, product_page, name="product"),
    path(f"{_PRODUCT}file/", product_file, name="product-file"),
    path(f"{_PRODUCT}flag/", flag_product, name="product-flag"),
    path(f"{_PRODUCT}figure/<slug:figure>/", product_figure, name="product-figure"),
    path(_IMAGE, product_image, name="product-image"),
    path(f"{_IMAGE}pixel/", product_pixel, name="product-pixel"),
    path(f"{_IMAGE}histogram/", product_histogram, name="product-histogram"),
    path(f"{_IMAGE}<int:z>/<int:x>/<int:y>", product_tile, name="product-tile"),
    path("trends/", trend_page, name="trends"),
    path("trends/figure/", trend_figure_data, name="trend-figure"),
    path("thresholds/", threshold_list, name="thresholds"),
    path("thresholds/edit/", threshold_editor, name="threshold-edit"),
    path("thresholds/edit/figure/", preview_figure, name="threshold-preview-figure"),
    path("thresholds/activate/", activate_thresholds, name="threshold-activate"),
    path("thresholds/<int:pk>/", threshold_page, name="threshold"),
    path("thresholds/<int:pk>/retire/", retire_threshold, name="threshold-retire"),
]
