"""Faults of what shines on the detectors: lamp, screen, filter, shutter, cosmic rays."""

import numpy as np

from dayops.simulator.cosmic_rays import add_cosmic_rays
from dayops.simulator.faults.fault import Acts, Fault, Hit, Where
from dayops.simulator.scenes import LAMP_E_S, focal_plane
from dayops.simulator.truth import FloatArray

_OPEN_AFTER_S = 1.0  # half of a readout: how long light falls on a bias whose shutter is open


def _add_a_constant(light_e: FloatArray, hit: Hit) -> FloatArray:
    return light_e + np.float32(hit.amplitude)


def _add_a_rate(light_e: FloatArray, hit: Hit) -> FloatArray:
    return light_e + np.float32(hit.amplitude * (hit.planned.exposure_s + _OPEN_AFTER_S))


def _scale(light_e: FloatArray, hit: Hit) -> FloatArray:
    return light_e * np.float32(hit.amplitude)


def _tilt(light_e: FloatArray, hit: Hit) -> FloatArray:
    u, _ = focal_plane(hit.camera, hit.detector)
    return np.asarray(light_e * (1 + hit.amplitude * u), dtype=np.float32)


def _shower(electrons: FloatArray, hit: Hit) -> FloatArray:
    """The usual rate acts already; this adds what is above it."""
    showered = electrons.copy()
    add_cosmic_rays(showered, hit.detector.pixel_um, (hit.amplitude - 1) * hit.planned.exposure_s, hit.rng())
    return showered


MEDIAN = "median"
FLATS = Where(image_types=("FLAT",), detectors=None)

LIGHT_FAULTS = (
    Fault(
        "light-in-a-bias",
        "Light in a bias",
        60.0,
        "e⁻ in every pixel",
        "40 ADU, twice what makes a bias an error; LDM-230 names the fault",
        Where(image_types=("BIAS",), detectors=None),
        Acts(on_light=_add_a_constant),
        (MEDIAN, "light_in_bias"),
    ),
    Fault(
        "light-in-a-dark",
        "Light in a dark",
        1.0,
        "e⁻/s in every pixel",
        "five times the dark current that acceptance allows (LCA-128: 0.2 e⁻/s)",
        Where(image_types=("DARK",), detectors=None),
        Acts(on_light=_add_a_rate),
        (MEDIAN, "light_in_dark"),
    ),
    Fault(
        "shutter-stuck-open",
        "The shutter stays open",
        50.0,
        "e⁻/s of stray light in every pixel",
        "a dome with its lights off at 2.5 % of the r lamp; a bias sees half of the 2 s readout",
        Where(image_types=("BIAS", "DARK"), detectors=None),
        Acts(on_light=_add_a_rate),
        (MEDIAN, "stuck_shutter"),
    ),
    Fault(
        "shutter-stuck-closed",
        "The shutter stays closed",
        0.0,
        "of the light",
        "none of the light passes a closed shutter",
        Where(image_types=("FLAT", "PTC"), detectors=None),
        Acts(on_light=_scale),
        (MEDIAN, "stuck_shutter"),
    ),
    Fault(
        "cosmic-ray-shower",
        "A shower of cosmic rays",
        20.0,
        "times the usual rate",
        "the usual rate is 4 /cm²/min; twenty times it is no chance in a minute",
        Where(image_types=("DARK",), skip=1, count=1),
        Acts(on_electrons=_shower),
        ("cosmic_ray_rate",),
    ),
    Fault(
        "saturated-flat",
        "A flat beyond the full well",
        20.0,
        "times the lamp's light",
        "the dimmest of the filters must pass 175,000 e⁻ (LCA-128) in 15 s",
        FLATS,
        Acts(on_light=_scale),
        ("saturated_fraction", MEDIAN),
    ),
    Fault(
        "low-flat",
        "A flat with too little light",
        0.02,
        "times the lamp's light",
        "leaves 200-400 ADU, fewer than the 500 of an error",
        FLATS,
        Acts(on_light=_scale),
        (MEDIAN, "flat_level"),
    ),
    Fault(
        "flat-screen-gradient",
        "The flat screen is lit from one side",
        0.10,
        "per radius of the focal plane",
        "twice the 5 % scatter of detectors that cp_verify allows",
        FLATS,
        Acts(on_light=_tilt),
        ("flat_gradient",),
    ),
    Fault(
        "wrong-filter",
        "The y filter is in the beam and the header says r",
        LAMP_E_S["y"] / LAMP_E_S["r"],
        "times the expected light",
        "the lamp's rates through y and r",
        Where(steps=("flat-r",), detectors=None),
        Acts(on_light=_scale),
        ("flat_level",),
    ),
)
