"""Solar System objects, their sources and orbits. A change is a new row: each is valid from one instant to another."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from dayops.level1.as_of import ValidRows
from dayops.level1.fields import Double, Flag, Int, Long, Real, Short, Text

DESIGNATION = 16  # letters, as in APDB


def _once(name: str, key: str) -> list[models.BaseConstraint]:
    """A validity has a length, and of one key one row is valid at a time."""
    return [
        models.CheckConstraint(name=f"{name}_validity", condition=Q(validityEndMjdTai__gt=F("validityStartMjdTai"))),
        models.UniqueConstraint(fields=[key], condition=Q(validityEndMjdTai=None), name=f"{name}_current"),
    ]


class SSObject(models.Model):
    """What we compute about one object. Ours: the validity."""

    pk = models.CompositePrimaryKey("ssObjectId", "validityStartMjdTai")
    ssObjectId = Long()
    validityStartMjdTai = Double("d", help_text="ours")
    validityEndMjdTai = Double("d", null=True, help_text="ours")
    designation = Text(max_length=DESIGNATION, null=True)
    nObs = Int()
    arc = Real("d")
    firstObservationMjdTai = Double("d", null=True)
    MOIDEarth = Real("AU", null=True)
    MOIDEarthDeltaV = Real("km/s", null=True)
    MOIDEarthEclipticLongitude = Real("deg", null=True)
    MOIDEarthTrueAnomaly = Real("deg", null=True)
    MOIDEarthTrueAnomalyObject = Real("deg", null=True)
    tisserand_J = Real(null=True)
    extendednessMax = Real(null=True)
    extendednessMedian = Real(null=True)
    extendednessMin = Real(null=True)

    objects = ValidRows.as_manager()

    class Meta:
        db_table = "SSObject"
        constraints: ClassVar = [
            models.CheckConstraint(name="ss_object_ids", condition=Q(ssObjectId__gt=0, nObs__gte=0)),
            *_once("ss_object", "ssObjectId"),
        ]
        indexes: ClassVar = [models.Index(fields=["designation"], name="ss_object_designation")]

    def __str__(self) -> str:
        return self.designation or f"SSObject {self.ssObjectId}"


for band in "ugrizy":
    for name, field in {
        "nObs": Int(default=0),
        "H": Real("mag", null=True),
        "HErr": Real("mag", null=True),
        "G12": Real(null=True),
        "G12Err": Real(null=True),
        f"H_{band}_G12_Cov": Real("mag**2", null=True),
        "nObsUsed": Int(default=0),
        "Chi2": Real(null=True),
        "phaseAngleMin": Real("deg", null=True),
        "phaseAngleMax": Real("deg", null=True),
        "slope_fit_failed": Flag(),
    }.items():
        SSObject.add_to_class(f"{band}_{name}", field)


class SSSource(models.Model):
    """That a DiaSource is of an object, and how it lies to the object's prediction. Ours: the validity.

    This is the only place where attributions are kept: to give a source to another object, or to none, ends the
    validity of a row and begins another, so that a query as of an earlier instant finds the earlier attribution.
    """

    pk = models.CompositePrimaryKey("diaSourceId", "validityStartMjdTai")
    diaSourceId = Long()
    validityStartMjdTai = Double("d", help_text="ours")
    validityEndMjdTai = Double("d", null=True, help_text="ours")
    ssObjectId = Long()
    designation = Text(max_length=DESIGNATION, null=True)
    eclLambda = Double("deg")
    eclBeta = Double("deg")
    galLon = Double("deg")
    galLat = Double("deg")
    elongation = Real("deg", null=True)
    phaseAngle = Real("deg", null=True)
    topoRange = Real("AU", null=True)
    topoRangeRate = Real("km/s", null=True)
    helioRange = Real("AU", null=True)
    helioRangeRate = Real("km/s", null=True)
    ephRa = Double("deg", null=True)
    ephDec = Double("deg", null=True)
    ephVmag = Real("mag", null=True)
    ephRate = Real("deg/d", null=True)
    ephRateRa = Real("deg/d", null=True)
    ephRateDec = Real("deg/d", null=True)
    ephOffset = Real("arcsec", null=True)
    ephOffsetRa = Double("arcsec", null=True)
    ephOffsetDec = Double("arcsec", null=True)
    ephOffsetAlongTrack = Real("arcsec", null=True)
    ephOffsetCrossTrack = Real("arcsec", null=True)
    helio_x = Real("AU", null=True)
    helio_y = Real("AU", null=True)
    helio_z = Real("AU", null=True)
    helio_vx = Real("km/s", null=True)
    helio_vy = Real("km/s", null=True)
    helio_vz = Real("km/s", null=True)
    helio_vtot = Real("km/s", null=True)
    topo_x = Real("AU", null=True)
    topo_y = Real("AU", null=True)
    topo_z = Real("AU", null=True)
    topo_vx = Real("km/s", null=True)
    topo_vy = Real("km/s", null=True)
    topo_vz = Real("km/s", null=True)
    topo_vtot = Real("km/s", null=True)
    diaDistanceRank = Short(null=True)

    objects = ValidRows.as_manager()

    class Meta:
        db_table = "SSSource"
        constraints: ClassVar = [
            models.CheckConstraint(name="ss_source_ids", condition=Q(diaSourceId__gt=0, ssObjectId__gt=0)),
            *_once("ss_source", "diaSourceId"),
        ]
        indexes: ClassVar = [models.Index(fields=["ssObjectId"], name="ss_source_object")]

    def __str__(self) -> str:
        return f"SSSource {self.diaSourceId}"


class MpcOrbit(models.Model):
    """An orbit in the words of the Minor Planet Center: ecliptic of J2000, `epoch_mjd` and `peri_time` MJD TDB.

    Ours: the validity, and that `designation` may be of our own making as long as the Center has given none. Packed and
    unpacked designation may then be the same.
    """

    validityStartMjdTai = Double("d", help_text="ours")
    validityEndMjdTai = Double("d", null=True, help_text="ours")
    designation = Text(max_length=DESIGNATION)
    packed_primary_provisional_designation = Text(max_length=DESIGNATION)
    unpacked_primary_provisional_designation = Text(max_length=DESIGNATION)
    mpc_orb_jsonb = models.TextField(null=True)  # noqa: DJ001 (null means not given, as in APDB)
    created_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    orbit_type_int = Int(null=True)
    u_param = Int(null=True)
    nopp = Int(null=True)
    arc_length_total = Double("d", null=True)
    arc_length_sel = Double("d", null=True)
    nobs_total = Int(null=True)
    nobs_total_sel = Int(null=True)
    a = Double("AU", null=True)
    q = Double("AU", null=True)
    e = Double(null=True)
    i = Double("deg", null=True)
    node = Double("deg", null=True)
    argperi = Double("deg", null=True)
    peri_time = Double("d", null=True)
    mean_anomaly = Double("deg", null=True)
    period = Double("d", null=True)
    mean_motion = Double("deg/d", null=True)
    a_unc = Double("AU", null=True)
    q_unc = Double("AU", null=True)
    e_unc = Double(null=True)
    i_unc = Double("deg", null=True)
    node_unc = Double("deg", null=True)
    argperi_unc = Double("deg", null=True)
    peri_time_unc = Double("d", null=True)
    mean_anomaly_unc = Double("deg", null=True)
    period_unc = Double("d", null=True)
    mean_motion_unc = Double("deg/d", null=True)
    epoch_mjd = Double("d", null=True)
    h = Double("mag", null=True)
    g = Double(null=True)
    not_normalized_rms = Double("arcsec", null=True)
    normalized_rms = Double(null=True)
    earth_moid = Double("AU", null=True)
    fitting_datetime = models.DateTimeField(null=True)

    objects = ValidRows.as_manager()

    class Meta:
        db_table = "mpc_orbits"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["designation", "validityStartMjdTai"], name="mpc_orbits_version"),
            *_once("mpc_orbits", "designation"),
        ]

    def __str__(self) -> str:
        return str(self.designation)
