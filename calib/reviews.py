"""People's verdicts on frames and exposures, and which frames may therefore be used.

The machine's verdict and people's stand side by side; neither overwrites the other. Of the reviews of one thing (a
frame, or an exposure as a whole) the newest counts; one that was withdrawn counts no more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from calib.models import Assessment, CheckResult, Judgement, Level, Review
from calib.science.checks import CHECKS
from dayops import events
from dayops.models import Exposure, FrameState, RawFrame, Severity

Decision = Review.Decision
REASON_LIMIT = 500
_DEEDS = {Decision.ACCEPT: "accepted", Decision.REJECT: "rejected", Decision.WITHDRAW: "the verdict was withdrawn"}


class NotReviewable(Exception):
    """This verdict cannot be given; the message says why and what to do."""


def accept(exposure: Exposure, frame: RawFrame | None, actor: str, reason: str) -> Review:
    """Let `frame`, or all of `exposure` where it is None, be used although the machine says ERROR.

    Raises
    ------
    NotReviewable
        The reason is empty or too long, or the frame is not of this exposure or quarantined.
    """
    return review([exposure], frame, Decision.ACCEPT, actor, reason)[0]


def reject(exposure: Exposure, frame: RawFrame | None, actor: str, reason: str) -> Review:
    """Keep `frame`, or all of `exposure`, from being used. Raises NotReviewable as `accept` does."""
    return review([exposure], frame, Decision.REJECT, actor, reason)[0]


def withdraw(exposure: Exposure, frame: RawFrame | None, actor: str, reason: str) -> Review:
    """Take people's verdict back: the machine's counts again. Raises NotReviewable where there is none in force."""
    return review([exposure], frame, Decision.WITHDRAW, actor, reason)[0]


@transaction.atomic
def review(
    exposures: Sequence[Exposure], frame: RawFrame | None, decision: Decision, actor: str, reason: str
) -> list[Review]:
    """One verdict on each of `exposures` (or on the one `frame` of a single exposure): all are kept or none.

    Raises
    ------
    NotReviewable
        As the functions above; also where no exposure is named.
    """
    reason = _reason(reason)
    if not exposures:
        raise NotReviewable("No exposure is named: choose at least one.")
    if frame is not None:
        _expect_reviewable(exposures, frame)
    return [_one(exposure, frame, decision, actor, reason) for exposure in exposures]


def newest(about: QuerySet[Review] | None = None) -> QuerySet[Review]:
    """Of `about` (all reviews unless told), the one that counts for each frame and each whole exposure."""
    reviews = Review.objects.all() if about is None else about
    return reviews.order_by("exposure", "frame", "-pk").distinct("exposure", "frame")


def in_force(exposure: Exposure, frame: RawFrame | None = None) -> Review | None:
    """People's verdict on the frame, or on the exposure as a whole; None before one is given and once withdrawn."""
    last = Review.objects.filter(exposure=exposure, frame=frame).order_by("-pk").first()
    return None if last is None or last.decision == Decision.WITHDRAW else last


def usable_frames(frames: QuerySet[RawFrame] | None = None) -> QuerySet[RawFrame]:
    """Those of `frames` (all unless told) that masters may be made of, in one query.

    A frame is usable where it is archived and measured, no person rejected it or its exposure, and either a person
    accepted it or its exposure, or the machine's verdict on it is below ERROR, its exposure was judged since, and no
    check of its exposure, or of its detector in it, that spoils frames is in ERROR.
    """
    archived = (RawFrame.objects.all() if frames is None else frames).filter(state=FrameState.ARCHIVED)
    measured = Assessment.objects.filter(frame=OuterRef("pk"))
    of_frame = Review.objects.filter(frame=OuterRef("pk"))
    of_exposure = Review.objects.filter(exposure=OuterRef("exposure"), frame=None)
    spoilt = CheckResult.objects.filter(
        Q(detector="") | Q(detector=OuterRef("detector_name")),
        judgement__exposure=OuterRef("exposure"),
        check_name__in=[check.name for check in CHECKS if check.spoils],
        level=Level.ERROR,
    )
    judged = Judgement.objects.filter(exposure=OuterRef("exposure"), judged_at__gte=OuterRef("assessment__assessed_at"))
    accepted = Q(of_frame=Decision.ACCEPT) | Q(of_exposure=Decision.ACCEPT)
    return (
        archived.annotate(of_frame=_decision(of_frame), of_exposure=_decision(of_exposure))
        .filter(Exists(measured))
        .exclude(of_frame=Decision.REJECT)
        .exclude(of_exposure=Decision.REJECT)
        .filter(accepted | (Exists(measured.filter(level__lt=Level.ERROR)) & Exists(judged) & ~Exists(spoilt)))
    )


