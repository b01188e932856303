"""Archived raw frames as the stages read them. In the archive a file is called by its SHA-256; people know its name."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dayops.archive import store
from dayops.camera import Detector
from dayops.camera.headers import BadFrame
from dayops.images import read_segments
from dayops.images.pixels import Segment
from dayops.models import RawFrame


def segments_of(frame: RawFrame, detector: Detector) -> list[Segment]:
    """The raw segments of `frame`. Raises BadFrame, with the frame's name."""
    with store().local_path(frame.sha256) as path:
        try:
            return read_segments(path, detector)
        except BadFrame as error:
            raise BadFrame([f"{frame.file_name}: {problem}" for problem in error.problems]) from error


@contextmanager
def called_by_name(frames: Sequence[RawFrame]) -> Iterator[None]:
    """What is wrong with the file of one of `frames` is said with the frame's name in the place of the file's."""
    try:
        yield
    except BadFrame as error:
        problems = error.problems
        for frame in frames:
            problems = [problem.replace(frame.sha256, frame.file_name) for problem in problems]
        raise BadFrame(problems) from error
