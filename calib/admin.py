"""What maintainers may look up. Services write these rows; thresholds get a page of their own."""

from django.contrib import admin

from calib.models import Assessment, Finding, Review, Threshold
from dayops.admin import ReadOnly


@admin.register(Threshold)
class Thresholds(ReadOnly):
    list_display = ("metric", "camera", "image_type", "error_low", "warn_low", "warn_high", "error_high", "valid_from")
    list_filter = ("metric", "image_type")
    search_fields = ("metric", "reason", "author")


@admin.register(Assessment)
class Assessments(ReadOnly):
    list_display = ("exposure", "detector", "level", "amplifiers_warn", "amplifiers_error", "assessed_at")
    list_select_related = ("exposure",)
    list_filter = ("level",)
    search_fields = ("exposure__name",)


@admin.register(Finding)
class Findings(ReadOnly):
    list_display = ("assessment_id", "amplifier", "metric", "level", "value", "limit")
    list_filter = ("level", "metric")


@admin.register(Review)
class Reviews(ReadOnly):
    list_display = ("exposure", "frame", "decision", "reason", "author", "at")
    list_select_related = ("exposure", "frame")
    list_filter = ("decision",)
    search_fields = ("exposure__name", "reason", "author")
