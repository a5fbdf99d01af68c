"""A record whose spec today's rules refuse: one clear error, and no fault of runner."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runner.errors import RecordError
from runner.store.experiment import experiment_of


def test_a_spec_that_is_refused_now_is_named_with_its_run():
    spec = {"schema": "experiment/1", "name": "x", "workload": {"argv": ["a\0"], "run": "once"}}
    folder = SimpleNamespace(id="20260101T000000Z-abc", spec=spec)
    with pytest.raises(RecordError) as caught:
        experiment_of(folder)
    assert "run 20260101T000000Z-abc" in caught.value.message
    assert "workload.argv.0: holds a NUL character" in caught.value.message


def test_a_rule_that_never_aborted_anything_does_not_cost_the_record():
    rules = ["load.error_ratio > 50%", "workload.dead for 3s", "not stdout matches 'x'"]
    spec = {"schema": "experiment/1", "name": "x", "workload": {"argv": ["a"], "run": "once"},
            "abort_when": rules}  # fmt: skip
    found = experiment_of(SimpleNamespace(id="20260101T000000Z-abc", spec=spec))
    assert [str(rule) for rule in found.abort_when] == ["workload.dead for 3s"]
