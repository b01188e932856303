"""The Archiver's job: fetch one offered frame, verify it, inspect it, archive it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from dayops import events
from dayops.archive.content_store import store
from dayops.archive.errors import ChecksumMismatch, InspectionStalled
from dayops.archive.incoming import Incoming, Partial
from dayops.archive.ingest import ACTOR, Origin, admit, examine
from dayops.camera.headers import BadFrame
from dayops.camera_data_system import BadOffer, CameraDataSystemAway, OfferedFrame, open_camera_data_system
from dayops.camera_data_system.offers import read_offer
from dayops.engine import BadInput, Retriable, Work, job_function
from dayops.models import Severity

FETCH = "archive.fetch"


@job_function(FETCH)
def fetch(work: Work) -> None:
    """Archive one frame of the Camera Data System. A transfer that broke before goes on where it stopped."""
    offered = read_offer(work.arguments["frame"])
    # The service may have moved since the task was made: today's address first.
    url = settings.CAMERA_DATA_SYSTEM or work.arguments["url"]
    said_day = offered.day_obs if offered.seq_num else None  # a folder guesses the day of a name without a number
    origin = Origin(offered.name, url, verified=offered.sha256 is not None, day_obs=said_day)
    archive = store()
    with _outcome_in_words(work, offered):
        with archive.partial(f"{offered.name}:{offered.sha256 or offered.size}") as part:
            incoming = _transfer(work, url, offered, part)
            stored, inspection = examine(archive, incoming, origin)
        with work.commit(outputs=[stored.sha256]) as result:
            admission = admit(stored, inspection, origin)
            result.update(outcome=admission.outcome, sentence=admission.sentence, frame=admission.frame.pk)


def _transfer(work: Work, url: str, offered: OfferedFrame, part: Partial) -> Incoming:
    if part.size:
        work.log(f"Going on with {offered.name} at byte {part.size} of {offered.size}.")
    work.progress(0.05, f"fetching {offered.name}")
    try:
        with part.append(offered.size) as file:
            open_camera_data_system(url).fetch(offered, file, part.size)
    except BadOffer:
        part.discard()  # it may only be the resuming that it does not know
        raise
    return part.complete(offered.sha256)


@contextmanager
def _outcome_in_words(work: Work, offered: OfferedFrame) -> Iterator[None]:
    """Sort what can go wrong: a bad frame once, a lie or a stall `max_attempts` times, what may pass for ever."""
    try:
        yield
    except CameraDataSystemAway as error:
        raise Retriable(f"{offered.name}: {error}") from error
    except BadFrame as error:
        raise BadInput(f"{offered.name}: {error}") from error
    except (ChecksumMismatch, BadOffer, InspectionStalled) as error:
        if work.attempt < work.max_attempts:
            raise
        _alarm(offered, error)
        raise BadInput(f"{offered.name}: {error}") from error


def _alarm(offered: OfferedFrame, error: Exception) -> None:
    events.record(
        "frame.not_archived",
        f"{offered.name} could not be archived: {error} When the cause is mended, retry the run of its exposure.",
        actor=ACTOR,
        day_obs=offered.day_obs,
        severity=Severity.ALARM,
        subject=f"offer:{offered.name}"[:200],
    )
