"""Starting limits of the metrics and checks that came after the first ten."""

from django.db import migrations

ANY = ("",)
MINICAM = ("minicam",)
LSST = ("comcam", "latiss", "lsstcam")
ALL = (*LSST, *MINICAM)
IMAGERS = ("comcam", "lsstcam", "minicam")  # a spectrograph's flats are not even

# (cameras, metric, image type, filter, error_low, warn_low, warn_high, error_high, reason)
ROWS = [
    (ALL, "overscan_slope", "", "", -8.0, -4.0, 4.0, 8.0, "ADU over the rows: healthy simulated frames stay within 2.4; a rise of 20 is a fault"),
    (ALL, "overscan_rms", "", "", None, None, 2.75, 5.0, "ADU: healthy simulated row means scatter by at most 1.8, at 14 e⁻ of noise; bands of 5 ADU give 3.7"),
    (ALL, "overscan_maximum", "", "", None, None, 12.0, 25.0, "ADU: one row in millions of healthy simulated ones is 8 off, a cosmic ray in it"),
    (ALL, "bias_shifts", "", "", None, None, 2.75, 5.0, "ADU: healthy simulated frames stay below 1.8; a shift of 10 gives 9"),
    (ALL, "banding", "", "", None, None, 0.9, 2.5, "ADU: healthy simulated frames stay below 0.54; bands that the eye sees have 5"),
    (ALL, "corner_mean", "BIAS", "", -20.0, -5.0, 5.0, 20.0, "ADU above the overscan: as the median of a bias, so that light in a corner is seen"),
    (ALL, "corner_mean", "DARK", "", -20.0, -5.0, 30.0, 60.0, "ADU above the overscan: as the median of a dark"),
    (ALL, "gradient", "BIAS", "", None, None, 7.0, 12.0, "ADU from corner to corner: healthy simulated frames stay below 4.3; a slope of 20 gives 20"),
    (ALL, "gradient", "DARK", "", None, None, 7.0, 12.0, "ADU from corner to corner: as for biases; more is a glow or light from one side"),
    (ALL, "row_structure", "BIAS", "", None, None, 0.8, 2.0, "ADU: healthy simulated frames stay below 0.4; bands of 5 ADU give 3.6, a shift of 10 gives 2.5"),
    (ALL, "row_structure", "DARK", "", None, None, 0.8, 2.0, "ADU: as for biases"),
    (ALL, "column_structure", "BIAS", "", None, None, 1.5, 4.0, "ADU: the start of the lines and fixed columns give healthy simulated frames at most 0.93"),
    (ALL, "column_structure", "DARK", "", None, None, 5.0, 10.0, "ADU: as for biases, and bright columns, which give 3.2 in a small amplifier"),
    (ALL, "line_amplitude", "BIAS", "", None, None, 1.6, 3.0, "ADU: noise alone gives healthy simulated frames at most 1.05"),
    (ALL, "line_amplitude", "DARK", "", None, None, 1.6, 3.0, "ADU: as for biases"),
    (ALL, "amplifier_correlation", "", "", None, None, 0.06, 0.15, "chance alone gives 15,000 pixels of overscan at most 0.035 with any of 15 others"),
    (ALL, "stuck_bits", "", "", None, None, 0.0, 0.5, "bits: a converter that is well has none; other cameras may store fewer bits than their integers have"),
    (MINICAM, "cold_pixels", "FLAT", "", None, None, 1300.0, 6500.0, "pixels of 65,536: a dark column is 512"),
    (MINICAM, "cold_pixels", "PTC", "", None, None, 1300.0, 6500.0, "as for flats"),
    (LSST, "cold_pixels", "FLAT", "", None, None, 10000.0, 50000.0, "pixels of 1,020,000: 0.5 % defective is the acceptance limit"),
    (LSST, "cold_pixels", "PTC", "", None, None, 10000.0, 50000.0, "as for flats"),
    (MINICAM, "flat_level", "PTC", "", 500.0, 1000.0, 3500.0, 5000.0, "e⁻/s: the lamp gives 2,000 in r, gains and vignetting 20 % either way"),
    (MINICAM, "flat_snr", "FLAT", "", 25.0, 35.0, 200.0, 1000.0, "a flat of 15,000 e⁻ has 56 to 110 with its PRNU; beyond, its pixels are full"),
    (MINICAM, "flat_snr", "PTC", "", 4.0, 8.0, None, None, "the plan's faintest pair gives 20, 12 at twice the read noise; the brightest is full in places"),
    (IMAGERS, "amplifier_scatter", "FLAT", "", None, None, 0.15, 0.25, "nominal gains are up to 17 % off, which gives 0.05 to 0.09"),
    (IMAGERS, "amplifier_scatter", "PTC", "", None, None, 0.15, 0.25, "as for flats"),
    (ANY, "cosmic_ray_rate", "DARK", "", None, None, 20.0, 40.0, "tracks/cm²/min: the usual rate is 4; in 15 s and 1 cm² chance alone gives 20 once in a thousand darks"),
    (ANY, "crosstalk", "DARK", "", -0.0019, -0.001, 0.001, 0.0019, "acceptance (LCA-128): below 0.19 %"),
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
    (MINICAM, "flat_level", "FLAT", band, 0.57 * light, 0.65 * light, 1.4 * light, 1.6 * light, "e⁻/s: the lamp's light, dimmer by 8 % at the rim, with gains up to 20 % off")
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
