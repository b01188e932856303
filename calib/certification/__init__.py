"""The calibration database: which product is to be used when, and when that was known (docs/certification.md)."""

from calib.certification.actions import state_seen
from calib.certification.certify import certify
from calib.certification.flagging import flag_bad
from calib.certification.gaps import Gap, gaps
from calib.certification.history import history_of
from calib.certification.lookup import DAILY, LONGTERM, Found, lookup, lookup_one
from calib.certification.outlook import Outlook, outlook
from calib.certification.refusals import ConflictingCertification, NotCertifiable
from calib.certification.withdrawal import decertify, roll_back

__all__ = [
    "DAILY",
    "LONGTERM",
    "ConflictingCertification",
    "Found",
    "Gap",
    "NotCertifiable",
    "Outlook",
    "certify",
    "decertify",
    "flag_bad",
    "gaps",
    "history_of",
    "lookup",
    "lookup_one",
    "outlook",
    "roll_back",
    "state_seen",
]
