"""Open a file from a place where others may write: only a plain file, only if it is what it seems."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFIFO: "a FIFO (named pipe)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
}


class NotRegular(OSError):
    """Not a plain file with one name. The message says what it is and what to do."""


def open_regular(path: Path) -> BinaryIO:
    """Open `path` for reading without ever waiting for a writer or following a link.

    Raises
    ------
    NotRegular
        For a FIFO, device, socket, folder, symbolic link or hard link. A hard link could be somebody else's file, put
        into a drop box to be published by us.
    FileNotFoundError, PermissionError
        As usual.
    """
    _expect_plain(path, path.lstat())
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    file = os.fdopen(handle, "rb")
    try:
        _expect_plain(path, os.fstat(handle))  # it may have been exchanged since we looked
    except NotRegular:
        file.close()
        raise
    return file


def _expect_plain(path: Path, status: os.stat_result) -> None:
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind is not None:
        raise NotRegular(f"It is {kind}, not a regular file. Put the frame itself at {path.name!r}.")
    if status.st_nlink > 1:
        raise NotRegular(
            f"It is a hard link with {status.st_nlink} names, not a file of its own. Copy the frame instead."
        )
