"""The table of states: what each command may do, over all of its states and any row of commands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.devices.states import CONFIGURED, RULES, State, after, keeps_configuration, why_not

STATES, COMMANDS = list(State), list(RULES)
PAIRS = [(state, command) for state in STATES for command in COMMANDS]
SEQUENCES = st.lists(st.sampled_from(COMMANDS), max_size=40)


def test_states_have_the_numbers_of_sal() -> None:
    numbers = {"OFFLINE": 4, "STANDBY": 5, "DISABLED": 1, "ENABLED": 2, "FAULT": 3}
    assert {state.name: state.code for state in State} == numbers


@pytest.mark.parametrize(
    ("state", "command", "to"),
    [
        ("OFFLINE", "enterControl", "STANDBY"),
        ("STANDBY", "start", "DISABLED"),
        ("DISABLED", "enable", "ENABLED"),
        ("ENABLED", "disable", "DISABLED"),
        ("DISABLED", "standby", "STANDBY"),
        ("FAULT", "standby", "STANDBY"),
        ("STANDBY", "exitControl", "OFFLINE"),
    ],
)
def test_the_cycle_of_sal_is_open(state: str, command: str, to: str) -> None:
    assert why_not(State(state), command) == ""
    assert after(State(state), command) == State(to)


def test_sal_forbids_everything_else_that_changes_the_state() -> None:
    sal = ("enterControl", "start", "enable", "disable", "standby", "exitControl")
    assert sum(not why_not(state, command) for state in STATES for command in sal) == 7


@pytest.mark.parametrize(("state", "command"), PAIRS)
def test_what_is_forbidden_says_why_in_a_sentence(state: State, command: str) -> None:
    sentence = why_not(state, command)
    if state not in RULES[command].states:
        assert sentence.endswith(".")
        assert str(state) in sentence or command == "stop" or "no configuration" in sentence


@pytest.mark.parametrize(("state", "command"), PAIRS)
def test_a_lock_out_forbids_whatever_leads_towards_work_and_nothing_else(state: State, command: str) -> None:
    sentence = why_not(state, command, locked_out="New disks are put in.")
    if command in {"enterControl", "init", "start", "configure", "enable", "execute"}:
        assert "New disks are put in." in sentence
    else:
        assert sentence == why_not(state, command)


@pytest.mark.parametrize("state", STATES)
def test_stop_has_nothing_to_stop(state: State) -> None:
    assert "installed in one step" in why_not(state, "stop")


@pytest.mark.parametrize("state", [State.STANDBY, State.DISABLED, State.ENABLED])
def test_configure_always_ends_disabled(state: State) -> None:
    assert why_not(state, "configure") == ""
    assert after(state, "configure") == State.DISABLED


@pytest.mark.parametrize("state", [State.STANDBY, State.DISABLED])
def test_enable_without_a_configuration_is_rejected(state: State) -> None:
    assert "It has no configuration" in why_not(state, "enable", configured=False)


def test_a_fault_is_left_by_standby_and_reset_only() -> None:
    leaving = {command for command in COMMANDS if not why_not(State.FAULT, command)}
    assert leaving == {"standby", "reset", "abort_job"}


def test_an_unknown_command_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        why_not(State.ENABLED, "explode")


@settings(max_examples=200, deadline=None)
@given(SEQUENCES)
def test_no_row_of_commands_leaves_the_table(commands: list[str]) -> None:
    state, configured = State.OFFLINE, False
    for command in commands:
        if why_not(state, command, configured=configured):
            continue
        configured = RULES[command].configures or (configured and keeps_configuration(after(state, command)))
        state = after(state, command)
        assert state in STATES
        assert state == State.FAULT or configured == (state in CONFIGURED)
        assert not (command in {"configure", "start"} and state != State.DISABLED)
        assert not (state == State.ENABLED and not configured)


@settings(max_examples=200, deadline=None)
@given(SEQUENCES)
def test_from_anywhere_four_commands_of_sal_lead_to_enabled(commands: list[str]) -> None:
    state = State.OFFLINE
    for command in commands:
        state = state if why_not(state, command) else after(state, command)
    for command in ("enterControl", "standby", "start", "enable"):
        state = state if why_not(state, command) else after(state, command)
    assert state == State.ENABLED
