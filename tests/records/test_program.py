"""A program is finished when it is compiled: nobody changes it, and it is sent as it is."""

import json

import pytest

from runner.compile.program import TrialRequest, trial_program
from runner.records.program import frozen, thawed, trial_of
from runner.spec.experiment import Experiment

SPEC = {"name": "x", "workload": {"argv": ["./x"], "env": {"A": "1"}}, "repeat": 2}


def test_a_compiled_program_cannot_be_changed():
    made = trial_program(Experiment.model_validate(SPEC), {}, TrialRequest(trial="t-r1-a1"))
    assert trial_of(made.program) == "t-r1-a1"
    with pytest.raises(TypeError):
        made.program["declared"] = []
    with pytest.raises(TypeError):
        made.program["workload"]["env"]["A"] = "2"
    with pytest.raises(AttributeError):
        made.program["workload"]["argv"].append("-x")


def test_it_is_sent_as_it_was_written():
    data = {"a": [1, {"b": [None, "ü"]}], "c": {"d": {}}}
    assert json.loads(json.dumps(frozen(data), default=thawed)) == data
    with pytest.raises(TypeError):
        json.dumps({"x": object()}, default=thawed)
