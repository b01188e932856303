"""Observations as the tests of the Minor Planet Center's formats need them: builders and strategies."""

from dataclasses import replace
from math import isnan
from typing import Any

from hypothesis import strategies as st

from mops.mpc.ades_write import Context
from mops.mpc.designations import Designation, own_designation
from mops.mpc.observation import Observation
from mops.mpc.provisional import unpack_provisional

OBSERVED = Observation(
    line=1,
    name=Designation(temporary="d00001A"),
    station="X05",
    utc="2026-04-05T03:04:05.678Z",
    mjd_utc=61135.12784349537,
    ra=150.12345678,
    dec=-5.87654321,
    rms_ra=0.0123,
    rms_dec=0.0145,
    rms_corr=0.12,
    mag=22.345,
    rms_mag=0.067,
    band="Lr",
    mode="CCD",
    astrometric_catalogue="Gaia3",
    photometric_catalogue="Gaia3",
)

CONTEXT = Context(
    submitter="A. Astronomer",
    institution="Rubin Observatory",
    observers=("B. Observer",),
    measurers=("A. Astronomer", "C. Measurer"),
    comments=("Daytime linking",),
)

LINE = "     K26G01A  C2026 04 05.12784315 00 29.630-05 52 35.56         22.35rW     X05"


def observed(**changes: Any) -> Observation:
    """One good observation, with changes."""
    return replace(OBSERVED, **changes)


def tracklet(night: int, positions: int = 2, name: str = "d00001A") -> list[Observation]:
    """`positions` places half an hour apart on the `night`-th night."""
    return [
        observed(
            name=Designation(temporary=name),
            mjd_utc=61135.1 + night + place / 48,
            ra=150.0 + 0.2 * night + 0.004 * place,
            dec=-5.0,
        )
        for place in range(positions)
    ]


def same(value: float, other: float, tolerance: float = 0.0) -> bool:
    """Equal within `tolerance`, or both unknown."""
    return (isnan(value) and isnan(other)) or abs(value - other) <= tolerance


LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
numbers = st.integers(1, 15_396_335).map(str)
comets = st.builds(
    lambda number, kind, fragment: f"{number}{kind}{fragment}",
    st.integers(1, 9999),
    st.sampled_from("PDI"),
    st.sampled_from(["", "-B", "-BC"]),
)
satellites = st.builds(
    lambda planet, number: f"{planet} {number}", st.sampled_from(["Jupiter", "Saturn", "Neptune"]), st.integers(1, 999)
)
permanents = st.one_of(numbers, comets, satellites)

minor_planets = st.builds(
    lambda year, half, letter, cycle: f"{year} {half}{letter}{cycle or ''}",
    st.integers(1925, 2199),
    st.sampled_from(LETTERS[:-1]),
    st.sampled_from(LETTERS),
    st.integers(0, 619),
)
many_minor_planets = st.builds(
    lambda year, half, order: unpack_provisional(f"_{year}{half}{order}"),
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    st.sampled_from(LETTERS[:-1]),
    st.text("0123456789ABCXYZabcxyz", min_size=4, max_size=4),
)
surveys = st.builds(
    lambda number, survey: f"{number} {survey}",
    st.integers(1000, 9999),
    st.sampled_from(["P-L", "T-1", "T-2", "T-3"]),
)
new_comets = st.builds(
    lambda kind, year, half, number, fragment: f"{kind}/{year} {half}{number}{fragment}",
    st.sampled_from("CPDXAI"),
    st.integers(1000, 2199),
    st.sampled_from(LETTERS[:-1]),
    st.integers(1, 619),
    st.sampled_from(["", "-A", "-Z"]),
)
new_satellites = st.builds(
    lambda year, planet, number: f"S/{year} {planet} {number}",
    st.integers(1600, 2199),
    st.sampled_from("MJSUN"),
    st.integers(1, 619),
)
provisionals = st.one_of(minor_planets, many_minor_planets, surveys, new_comets, new_satellites)

names = st.one_of(
    permanents.map(lambda text: Designation(permanent=text)),
    provisionals.map(lambda text: Designation(provisional=text)),
    st.integers(0, 36**6 - 1).map(lambda number: Designation(temporary=own_designation(number))),
    st.builds(Designation, permanent=numbers, provisional=minor_planets),
)

milliseconds = st.integers(-15_000 * 86_400_000, 40_000 * 86_400_000).map(lambda ms: 51_544 + ms / 86_400_000)
unknown_or = st.just(float("nan")).__or__


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Observations that ADES can hold exactly: times of whole milliseconds, places of eight decimals."""
    mag = draw(unknown_or(st.integers(-5000, 35_000).map(lambda mmag: mmag / 1000)))
    dim = isnan(mag)
    rms = st.integers(1, 999_999).map(lambda ticks: ticks / 100_000)
    return Observation(
        line=1,
        name=draw(names),
        station=draw(st.sampled_from(["X05", "I41", "F51", "703", "500"])),
        utc="",
        mjd_utc=draw(milliseconds),
        ra=draw(st.integers(0, 36_000_000_000 - 1)) / 1e8,
        dec=draw(st.integers(-9_000_000_000, 9_000_000_000)) / 1e8,
        rms_ra=draw(unknown_or(rms)),
        rms_dec=draw(unknown_or(rms)),
        rms_corr=draw(unknown_or(st.integers(-9999, 9999).map(lambda ticks: ticks / 10_000))),
        mag=mag,
        rms_mag=float("nan") if dim else draw(unknown_or(st.integers(1, 9999).map(lambda mmag: mmag / 1000))),
        band="" if dim else draw(st.sampled_from(["Lu", "Lg", "Lr", "Li", "Lz", "Ly", "G"])),
        mode="CCD",
        astrometric_catalogue=draw(st.sampled_from(["Gaia2", "Gaia3"])),
        notes=draw(st.sampled_from(["", "K", "sI"])),
        remarks=draw(st.sampled_from(["", "through <cloud> & wind", "Wolken über Cerro Pachón"])),
        place_km=draw(st.sampled_from([None, (-6861.8061, 799.8571, -145.9541)])),
    )
