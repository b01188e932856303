"""Why a change of the calibration database is refused; the message says what was wrong and what to do."""


class NotCertifiable(Exception):
    """This change cannot be made."""


class ConflictingCertification(NotCertifiable):
    """Somebody else has changed the same slots since they were looked at."""
