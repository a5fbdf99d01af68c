"""The canonical form and its hashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import SpecError
from runner.kinds import discovery
from runner.spec import Experiment
from runner.spec.expand import claims_hash, expand, run_hash, spec_hash
from runner.spec.treatments import treatments, with_levels
from runner.specfile import load
from tests.specfile.reading import EXAMPLES, example

ROOT = Path(__file__).parents[2]
BASE = {"load": {"connections": 10, "measure": "120s"}, "metrics": {"a": {"from": "load.rps"}}}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_canonical_form_is_json_and_reads_back_as_the_same_spec(name):
    exp = example(name)
    data = json.loads(json.dumps(expand(exp)))
    assert Experiment.model_validate(data) == exp
    assert expand(Experiment.model_validate(data)) == data


def test_equal_amounts_have_equal_hashes():
    other = {**BASE, "load": {"connections": 10, "measure": "2min"}}
    assert spec_hash(Experiment.model_validate(BASE)) == spec_hash(Experiment.model_validate(other))


def test_what_is_said_of_a_run_does_not_decide_its_trials():
    one = Experiment.model_validate(BASE)
    two = Experiment.model_validate({**BASE, "title": "another"})
    three = Experiment.model_validate({**BASE, "load": {"connections": 11}})
    assert spec_hash(one) != spec_hash(two)
    assert run_hash(one) == run_hash(two) != run_hash(three)


def test_a_changed_claim_is_seen_by_its_hash():
    claims = [{"id": "1", "quote": "q", "metric": "a", "published": 3}]
    one = Experiment.model_validate({**BASE, "claims": claims})
    claims[0]["published"] = 4
    two = Experiment.model_validate({**BASE, "claims": claims})
    assert claims_hash(one) != claims_hash(two)
    assert run_hash(one) == run_hash(two)


HTTP = {"url": "http://127.0.0.1:{port}/", "connections": 4}
LOADS = {
    "wrk": HTTP, "h2load": HTTP, "vegeta": HTTP | {"rate": 9}, "command": HTTP | {"argv": ["x"]},
    "iperf3": {"url": "tcp://127.0.0.1:5201", "connections": 4},
    "redis_benchmark": {"url": "tcp://127.0.0.1:6379", "connections": 4,
                        "argv": ["-n", "9", "-t", "set"]},
    "sysbench": {"connections": 4, "argv": ["memory", "run"]},
}  # fmt: skip


@pytest.mark.parametrize("name", discovery.names("generators"))
def test_a_record_of_every_generator_reads_back_with_its_treatments(name):
    """What is filled in where nothing was said is never refused when the record is read."""
    workload = {"argv": ["x"], "prepare": [{"actions": "sync"}]}
    load = {"generator": name, "measure": "5s", **LOADS[name]}
    reads_back({"load": load, "workload": workload, "factors": {"at": ["a", "b"]}})


@pytest.mark.parametrize("path", sorted(ROOT.glob("experiments/**/*.yaml")), ids=lambda p: p.stem)
def test_a_record_of_every_experiment_here_reads_back(path):
    try:
        made = load(path)
    except SpecError:
        pytest.skip("a base of others, or one that needs more than itself")
    reads_back(made)


def reads_back(spec):
    made = Experiment.model_validate(spec)
    read = Experiment.model_validate(json.loads(json.dumps(expand(made))))
    assert expand(read) == expand(made)
    for levels in treatments(made):
        assert expand(with_levels(read, levels)) == expand(with_levels(made, levels))
