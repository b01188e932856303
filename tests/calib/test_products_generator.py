"""The Calibration Generator: how it is configured, what it may be commanded, and what it answers."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from calib.models import ProductSet
from calib.products import generator
from calib.products.configuration import Configuration, configuration, names
from calib.products.generator import NAME, STAGES
from dayops.devices import jobs
from dayops.devices.states import State
from dayops.models import Command, Device, Event, Exposure, Run, Task
from dayops.observing_day import ObservingDay
from dayops.version import VERSION, code_version
from dayops.web import tokens
from tests.calib.exposures import DAY
from tests.calib.test_products_selection import taken
from tests.dayops.devices import brought_to, command
from tests.people import person

COMMANDS = f"/api/ocs/v1/devices/{NAME}/commands"


class TestConfigurations:
    def test_are_there_by_name(self):
        assert names() == ["daily", "candidate"]
        assert [configuration(name).name for name in names()] == names()

    def test_certify_where_they_say(self):
        assert (configuration("daily").collection, configuration("candidate").collection) == ("daily", "candidate")

    def test_keep_every_parameter_that_decides_a_product(self):
        kept = set(configuration("daily").parameters)
        assert kept == {field.name for field in fields(Configuration)} - {"name", "title"}

    def test_take_changes(self):
        changed = configuration("daily", {"days": 3, "clip_sigma": 5})
        assert (changed.days, changed.clip_sigma) == (3, 5.0)
        assert isinstance(changed.clip_sigma, float)
        assert configuration("daily").days == 7, "of this command only"

    def test_take_a_whole_number_however_it_is_written(self):
        assert configuration("daily", {"days": 3.0}).days == 3

    def test_that_are_not_there_are_told_with_those_that_are(self):
        with pytest.raises(ValueError, match=r"^There is no configuration 'nightly': expected daily or candidate\.$"):
            configuration("nightly")

    def test_must_leave_room_between_fewest_and_most(self):
        with pytest.raises(ValueError, match=r"^minimum_frames 30 is above maximum_frames 25\.$"):
            configuration("daily", {"minimum_frames": 30})

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"clip": 4}, "'clip' cannot be set: expected one of days, "),
            ({"collection": "mine"}, "'collection' cannot be set: "),
            ({"days": 0}, "days is 0: expected 1 to 60."),
            ({"days": 2.5}, "days is 2.5: expected a whole number."),
            ({"days": True}, "days is True: expected a whole number."),
            ({"days": "7"}, "days is '7': expected a whole number."),
            ({"minimum_frames": 1}, "minimum_frames is 1: expected 2 to 100."),
            ({"clip_sigma": float("nan")}, "clip_sigma is nan: expected 3 to 6."),
            ({"clip_sigma": None}, "clip_sigma is None: expected a number."),
            ({"days": float("inf")}, "days is inf: expected a whole number."),
            ({"hot_e_s": 10**400}, "hot_e_s is 1000"),
            ({"cold": 1.0}, "cold is 1.0: expected 0.5 to 0.95."),
        ],
    )
    def test_are_refused_in_a_sentence(self, changes, sentence):
        with pytest.raises(ValueError) as refused:
            configuration("daily", changes)
        assert str(refused.value).startswith(sentence)

    json_values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))

    @given(
        changes=st.dictionaries(
            st.sampled_from([field.name for field in fields(Configuration)]) | st.text(), json_values, max_size=3
        )
    )
    def test_are_sound_or_refused_in_a_sentence_whatever_is_asked(self, changes):
        try:
            found = configuration("daily", changes)
        except ValueError as error:
            assert str(error).endswith(".")
            assert len(str(error)) < 300 or max(map(len, changes)) > 100
            return
        assert 2 <= found.minimum_frames <= found.maximum_frames <= 200
        assert 1 <= found.days <= 60
        assert 3 <= found.clip_sigma <= 6
        assert 0 < found.cold < 1


@pytest.fixture
def day() -> None:
    """Three biases and three darks of one detector."""
    taken()
    taken("DARK", (15, 60, 180))


def enabled() -> None:
    brought_to(State.ENABLED, NAME)


def execute(**parameters: Any) -> Command:
    return command("execute", device=NAME, **{"data_query": {"day_obs": DAY}, **parameters})


def refusal(**parameters: Any) -> str:
    """The sentence with which an `execute` is refused for its parameters; nothing was started."""
    found = execute(**parameters)
    assert (found.ack, found.refused) == (-302, "PARAMETERS")
    assert not ProductSet.objects.exists()
    assert not Run.objects.filter(activity="products").exists()
    return found.text


@pytest.mark.django_db
@pytest.mark.usefixtures("day")
class TestExecute:
    def test_starts_a_set_of_the_day_with_a_task_for_every_product(self):
        enabled()
        found = execute()
        assert found.ack == 301
        made = ProductSet.objects.get()
        assert (made.day_obs, made.camera, made.state, made.run_id) == (DAY, "minicam", "MAKING", found.run_id)
        assert made.parameters == {**configuration("daily").parameters, "exclude": []}
        run = Run.objects.get()
        assert (tuple(run.stages), run.subject) == (STAGES, f"productset:{made.pk}")
        tasks = Task.objects.order_by("pk")
        by_stage = {stage: tasks.filter(stage=stage).count() for stage in STAGES}
        assert by_stage == dict.fromkeys(STAGES, 9) | {"flat": 45, "certify": 1}

    def test_is_due_an_hour_before_evening_twilight(self):
        enabled()
        execute()
        until = ObservingDay(DAY).evening_twilight - Run.objects.get().deadline  # type: ignore[operator]
        assert until.total_seconds() == 3600

    def test_takes_its_day_in_each_of_the_ways_it_may_be_written(self):
        enabled()
        for query in (f"day_obs = {DAY}", "exposure.day_obs=2026-11-22", {"day_obs": DAY}, {"day_obs": "2026-11-22"}):
            execute(data_query=query)
        assert set(ProductSet.objects.values_list("day_obs", flat=True)) == {DAY}
        assert ProductSet.objects.count() == 4

    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), True),
            (datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC), True),
            (datetime(2026, 11, 23, 11, 59, 22, tzinfo=UTC), True),
            (datetime(2026, 11, 23, 11, 59, 23, tzinfo=UTC), False),
            (datetime(2026, 11, 22, 11, 59, 22, tzinfo=UTC), False),
        ],
        ids=["before midnight", "after midnight", "before the roll-over", "after it", "before the roll-over before"],
    )
    def test_takes_the_day_that_it_is_unless_told(self, monkeypatch, at, expected):
        monkeypatch.setattr(ObservingDay, "current", classmethod(lambda cls: cls.at(at)))
        enabled()
        found = execute(data_query=None)
        assert (found.ack == 301) is expected
        if not expected:
            assert found.text.startswith("There is no usable calibration frame of 2026-11-2")

    def test_leaves_out_exposures_by_their_names(self):
        frames = taken(seconds=(0,) * 3)
        enabled()
        execute(data_query={"day_obs": DAY, "exclude": [frames[0].exposure.name]})
        assert ProductSet.objects.get().parameters["exclude"] == [frames[0].pk]
        told = Task.objects.get(key="bias R22_S11").arguments
        assert frames[0].pk not in told["inputs"] + told["held_out"]

    def test_changes_the_configuration_for_this_job_only(self):
        enabled()
        execute(config={"days": 3})
        assert ProductSet.objects.get().parameters["days"] == 3
        assert Device.objects.get(name=NAME).configuration["days"] == 7

    def test_follows_the_configuration_that_the_device_was_started_with(self):
        command("enterControl", device=NAME)
        command("start", device=NAME, configuration="candidate")
        assert command("enable", device=NAME).ack == 303
        execute()
        made = ProductSet.objects.get()
        assert (made.configuration, made.parameters["collection"]) == ("candidate", "candidate")

    @pytest.mark.parametrize("version", [None, "", VERSION, code_version()])
    def test_may_name_the_version_that_runs(self, version):
        enabled()
        assert execute(version=version, pipeline=generator.PIPELINE).ack == 301

    def test_says_which_frames_do_not_go_with_the_others(self):
        warm = taken(seconds=(0,), CCDTEMP=-90.0)
        enabled()
        execute()
        assert Run.objects.get().parameters["left_out"] == [
            f"R22_S11 {warm[0].exposure.name} was taken at -90.0 °C: expected -100.0 ± 1 °C."
        ]

    def test_is_an_event(self):
        enabled()
        execute()
        told = Event.objects.get(kind="calib.products.started")
        assert told.text == "Masters of 2026-11-22 are being made for the OCS."
        assert told.subject == f"productset:{ProductSet.objects.get().pk}"


@pytest.mark.django_db
@pytest.mark.usefixtures("day")
class TestExecuteIsRefused:
    @pytest.mark.parametrize(
        ("parameters", "sentence"),
        [
            ({"pipeline": "cp_pipe"}, "There is no pipeline 'cp_pipe': expected daily-calibrations."),
            ({"pipeline": ["a"]}, "There is no pipeline ['a']: expected daily-calibrations."),
            ({"version": "9.9"}, f"Version '9.9' is not installed: this is {code_version()}."),
            ({"version": ["9.9"]}, f"Version ['9.9'] is not installed: this is {code_version()}."),
            ({"colour": "red"}, "execute does not know colour: expected config, data_query, "),
            ({"output_dataset_types": ["bias"]}, "output_dataset_types cannot be a part of the products: "),
            ({"output_dataset_types": "bias"}, "output_dataset_types cannot be a part of the products: "),
            ({"config": [1]}, "config must be an object of parameters and their values."),
            ({"config": {"days": 99}}, "days is 99: expected 1 to 60."),
            (
                {"data_query": "all of them"},
                "The data query 'all of them' cannot be read: expected day_obs = 20261122.",
            ),
            ({"data_query": "day_obs = 20261399"}, "20261399 is not a dayObs: expected a date as YYYYMMDD"),
            ({"data_query": 7}, 'data_query must be a string or an object with "day_obs" and, if need be, "exclude".'),
            ({"data_query": {"day": 1}}, 'data_query must be a string or an object with "day_obs"'),
            ({"data_query": {"day_obs": [1]}}, "'[1]' is not a dayObs: expected YYYY-MM-DD or YYYYMMDD"),
            ({"data_query": {"exclude": "a"}}, '"exclude" must be a list of names of exposures.'),
            ({"data_query": {"exclude": [7]}}, '"exclude" must be a list of names of exposures.'),
            ({"data_query": {"exclude": ["MC_X"]}}, "There is no exposure 'MC_X' of minicam."),
            ({"data_query": {"day_obs": 20261101}}, "There is no usable calibration frame of 2026-11-01: masters need"),
        ],
    )
    def test_in_a_sentence_and_nothing_is_started(self, parameters, sentence):
        enabled()
        assert refusal(**parameters).startswith(sentence)

    def test_for_a_day_whose_frames_are_all_excluded(self):
        enabled()
        query = {"day_obs": DAY, "exclude": list(Exposure.objects.values_list("name", flat=True))}
        assert refusal(data_query=query).startswith("There is no usable calibration frame of 2026-11-22: masters need")

    @pytest.mark.parametrize("state", [State.OFFLINE, State.STANDBY, State.DISABLED, State.FAULT])
    def test_in_every_state_but_enabled(self, state):
        brought_to(state, NAME)
        found = execute()
        assert (found.ack, found.refused) == (-302, "STATE")
        assert not ProductSet.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("day")
class TestOverHttp:
    def post(self, name: str, **parameters: Any) -> Any:
        person("operator").api_tokens.all().delete()
        _, key = tokens.create(person("operator"), "ocs", "ocs")
        number = Command.objects.count()
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"key-{number}"}
        body = json.dumps({"name": name, "parameters": parameters})
        return Client().post(COMMANDS, body, "application/json", headers=headers)

    def test_a_job_is_accepted(self):
        enabled()
        answer = self.post("execute", data_query={"day_obs": DAY})
        assert answer.status_code == 202
        assert answer.json()["job_id"] == str(ProductSet.objects.get().run_id)

    def test_wrong_parameters_are_unprocessable(self):
        enabled()
        answer = self.post("execute", data_query={"day_obs": DAY}, config={"clip_sigma": 0})
        assert answer.status_code == 422
        assert "clip_sigma is 0: expected 3 to 6." in answer.content.decode()

    def test_a_day_without_frames_is_unprocessable(self):
        enabled()
        answer = self.post("execute", data_query="day_obs = 20261101")
        assert answer.status_code == 422
        assert "There is no usable calibration frame of 2026-11-01" in answer.content.decode()

    def test_the_wrong_state_is_a_conflict(self):
        brought_to(State.STANDBY, NAME)
        assert self.post("execute", data_query={"day_obs": DAY}).status_code == 409


@pytest.mark.django_db
@pytest.mark.usefixtures("day")
def test_an_aborted_job_says_that_nothing_was_certified():
    enabled()
    given = execute()
    assert given.run_id is not None
    aborting = command("abort_job", device=NAME, job_id=str(given.run_id))
    assert aborting.ack == 303
    jobs.follow()
    given.refresh_from_db()
    assert (given.ack, given.result["exit_code"], given.result["result"]) == (-303, 255, {"state": "aborted"})
    assert ProductSet.objects.get().state == "MAKING"