@dataclass(frozen=True, slots=True)
class Rejections:
    """The keys of the exposures and of the frames that people rejected."""

    exposures: frozenset[int]
    frames: frozenset[int]

    def include(self, exposure: int, frame: int) -> bool:
        return exposure in self.exposures or frame in self.frames


def rejections(since: int) -> Rejections:
    """What people rejected of dayObs `since` (20261122) and later; one query."""
    last = newest(Review.objects.filter(exposure__day_obs__gte=since))
    rejected = [row for row in last if row.decision == Decision.REJECT]
    return Rejections(
        frozenset(row.exposure_id for row in rejected if row.frame_id is None),
        frozenset(row.frame_id for row in rejected if row.frame_id is not None),
    )


def words_by_exposure(exposures: Iterable[Exposure]) -> dict[int, str]:
    """What people say of each exposure, by its key: ``REJECTED``, ``2 frames rejected``; nothing where nothing is said.

    One query, however many exposures.
    """
    whole: dict[int, str] = {}
    frames: dict[int, list[str]] = {}
    for last in newest(Review.objects.filter(exposure__in=exposures)):
        if last.decision == Decision.WITHDRAW:
            continue
        if last.frame_id is None:
            whole[last.exposure_id] = last.get_decision_display().upper()
        else:
            frames.setdefault(last.exposure_id, []).append(last.get_decision_display().lower())
    return {pk: _together(whole.get(pk, ""), frames.get(pk, [])) for pk in whole.keys() | frames.keys()}


def _together(whole: str, frames: list[str]) -> str:
    if whole == "REJECTED":
        return whole
    counts = [(frames.count(word), word) for word in ("rejected", "accepted")]
    said = [f"{count} frame{'' if count == 1 else 's'} {word}" for count, word in counts if count]
    return ", ".join([whole, *said] if whole else said)


def _decision(reviews: QuerySet[Review]) -> Coalesce:
    return Coalesce(Subquery(reviews.order_by("-pk").values("decision")[:1]), Value(""))


def _reason(reason: str) -> str:
    reason = reason.replace("\0", "").strip()
    if not reason:
        raise NotReviewable("A reason is needed: say in a few words why, for those who read it later.")
    if len(reason) > REASON_LIMIT:
        raise NotReviewable(f"The reason has {len(reason)} characters: shorten it to {REASON_LIMIT}.")
    return reason


def _expect_reviewable(exposures: Sequence[Exposure], frame: RawFrame) -> None:
    if [exposure.pk for exposure in exposures] != [frame.exposure_id]:
        raise NotReviewable(f"Frame {frame.file_name} is not of {', '.join(each.name for each in exposures)}.")
    if frame.state != FrameState.ARCHIVED:
        raise NotReviewable(
            f"Frame {frame.file_name} is quarantined and never used: give the verdict on the archived frame instead."
        )


def _one(exposure: Exposure, frame: RawFrame | None, decision: Decision, actor: str, reason: str) -> Review:
    what = f"{exposure.name} {frame.detector_name}" if frame else exposure.name
    if decision == Decision.WITHDRAW and in_force(exposure, frame) is None:
        raise NotReviewable(f"No person's verdict on {what} is in force: there is nothing to withdraw.")
    given = Review.objects.create(exposure=exposure, frame=frame, decision=decision, reason=reason, author=actor)
    events.record(
        f"calib.review.{decision.lower()}",
        f"{what}: {_DEEDS[decision]}.",
        actor=actor,
        day_obs=exposure.day_obs,
        severity=Severity.INFO,
        reason=reason,
        subject=f"exposure:{exposure.camera}/{exposure.name}",
        data={"review": given.pk},
    )
    return given
