"""The states a device may be in and the one table of what each command does to them. Pure: no database, no clock.

States and their numbers are SAL's (ts_salobj, `sal_enums.State`); `execute` and `abort_job` those of the OCPS (ts_xml).
The words of LDM-230 (2013, §2.1) are rows of the same table with rules of their own: its IDLE is STANDBY where there is
no configuration and DISABLED where there is one, its ERROR is FAULT.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """A device's state; `code` is the number that SAL gives it."""

    OFFLINE = "OFFLINE"
    STANDBY = "STANDBY"
    DISABLED = "DISABLED"
    ENABLED = "ENABLED"
    FAULT = "FAULT"

    @property
    def code(self) -> int:
        return _CODES[self]


_CODES = {State.DISABLED: 1, State.ENABLED: 2, State.FAULT: 3, State.OFFLINE: 4, State.STANDBY: 5}
CONFIGURED = frozenset({State.DISABLED, State.ENABLED})
_IN_CONTROL = frozenset(State) - {State.OFFLINE}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one command does: from which states, to which (None: it stays), and in words.

    `towards_work` marks what an engineering lock-out forbids; `configures` what installs a configuration.
    """

    name: str
    summary: str
    states: frozenset[State]
    to: State | None = None
    towards_work: bool = False
    configures: bool = False
    remedy: str = ""


def _rule(name: str, summary: str, *states: State, **fields: object) -> tuple[str, Rule]:
    return name, Rule(name, summary, frozenset(states), **fields)  # type: ignore[arg-type]


RULES: dict[str, Rule] = dict(
    (
        _rule(
            "enterControl",
            "take it into control",
            State.OFFLINE,
            to=State.STANDBY,
            towards_work=True,
        ),
        _rule(
            "start",
            "install a configuration",
            State.STANDBY,
            to=State.DISABLED,
            towards_work=True,
            configures=True,
            remedy="Command configure to change the configuration, or standby first.",
        ),
        _rule(
            "enable",
            "let it take new work",
            State.DISABLED,
            to=State.ENABLED,
            towards_work=True,
            remedy="Command start with a configuration first.",
        ),
        _rule("disable", "take no new work; what runs goes on", State.ENABLED, to=State.DISABLED),
        _rule(
            "standby",
            "drop the configuration, or leave a fault",
            State.DISABLED,
            State.FAULT,
            to=State.STANDBY,
            remedy="Command disable first.",
        ),
        _rule(
            "exitControl",
            "let it go out of control",
            State.STANDBY,
            to=State.OFFLINE,
            remedy="Command standby first, or release.",
        ),
        _rule(
            "execute",
            "start a job",
            State.ENABLED,
            towards_work=True,
            remedy="Command start with a configuration and enable first.",
        ),
        _rule("abort_job", "end a job now", *_IN_CONTROL),
        _rule("init", "LDM-230: take it into control", State.OFFLINE, to=State.STANDBY, towards_work=True),
        _rule(
            "configure",
            "LDM-230: change the configuration; it ends disabled",
            State.STANDBY,
            State.DISABLED,
            State.ENABLED,
            to=State.DISABLED,
            towards_work=True,
            configures=True,
        ),
        _rule(
            "release",
            "LDM-230: disable, and let it go out of control",
            State.STANDBY,
            State.DISABLED,
            State.ENABLED,
            to=State.OFFLINE,
        ),
        _rule("stop", "LDM-230: stop a configure that is under way"),
        _rule(
            "abort",
            "LDM-230: into fault; what runs goes on",
            State.STANDBY,
            State.DISABLED,
            State.ENABLED,
            to=State.FAULT,
        ),
        _rule(
            "reset",
            "LDM-230: disable, drop the configuration, leave a fault",
            *_IN_CONTROL,
            to=State.STANDBY,
        ),
    )
)
_NOTHING_TO_STOP = (
    "There is nothing to stop: a configuration is installed in one step. "
    "To end a job command abort_job, to take no new work disable."
)
_WAYS_ON = {
    State.OFFLINE: "Command enterControl first.",
    State.FAULT: "Mend the cause, then command standby.",
}


def why_not(state: State, command: str, *, configured: bool = True, locked_out: str = "") -> str:
    """Why `command` is forbidden in `state`, as a sentence with what to do; empty where it is allowed.

    Raises KeyError for a command that the table does not know.
    """
    rule = RULES[command]
    if rule.towards_work and locked_out:
        return f"It is locked out for engineering: {locked_out} A maintainer ends the lock-out in the admin."
    if not rule.states:
        return _NOTHING_TO_STOP
    if command == "enable" and (state == State.STANDBY or (state == State.DISABLED and not configured)):
        return "It has no configuration. Command start with a configuration first."
    if state in rule.states:
        return ""
    if rule.to == state:
        return f"It is {state} already. {rule.remedy if rule.configures else ''}".rstrip()
    remedy = _WAYS_ON.get(state, rule.remedy)
    return f"{command} is not possible while it is {state}, only while {_either(rule.states)}. {remedy}".rstrip()


def after(state: State, command: str) -> State:
    """The state in which an allowed `command` leaves a device that was in `state`."""
    return RULES[command].to or state


def keeps_configuration(state: State) -> bool:
    """Whether a device that comes into `state` by a command keeps its configuration."""
    return state not in {State.OFFLINE, State.STANDBY}


def _either(states: frozenset[State]) -> str:
    return " or ".join(_in_order(states))


def _in_order(states: frozenset[State]) -> Iterator[str]:
    return (str(state) for state in State if state in states)
