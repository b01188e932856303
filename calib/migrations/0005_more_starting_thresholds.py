"""Starting limits of the metrics and checks that came after the first ten."""

from django.db import migrations

ANY = ("",)
MINICAM = ("minicam",)
LSST = ("comcam", "latiss", "lsstcam")
ALL = (*LSST, *MINICAM)

# (cameras, metric, image type, filter, error_low, warn_low, warn_high, error_high, reason)
ROWS = [
    (ANY, "cosmic_ray_rate", "DARK", "", None, None, 20.0, 40.0, "tracks/cm²/min: the usual rate is 4; in 15 s and 1 cm² chance alone gives 20 once in a thousand darks"),
    (ANY, "crosstalk", "DARK", "", -0.0019, -0.001, 0.001, 0.0019, "acceptance (LCA-128): below 0.19 %"),
    (ANY, "amplifier_scatter", "FLAT", "", None, None, 0.15, 0.30, "nominal gains are up to 17 % off"),
    (ANY, "header_contradicts_pixels", "", "", None, None, 0.0, 0.0, "a header that contradicts its pixels or itself describes another frame"),
    (LSST, "header_bias_noise", "BIAS", "", None, None, 20.0, 100.0, "ADU: good ITL biases have 2.0–2.1, a bad one had 131.7"),
    (ANY, "sensor_temperature", "", "", -3.0, -1.0, 1.0, 3.0, "°C: dark current doubles in 5 to 7 °C; banzai wants darks within 0.5 °C"),
    (ALL, "overscan_level_drift", "", "", -10.0, -5.0, 5.0, 10.0, "ADU: DESI calls 2 ADU an error against a nominal level; healthy levels here move by 1.3 from day to day"),
    (ANY, "read_noise_change", "", "", 0.7, 0.85, 1.2, 1.5, "against its own past an amplifier is known to 1 %"),
    (ANY, "dark_current", "DARK", "", -0.1, -0.05, 0.12, 0.2, "e⁻/s: acceptance (LCA-128) allows 0.2"),
    (ALL, "gain_from_flat_pair", "FLAT", "", 1.0, 1.2, 2.0, 2.4, "e⁻/ADU: LSSTCam's amplifiers have 1.39–1.73"),
    (ANY, "gain_change", "FLAT", "", 0.93, 0.96, 1.04, 1.07, "cp_verify allows a gain from a flat pair 5 %; chance is 0.6 % in 65,536 pixels"),
    (ALL, "light_in_bias", "BIAS", "", -20.0, -5.0, 3.0, 10.0, "ADU: the presence of light in a bias (LDM-230)"),
    (ANY, "light_in_dark", "DARK", "", None, None, 0.12, 0.3, "e⁻/s: acceptance (LCA-128) allows a dark current of 0.2"),
    (ALL, "stuck_shutter", "DARK", "", None, None, 5.0, 10.0, "e⁻/s: fifty times the dark current that acceptance allows"),
    (ALL, "stuck_shutter", "FLAT", "", 5.0, 10.0, None, None, "e⁻/s: less than a hundredth of the dimmest lamp"),
    (ALL, "stuck_shutter", "PTC", "", 5.0, 10.0, None, None, "e⁻/s: less than a hundredth of the dimmest lamp"),
    (ANY, "flat_deviates", "FLAT", "", None, None, 0.05, 0.15, "a deviation of a flat field from the norm (LDM-230)"),
    (ALL, "flat_gradient", "FLAT", "", None, None, 0.05, 0.08, "cp_verify allows detectors a scatter of 5 %"),
    (ALL, "detector_scatter", "FLAT", "", None, None, 0.08, 0.15, "cp_verify: 0.05 with measured gains; nominal ones add to it"),
    (ANY, "swapped_amplifiers", "", "", None, None, 0.0, 0.0, "no amplifier has another one's level"),
    (ANY, "settling", "BIAS", "", None, None, 0.0, 0.0, "DESI drops the first half of its biases after a reset"),
    (ANY, "expected_frames", "", "", None, None, 0.0, 0.0, "every detector that the header counts"),
]
LAMP_E_S = {"u": 700.0, "g": 1500.0, "r": 2000.0, "i": 1900.0, "z": 1600.0, "y": 1000.0}
ROWS += [
    (MINICAM, "flat_level", "FLAT", band, 0.57 * light, 0.68 * light, 1.3 * light, 1.5 * light, "e⁻/s: the lamp's light, dimmer by 8 % at the rim, with gains up to 20 % off")
    for band, light in LAMP_E_S.items()
]


def add(apps, schema_editor):
    Threshold = apps.get_model("calib", "Threshold")
    for cameras, metric, image_type, band, error_low, warn_low, warn_high, error_high, reason in ROWS:
        for camera in cameras:
            Threshold.objects.create(
                metric=metric, camera=camera, image_type=image_type, filter=band, error_low=error_low,
                warn_low=warn_low, warn_high=warn_high, error_high=error_high, valid_from="2000-01-01T00:00Z",
                author="DayOps", reason=reason,
            )


class Migration(migrations.Migration):
    dependencies = [("calib", "0004_remarks_of_assessments")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
