"""Can we observe tonight? Only the smoke test may say GO; the board repeats it and never guesses."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayops.web import markup
from dayops.web.work_pages.lanes import DayLane

ANSWERED_BY = "smoketest"
VERDICTS = ("GO", "GO WITH LIMITS", "NO-GO")
NOT_KNOWN = "NOT KNOWN YET"


@dataclass(frozen=True, slots=True)
class Answer:
    """The word, the sentence that explains it, and the lanes that say they are blocked."""

    word: str
    sentence: str
    blocked: tuple[DayLane, ...]

    @property
    def look(self) -> str:
        return markup.LOOKS.get(self.word, "none")


def answer(lanes: Sequence[DayLane]) -> Answer:
    """The smoke test's own verdict, or why there is none yet."""
    blocked = tuple(lane for lane in lanes if lane.lane.blocked_by)
    smoke_test = next((lane for lane in lanes if lane.activity.key == ANSWERED_BY), None)
    if smoke_test is None:
        return Answer(NOT_KNOWN, "No smoke test is installed here, so nothing can say GO.", blocked)
    if smoke_test.lane.state in VERDICTS:
        return Answer(smoke_test.lane.state, smoke_test.lane.sentence, blocked)
    if smoke_test.lane.state == "NONE":
        return Answer(NOT_KNOWN, "The smoke test has not run.", blocked)
    return Answer(NOT_KNOWN, f"The smoke test is {smoke_test.lane.state}: {smoke_test.lane.sentence}", blocked)
