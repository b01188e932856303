"""Starting limits of the first quality assessment. People replace them by rows of their own; these stay as history."""

from django.db import migrations

# (metric, image type, error_low, warn_low, warn_high, error_high, reason)
ROWS = [
    ("read_noise_e", "", 2.0, 3.0, 13.0, 18.0, "LSSTCam measured 5.2–10.4 e⁻ (5th–95th percentile of 3,216 amplifiers)"),
    ("saturated_fraction", "BIAS", None, None, 0.0, 0.001, "a bias holds no light (LDM-230)"),
    ("saturated_fraction", "DARK", None, None, 0.001, 0.01, "hot pixels only"),
    ("saturated_fraction", "FLAT", None, None, 0.01, 0.05, "a flat with 5 % saturated pixels is no flat (banzai)"),
    ("dead_fraction", "FLAT", None, None, 0.02, 0.10, "defective pixels < 0.5 % in acceptance; a dead amplifier is 1"),
    ("median", "BIAS", -20.0, -10.0, 10.0, 20.0, "ADU above the overscan: the presence of light in a bias (LDM-230)"),
    ("median", "FLAT", 500.0, 2000.0, None, None, "ADU above the overscan: a flat must hold light"),
    ("hot_pixels", "BIAS", None, None, 500.0, 5000.0, "pixels; a shower of them is a fault"),
    ("hot_pixels", "DARK", None, None, 1000.0, 8000.0, "pixels of 65,536: 0.5 % defective is the acceptance limit"),
]


def add(apps, schema_editor):
    Threshold = apps.get_model("calib", "Threshold")
    for metric, image_type, error_low, warn_low, warn_high, error_high, reason in ROWS:
        Threshold.objects.create(
            metric=metric, image_type=image_type, error_low=error_low, warn_low=warn_low,
            warn_high=warn_high, error_high=error_high, valid_from="2000-01-01T00:00Z", author="DayOps", reason=reason,
        )


class Migration(migrations.Migration):
    dependencies = [("calib", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
