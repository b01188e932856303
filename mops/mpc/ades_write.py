"""Observations as an ADES document (version 2022), whose bytes depend on nothing but them and the context.

Source: `submit.xsd` of IAU-ADES/ADES-Master. Values are written with the digits that the schema's widths leave room
for: 10⁻⁸ degrees (0.04 mas), milliseconds, 10⁻⁵ arcsec of uncertainty below 10″. Whether the result may be submitted
says `mops.mpc.ades_validate.validate`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from math import isnan
from typing import Any

from mops.mpc import times
from mops.mpc.ades_document import Block, Document, Groups, Record
from mops.mpc.ades_psv import format_psv
from mops.mpc.ades_xml import format_xml
from mops.mpc.observation import Observation
from mops.mpc.stations import RUBIN

_LARGEST_CORRELATION = 0.9999  # ±1 itself is excluded


@dataclass(frozen=True, slots=True)
class Context:
    """Who observed and with what. Names are as the Minor Planet Center wants them: initials, space, surname."""

    submitter: str
    institution: str
    observers: tuple[str, ...]
    measurers: tuple[str, ...]
    observatory: str = RUBIN
    observatory_name: str = "Simonyi Survey Telescope, Rubin Observatory"
    telescope: str = "Simonyi Survey Telescope"
    design: str = "Reflector"
    aperture_m: str = "8.4"
    detector: str = "CCD"
    focal_ratio: str = "1.234"
    pixel_scale_arcsec: str = "0.2"
    comments: tuple[str, ...] = ()
    funding_source: str = ""

    @classmethod
    def of(cls, table: Mapping[str, object]) -> "Context":
        """From a table of a configuration file, whose keys are the names above; lists become tuples.

        Raises
        ------
        ValueError
            In a sentence, for a key that is missing or unknown.
        """
        known = {entry.name: entry for entry in fields(cls)}
        missing = [name for name, entry in known.items() if entry.default is MISSING and name not in table]
        if wrong := sorted(set(table) - set(known)):
            raise ValueError(f"the context of reports has no {', '.join(wrong)}; it knows {', '.join(known)}")
        if missing:
            raise ValueError(f"the context of reports lacks {', '.join(missing)}; the Minor Planet Center needs them")
        return cls(**{name: _configured(value) for name, value in table.items()})

    def groups(self) -> Groups:
        """The block's context; what is empty is left out."""
        groups = {
            "observatory": (("mpcCode", self.observatory), ("name", self.observatory_name)),
            "submitter": (("name", self.submitter), ("institution", self.institution)),
            "observers": tuple(("name", name) for name in self.observers),
            "measurers": tuple(("name", name) for name in self.measurers),
            "telescope": (
                ("name", self.telescope),
                ("design", self.design),
                ("aperture", self.aperture_m),
                ("detector", self.detector),
                ("fRatio", self.focal_ratio),
                ("pixelScale", self.pixel_scale_arcsec),
            ),
            "fundingSource": (("", self.funding_source),),
            "comment": tuple(("line", line) for line in self.comments),
        }
        filled = {name: tuple((key, value) for key, value in pairs if value) for name, pairs in groups.items()}
        return {name: pairs for name, pairs in filled.items() if pairs}


def _configured(value: object) -> Any:
    return tuple(str(part) for part in value) if isinstance(value, list | tuple) else str(value)


def ades_document(observations: Iterable[Observation], context: Context) -> Document:
    """A document of one block, records ordered by object, time, observatory and place, whatever their order was.

    The lines of its records count from 1, in that order.
    """
    rows = sorted(observations, key=_order)
    records = tuple(Record(number, "optical", _fields(row)) for number, row in enumerate(rows, start=1))
    return Document(blocks=(Block(1, context.groups(), records),))


def psv_bytes(document: Document) -> bytes:
    """The file, UTF-8."""
    return format_psv(document).encode()


def xml_bytes(document: Document) -> bytes:
    """The file, UTF-8."""
    return format_xml(document).encode()


def _order(row: Observation) -> tuple[str, float, str, float, float]:
    return row.name.name, row.mjd_utc, row.station, row.ra, row.dec


def _fields(row: Observation) -> dict[str, str]:
    written = {
        "permID": row.name.permanent,
        "provID": row.name.provisional,
        "trkSub": row.name.temporary,
        "mode": row.mode,
        "stn": row.station,
        **_place_fields(row),
        "obsTime": times.iso_from_mjd(row.mjd_utc),
        "ra": right_ascension(row.ra),
        "dec": declination(row.dec),
        "rmsRA": arcsec(row.rms_ra),
        "rmsDec": arcsec(row.rms_dec),
        "rmsCorr": _correlation(row.rms_corr),
        "astCat": row.astrometric_catalogue,
        "mag": "" if isnan(row.mag) else f"{row.mag:.3f}",
        "rmsMag": "" if isnan(row.rms_mag) else f"{max(row.rms_mag, 0.001):.3f}",
        "band": row.band,
        "photCat": row.photometric_catalogue,
        "disc": row.discovery,
        "notes": row.notes,
        "prog": row.program,
        "remarks": row.remarks,
    }
    return {name: value for name, value in written.items() if value}


def right_ascension(degrees: float) -> str:
    """Eight decimals; what rounds to 360 is 0."""
    text = f"{degrees:.8f}"
    return "0.00000000" if text == "360.00000000" else text


def declination(degrees: float) -> str:
    """Eight decimals, zero without sign."""
    text = f"{degrees:.8f}"
    return "0.00000000" if text == "-0.00000000" else text


def arcsec(value: float) -> str:
    """At most seven characters; never 0, which the schema excludes; '' for NaN."""
    if isnan(value):
        return ""
    return f"{max(value, 0.00001):.5f}" if value < 9.999995 else f"{value:.2f}"


def _correlation(value: float) -> str:
    if isnan(value):
        return ""
    return f"{min(max(value, -_LARGEST_CORRELATION), _LARGEST_CORRELATION):.4f}"


def _place_fields(row: Observation) -> dict[str, str]:
    if row.place_km is None:
        return {}
    x, y, z = (f"{axis:.10f}"[: 13 + (axis < 0)].rstrip(".") for axis in row.place_km)
    return {"sys": "ICRF_KM", "ctr": "399", "pos1": x, "pos2": y, "pos3": z}
