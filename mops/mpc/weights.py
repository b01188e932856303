"""Uncertainty of an observation whose file gives none, by its observatory and age.

Source: Vereš, Farnocchia, Chesley & Chamberlin 2017 (Icarus 296, 139; arXiv 1703.03479), tables 2 and 3, without the
rules by program and star catalogue.
"""

_CHANGED = {"703": (56658.0, 1.0, 0.8), "691": (52640.0, 0.6, 0.5), "644": (52883.0, 0.6, 0.4)}  # MJD, before, after
_BY_STATION = {
    "704": 1.0, "G96": 0.5, "F51": 0.2, "G45": 0.6, "699": 0.8, "D29": 0.75, "C51": 1.0, "E12": 0.75, "608": 0.6,
    "J75": 1.0, "645": 0.3, "673": 0.3, "689": 0.5, "950": 0.5, "H01": 0.3, "J04": 0.4, "W84": 0.5,
}  # fmt: skip
_LAS_CUMBRES = dict.fromkeys(["K91", "K92", "K93", "Q63", "Q64", "V37", "W85", "W86", "W87", "E10", "F65"], 0.4)
_BY_MODE = {"PHO": 2.5, "MER": 0.5, "ENC": 0.75, "MIC": 2.0, "OCC": 0.2, "PMT": 0.2}
_CCD = 1.0
_PHOTOGRAPHIC_UNTIL = 47892.0  # 1990: an old observation whose way is not said was photographic
_OLD_PLATES = ((11368.0, 10.0), (33282.0, 5.0))  # before 1890, before 1950


def expected_sigma_arcsec(station: str, mode: str, mjd_utc: float) -> float:
    """One sigma in each coordinate, arcsec on the sky."""
    if (mode or _mode_of(mjd_utc)) == "PHO":
        return next((sigma for until, sigma in _OLD_PLATES if mjd_utc < until), _BY_MODE["PHO"])
    if mode in _BY_MODE:
        return _BY_MODE[mode]
    if station in _CHANGED:
        when, before, after = _CHANGED[station]
        return before if mjd_utc < when else after
    return _BY_STATION.get(station, _LAS_CUMBRES.get(station, _CCD))


def _mode_of(mjd_utc: float) -> str:
    return "PHO" if mjd_utc < _PHOTOGRAPHIC_UNTIL else "CCD"
