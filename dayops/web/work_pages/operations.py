"""Retry, abort and re-run, as the buttons, the API and the command line offer them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from dayops import runs
from dayops.models import ApiToken, Phase, Run

REASON_LIMIT = 500
MAY_OPERATE = "dayops.operate_run"


@dataclass(frozen=True, slots=True)
class Operation:
    """Something a person does to a run. `do` returns the sentence that says what was done."""

    name: str
    label: str
    look: str
    phases: frozenset[str]
    blocked: str
    do: Callable[[int, str, str], str]

    def why_not(self, run: Run) -> str:
        """Why this is of no use in the run's phase; empty where it is."""
        return "" if run.phase in self.phases else self.blocked


def _retry(run_id: int, actor: str, reason: str) -> str:
    number = runs.retry(run_id, actor=actor, reason=reason)
    return f"{number} task{'' if number == 1 else 's'} will be tried again."


def _abort(run_id: int, actor: str, reason: str) -> str:
    runs.abort(run_id, actor=actor, reason=reason)
    return "The run is aborted; nothing it was doing will be kept."


def _rerun(run_id: int, actor: str, reason: str) -> str:
    runs.rerun(run_id, actor=actor, reason=reason)
    return "Everything in the run will be done again, with today's code."


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation(
            "retry",
            "Retry what failed",
            "",
            frozenset({Phase.ERROR, Phase.ABORTED}),
            "Nothing has failed: only a run in ERROR or ABORTED can be retried.",
            _retry,
        ),
        Operation(
            "rerun",
            "Re-run everything",
            "",
            frozenset(Phase.ended()),
            "It has not ended: wait, or abort it first.",
            _rerun,
        ),
        Operation(
            "abort",
            "Abort",
            "danger",
            frozenset({Phase.PENDING, Phase.QUEUED, Phase.EXECUTING}),
            "It has ended: there is nothing to abort.",
            _abort,
        ),
    )
}


def actor_of(request: HttpRequest) -> str:
    """Who asks, for the record: the user, and the token where a program asks for them."""
    token: ApiToken | None = getattr(request, "api_token", None)
    name = request.user.get_username()
    return f"{name} (token {token.name})"[:150] if token else name
