"""Archiving files that a person names, on this machine."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from dayops.archive.content_store import Store
from dayops.archive.errors import ArchiveError
from dayops.archive.incoming import Incoming
from dayops.archive.ingest import Admission, Origin, admit, examine
from dayops.archive.regular import NotRegular, open_regular
from dayops.camera.headers import BadFrame

_ENDINGS = (".fits", ".fit", ".fts", ".fits.fz", ".fits.gz", ".fit.gz", ".fts.gz")


class NotArchived(Exception):
    """This file was not archived; the message says why. The file itself is untouched."""


def frames_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file named, and in folders, however deep, every file called as FITS files are. Links are not followed.

    A folder that cannot be listed comes as itself, so that it is refused like a file and not passed over in silence.
    """
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            closed: list[Path] = []
            for folder, folders, names in os.walk(path, onerror=lambda error: closed.append(Path(error.filename))):
                folders.sort()
                yield from (Path(folder, name) for name in sorted(names) if name.lower().endswith(_ENDINGS))
            yield from closed
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
            return admit(*examine(archive, incoming, origin, camera), origin)
        finally:
            archive.discard(incoming)  # where it was not published
    except (BadFrame, ArchiveError) as error:
        raise NotArchived(str(error)) from error
    except NotRegular as error:
        raise NotArchived(str(error)) from error
    except OSError as error:
        raise NotArchived(_in_words(error, path)) from error


def _in_words(error: OSError, path: Path) -> str:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "There is no such file. Check its name."
        case PermissionError() if error.filename in {None, str(path)}:
            return f"User {os.geteuid()} may not read it. Have its owner allow that."
        case _:
            where = f" ({error.filename})" if error.filename and error.filename != str(path) else ""
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
