"""What can go wrong in the archive. Every message is a sentence for the person who must act on it."""


class ArchiveError(Exception):
    """Base of the archive's own refusals."""


class ChecksumMismatch(ArchiveError):
    """The bytes received are not the bytes the sender vouched for."""


class TooLarge(ArchiveError):
    """More bytes than a raw frame may have."""


class ArchiveFull(ArchiveError):
    """No space left. Worth another try once somebody has made room."""


class TransferBusy(ArchiveError):
    """Another attempt is still writing the same partial file. Worth another try."""


class NotInArchive(ArchiveError):
    """The archive holds nothing under this address."""


class Damaged(ArchiveError):
    """The archive's copy no longer hashes to its address."""
