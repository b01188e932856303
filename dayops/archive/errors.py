"""What can go wrong in the archive. Every message is a sentence for the person who must act on it.

What may pass by itself is `Retriable`, so that every job that uses the archive waits instead of failing.
"""

from dayops.engine import Retriable


class ArchiveError(Exception):
    """Base of the archive's own refusals."""


class ChecksumMismatch(ArchiveError):
    """The bytes received are not the bytes the sender vouched for."""


class TooLarge(ArchiveError):
    """More bytes than a raw frame may have."""


class ArchiveFull(ArchiveError, Retriable):
    """No space left."""


class ArchiveAway(ArchiveError, Retriable):
    """The object store does not answer, or not as it should."""


class TransferBusy(ArchiveError, Retriable):
    """Another attempt is still writing the same partial file."""


class InspectionImpossible(ArchiveError, Retriable):
    """This machine can inspect nothing at the moment: it is out of memory, or its own disk is full."""


class InspectionStalled(ArchiveError):
    """The inspection of a file did not end. An overloaded machine or the file: only more tries can tell."""


class NotInArchive(ArchiveError):
    """The archive holds nothing under this address."""


class Damaged(ArchiveError):
    """The archive's copy no longer hashes to its address."""
