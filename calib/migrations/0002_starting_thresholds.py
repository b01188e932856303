"""Starting limits of the first quality assessment. People replace them by rows of their own; these stay as history.

Fractions, and electrons where the header knows the gain, mean the same for any camera. Limits in ADU or in numbers of
pixels do not: they are for the cameras whose ADU and amplifiers are known.
"""

from django.db import migrations

ANY = ("",)
MINICAM = ("minicam",)
LSST = ("comcam", "latiss", "lsstcam")
ALL = (*LSST, *MINICAM)

# (cameras, metric, image type, error_low, warn_low, warn_high, error_high, reason)
ROWS = [
    (ANY, "read_noise_e", "", 2.0, 3.0, 14.0, 18.0, "LSSTCam measured 5.2–10.4 e⁻ (5th–95th percentile of 3,216 amplifiers); nominal gains may be 17 % off"),
    (ANY, "invalid_fraction", "", None, None, 0.0, 0.001, "a raw frame has a number in every pixel"),
    (ANY, "saturated_fraction", "BIAS", None, None, 1e-4, 0.001, "a bias holds no light (LDM-230); a stuck pixel or two is a defect"),
    (ANY, "saturated_fraction", "DARK", None, None, 0.001, 0.01, "hot pixels only"),
    (ANY, "saturated_fraction", "FLAT", None, None, 0.01, 0.05, "a flat with 5 % saturated pixels is no flat (banzai)"),
    (ANY, "dead_fraction", "FLAT", None, None, 0.02, 0.10, "defective pixels < 0.5 % in acceptance; two dark columns of minicam are 1.6 %"),
    (ANY, "dead_fraction", "PTC", None, None, 0.02, 0.10, "as for flats"),
    (ALL, "overscan_level", "", 1000.0, 5000.0, 40000.0, 100000.0, "ADU: raw headers of LSSTCam and LATISS have 6,900–32,300; a converter at its end has 0 or 262,143"),
    (ALL, "robust_sigma", "BIAS", None, None, 12.0, 20.0, "ADU: 14 e⁻ of read noise are 10; more is a pattern or light"),
    (ALL, "median", "BIAS", -20.0, -5.0, 5.0, 20.0, "ADU above the overscan: the presence of light in a bias (LDM-230)"),
    (ALL, "median", "DARK", -20.0, -5.0, 30.0, 60.0, "ADU above the overscan: 5 of a bias and 0.2 e⁻/s (acceptance) in the plan's 180 s; more is light"),
    (ALL, "median", "FLAT", 500.0, 2000.0, 60000.0, 80000.0, "ADU above the overscan: light, and below 90,000 e⁻ where the photon transfer curve turns (cp_verify)"),
    (ALL, "median", "PTC", 50.0, 100.0, None, None, "ADU above the overscan: the plan's faintest pair gives 270"),
    (MINICAM, "hot_pixels", "BIAS", None, None, 50.0, 500.0, "pixels of 65,536; a shower of them is a fault"),
    (MINICAM, "hot_pixels", "DARK", None, None, 1000.0, 8000.0, "pixels of 65,536: a bright column is 512"),
    (LSST, "hot_pixels", "BIAS", None, None, 1000.0, 10000.0, "pixels of 1,020,000; a shower of them is a fault"),
    (LSST, "hot_pixels", "DARK", None, None, 5000.0, 50000.0, "pixels of 1,020,000: 0.5 % defective is the acceptance limit"),
]


def add(apps, schema_editor):
    Threshold = apps.get_model("calib", "Threshold")
    for cameras, metric, image_type, error_low, warn_low, warn_high, error_high, reason in ROWS:
        for camera in cameras:
            Threshold.objects.create(
                metric=metric, camera=camera, image_type=image_type, error_low=error_low, warn_low=warn_low,
                warn_high=warn_high, error_high=error_high, valid_from="2000-01-01T00:00Z", author="DayOps",
                reason=reason,
            )


class Migration(migrations.Migration):
    dependencies = [("calib", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
