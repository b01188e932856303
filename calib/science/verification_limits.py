"""The tests that a product passes before it may be used: what each is, its limits and what to do when it fails.

Most are cp_verify's (DMTN-101). Those are one-sided, so that an amplifier that is too quiet passes; here both sides
count. Noise is compared with what read noise, shot noise and the master's own noise explain, not with read noise alone.
"""

from dataclasses import dataclass
from typing import Literal

Per = Literal["amplifier", "detector", "exposure"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A value passes from `lower` to `upper`, both included; None does not bind. `source` says where they are from."""

    lower: float | None
    upper: float | None
    source: str


@dataclass(frozen=True, slots=True)
class TestDefinition:
    """One number for each amplifier or detector, or for an exposure; `product` is the type that it is a test of.

    Where it is not `needed` a NaN passes: it says that there was nothing to compare with, or nothing to be seen.
    """

    __test__ = False  # pytest takes what begins with Test for one of its own

    name: str
    product: str
    title: str
    unit: str
    limit: Limit
    remedy: str
    per: Per = "amplifier"
    needed: bool = True


_NOISE = Limit(-0.05, 0.05, "DMTN-101 4.3 and 5.3, two-sided")
_CR_NOISE = Limit(-0.05, 0.05, "DMTN-101 4.4 and 5.4")
_MEAN = Limit(-1.0, 1.0, "DMTN-101 4.2 and 5.2")
_PATCH = Limit(None, 0.3, "desispec compare_bias; chance in 32 × 32 pixels is 0.04, and less than 0.25 in the largest")
_A00 = Limit(-4.56e-6, 6.91e-7, "cp_verify: the range of ITL sensors, the wider of the two")
_INCUMBENT = Limit(None, None, "desispec: no worse than the certified product on the same frame, but for chance")
A00_OF_VENDOR = {"ITL": _A00, "E2V": Limit(-3.52e-6, -2.61e-6, "cp_verify: the range of e2v sensors")}

TESTS: tuple[TestDefinition, ...] = (
    TestDefinition(
        "bias_mean",
        "bias",
        "Mean of a bias that is not in the master, over its noise",
        "σ",
        _MEAN,
        "Look for light or a level that settles in the biases; exclude them and rebuild.",
    ),
    TestDefinition(
        "bias_noise",
        "bias",
        "Noise of that bias over what is expected, less 1",
        "",
        _NOISE,
        "Compare with the overscan noise: pattern noise or too few frames make it larger, a dead amplifier smaller.",
    ),
    TestDefinition(
        "bias_cr_noise",
        "bias",
        "Noise of that bias over its noise without tracks, less 1",
        "",
        _CR_NOISE,
        "Tracks in a bias mean that it collected charge: look at the held-out frame.",
    ),
    TestDefinition(
        "bias_residual",
        "bias",
        "Largest patch median of that bias, over its noise",
        "σ",
        _PATCH,
        "Look at the difference of frame and master: light, a bias that settles, or another readout mode.",
    ),
    TestDefinition(
        "dark_mean",
        "dark",
        "Mean of a dark that is not in the master, over its noise",
        "σ",
        _MEAN,
        "Look for light or a warm sensor in the darks; exclude them and rebuild.",
    ),
    TestDefinition(
        "dark_noise",
        "dark",
        "Noise of that dark over what is expected, less 1",
        "",
        _NOISE,
        "Too many unmasked hot pixels, too few frames or pattern noise make it larger, a dead amplifier smaller.",
    ),
    TestDefinition(
        "dark_cr_noise",
        "dark",
        "Noise of that dark over its noise without tracks, less 1",
        "",
        _CR_NOISE,
        "A shower of cosmic rays: hold another dark out.",
    ),
    TestDefinition(
        "dark_residual",
        "dark",
        "Largest patch median of that dark, over its noise",
        "σ",
        _PATCH,
        "Look at the difference of frame and master: stray light, glow, or another temperature.",
    ),
    TestDefinition(
        "flat_noise",
        "flat",
        "Noise of a flat that is not in the master, over what is expected",
        "",
        Limit(
            0.85, 1.05, "DMTN-101 10.X; below: charge that repels charge takes up to 9 % at 60,000 e⁻ (cp_verify's a00)"
        ),
        "Is the gain right, and the flat below saturation? Dust or a lamp that flickers makes the noise larger.",
    ),
    TestDefinition(
        "flat_amplifier_scatter",
        "flat",
        "Scatter of the amplifiers' means in that flat",
        "",
        Limit(None, 0.05, "DMTN-101 10.Y"),
        "An amplifier whose gain changed or that is dead stands out in the map of the ratio.",
        per="detector",
    ),
    TestDefinition(
        "flat_detector_scatter",
        "flat",
        "Scatter of the detectors' means in that flat",
        "",
        Limit(None, 0.05, "DMTN-101 10.Z"),
        "Compare the flats of the focal plane: a detector in shadow, or one normalised to another level.",
        per="exposure",
    ),
    TestDefinition(
        "flat_ratio",
        "flat",
        "Largest departure from 1 of a patch of that flat over the master",
        "",
        Limit(None, 0.01, "banzai and DESI compare so; chance is 0.0015 at 10,000 e⁻, lamps repeat to 0.002 (eo_pipe)"),
        "Dust that moved, another filter or a screen out of place: look at the ratio, exclude frames, rebuild.",
    ),
    TestDefinition(
        "ptc_gain",
        "ptc",
        "Gain over the nominal one, less 1",
        "",
        Limit(-0.3, 0.3, "obs_lsst: LSSTCam's amplifiers lie from 8 % below to 15 % above (5 to 95 %)"),
        "Look at the curve: too few levels, a wrong pair, or a broken amplifier.",
    ),
    TestDefinition(
        "ptc_gain_change",
        "ptc",
        "Gain over that of the certified product, less 1",
        "",
        Limit(-0.02, 0.02, "gains drift by 0.001 in a month; LSST's limit is 5 %"),
        "If the electronics were changed, note the intervention and certify by hand; else look for a bad pair.",
        needed=False,
    ),
    TestDefinition(
        "ptc_noise",
        "ptc",
        "Read noise of the curve over that of the overscans, less 1",
        "",
        Limit(-0.05, 0.05, "DMTN-101 16, two-sided"),
        "Compare with the overscans of the biases: is the faintest pair too bright to tell it?",
    ),
    TestDefinition(
        "ptc_turnoff",
        "ptc",
        "Faintest signal at which the variance has fallen",
        "e⁻",
        Limit(90_000.0, None, "cp_verify; a curve that ends before it shows none"),
        "A falling full well: look at the voltages of the sensor.",
        needed=False,
    ),
    TestDefinition(
        "ptc_a00",
        "ptc",
        "How much a pixel's charge repels more (a00)",
        "1/e⁻",
        _A00,
        "Look at the residuals: non-linearity or a bad pair bends the curve, too.",
        needed=False,
    ),
    TestDefinition(
        "ptc_chi2",
        "ptc",
        "Reduced χ² of the curve",
        "",
        Limit(
            0.8, 1.25, "cp_verify, which divides by the error instead of its square; widened by chance of one in 10⁶"
        ),
        "Look at the residuals for the pair that stands out, exclude it and rebuild.",
        needed=False,
    ),
    TestDefinition(
        "ptc_held_out",
        "ptc",
        "Variance of a pair that is not in the curve over what the curve says, less 1",
        "",
        Limit(-0.05, 0.05, "cp_verify GAIN_FROM_FLAT_PAIR (DMTN-101 6.1)"),
        "Look at both flats of the pair and at the curve: one of them is not what it says.",
    ),
    TestDefinition(
        "bias_no_worse",
        "bias",
        "Largest patch median of that bias",
        "e⁻",
        _INCUMBENT,
        "Blink the new bias and the certified one: if the change is real, note its cause and certify by hand.",
        per="detector",
    ),
    TestDefinition(
        "dark_no_worse",
        "dark",
        "Largest patch median of that dark",
        "e⁻",
        _INCUMBENT,
        "Blink the new dark and the certified one: if the change is real, note its cause and certify by hand.",
        per="detector",
    ),
    TestDefinition(
        "linearity_residual",
        "linearity",
        "Largest departure from a straight line after correction",
        "",
        Limit(None, 0.01, "cp_verify MAX_RESIDUAL"),
        "Look at the residuals: a lamp that drifts bends all amplifiers alike, a bad amplifier only itself.",
    ),
    TestDefinition(
        "defects_fraction",
        "defects",
        "Share of bad pixels",
        "",
        Limit(None, 0.005, "LCA-128"),
        "Is the sensor warm, or light in the darks? Then they make false hot pixels.",
        per="detector",
    ),
    TestDefinition(
        "defects_masked_noise",
        "defects",
        "Scatter of a dark without its hot pixels over that with them",
        "",
        Limit(None, 1.0, "cp_verify: masked statistics are no worse"),
        "What the mask calls hot is not: is it of this detector?",
        per="detector",
    ),
    TestDefinition(
        "crosstalk_left",
        "crosstalk",
        "Largest crosstalk that is left beyond five of its errors",
        "",
        Limit(None, 1e-5, "cp_verify: no significant detection after correction"),
        "Look at the pair of amplifiers in the matrix: too few bright pixels, or a cable that was changed.",
    ),
)
BY_NAME = {test.name: test for test in TESTS}
LIMITS = {test.name: test.limit for test in TESTS}
