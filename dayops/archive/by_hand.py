"""Archiving files that a person names, on this machine."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from dayops.archive.content_store import Store
from dayops.archive.errors import ArchiveError
from dayops.archive.incoming import Incoming
from dayops.archive.ingest import Admission, Origin, admit, examine, restored
from dayops.archive.regular import NotRegular, open_regular
from dayops.camera.headers import BadFrame
from dayops.models import RawFrame

_ENDINGS = (".fits", ".fit", ".fts", ".fits.fz", ".fits.gz", ".fit.gz", ".fts.gz")


class NotArchived(Exception):
    """This file was not archived; the message says why. The file itself is untouched."""


def frames_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file named, and in folders, however deep, every file called as FITS files are. Links are not followed.

    A folder that cannot be listed comes as itself, so that it is refused like a file and not passed over in silence.
    """
    for path in paths:
        if _is_folder(path):
            closed: list[OSError] = []
            for folder, folders, names in os.walk(path, onerror=closed.append):
                folders.sort()
                yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(_ENDINGS))
            yield from (Path(error.filename) for error in closed)
        else:
            yield path


def ingest_file(archive: Store, path: Path, camera: str | None = None) -> Admission:
    """Archive one file. Its checksums are the person's concern: where they disagree, a remark is kept with the frame.

    Raises
    ------
    NotArchived
        With a sentence for each thing that is wrong.
    """
    origin = Origin(path.name, f"by hand from {path.parent.absolute()}", verified=False, by_hand=True)
    try:
        with open_regular(path) as file:
            incoming = _receive_unchanged(archive, file)
        try:
            known = RawFrame.objects.filter(sha256=incoming.sha256).exists()
            stored, inspection = examine(archive, incoming, origin, camera)
            admission = admit(stored, inspection, origin)
            return restored(admission.frame) if known and not stored.existed else admission
        finally:
            archive.discard(incoming)  # where it was not published
    except (BadFrame, ArchiveError) as error:
        raise NotArchived(str(error)) from error
    except OSError as error:
        raise NotArchived(_in_words(error, path)) from error


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:  # such as a file in a folder that may not be entered: told when it is opened
        return False


def _in_words(error: OSError, path: Path) -> str:
    its_own = error.filename in {None, str(path)}
    match error:
        case NotRegular() if not _is_folder(path):
            return str(error)
        case FileNotFoundError() | NotADirectoryError() if its_own:
            return "There is no such file. Check its name."
        # of all folders, `frames_in` names only those that it cannot list
        case NotRegular() | PermissionError() if its_own:
            return f"User {os.geteuid()} may not read it. Have its owner allow that."
        case _:
            where = "" if its_own else f" ({error.filename})"
            return f"It cannot be copied: {error.strerror or error}{where}. See to that place, then try again."


def _receive_unchanged(archive: Store, file: BinaryIO) -> Incoming:
    """Refuse a file that somebody is still writing: half a frame may look like a whole one."""
    before = os.fstat(file.fileno())
    incoming = archive.receive(file)
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or incoming.size != after.st_size:
        archive.discard(incoming)
        raise NotArchived("It changed while it was being read. Try again when it has been written completely.")
    return incoming
