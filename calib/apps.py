"""Calibration: raw calibration frames are measured as they are archived; masters come from them."""

from django.apps import AppConfig


class CalibConfig(AppConfig):
    name = "calib"
    verbose_name = "Calibration"

    def ready(self) -> None:
        from calib import board, exposure_judgement, jobs, services  # noqa: F401 (jobs registers its job functions)
        from calib.products import gate, generator, image_file, keeping
        from calib.products import jobs as product_jobs  # noqa: F401
        from calib.science import (
            amplifier,
            bright_pixels,
            combine,
            crosstalk,
            crosstalk_matrix,
            flat_pair,
            master_residual,
            photon_transfer_curve,
            signature_removal,
            verification,
        )
        from calib.search import METRICS_AND_CHECKS, PRODUCTS
        from dayops import images
        from dayops.activities import register
        from dayops.archive import on_archived
        from dayops.archive.hooks import keeps_content
        from dayops.day_summary import tell_of_day
        from dayops.devices import registry
        from dayops.kernels import warm_up_with
        from dayops.scheduler import every
        from dayops.web import navigation, search

        for activity in board.ACTIVITIES:
            register(activity)
        navigation.add(navigation.Destination("calib:day", "Raw calibrations", "c"))
        navigation.add(navigation.Destination("calib:products", "Products", "p"))
        navigation.add(navigation.Destination("calib:tonight", "Tonight", "t"))
        navigation.add(navigation.Destination("calib-camera:trends", "Trends", "y"))
        navigation.add(navigation.Destination("calib-camera:thresholds", "Thresholds", "h"))
        on_archived(services.queue_assessment)
        keeps_content(keeping.referenced)
        tell_of_day("products_certified", gate.certified_of_day)
        registry.register(generator.device_kind())
        search.add(METRICS_AND_CHECKS)
        search.add(PRODUCTS)
        every(10.0, "judge exposures", exposure_judgement.judge_what_waits)
        for kernels in (
            amplifier,
            bright_pixels,
            combine,
            crosstalk,
            crosstalk_matrix,
            flat_pair,
            image_file,
            master_residual,
            photon_transfer_curve,
            signature_removal,
            verification,
        ):
            warm_up_with(kernels.warm_up)
        warm_up_with(images.warm_up)
