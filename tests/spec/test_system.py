"""The keys of `system` are the files of runner/resources."""

from __future__ import annotations

from runner.kinds.resources import kinds
from runner.spec import Experiment
from runner.spec.system import NAMES


def test_every_kind_is_a_key_and_every_key_a_kind():
    assert sorted(NAMES) == sorted(kinds())


def test_payloads_are_the_kinds_own_models():
    exp = Experiment.model_validate({"system": {"sysctl": {"vm.swappiness": 0}}})
    ((name, payload),) = exp.system.items()
    assert name == "sysctl"
    assert isinstance(payload, kinds()["sysctl"].Model)
    assert exp.system.sysctl is payload


def test_a_spec_with_nothing_declares_nothing():
    assert list(Experiment().system.items()) == []
