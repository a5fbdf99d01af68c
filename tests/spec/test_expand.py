"""The canonical form and its hashes."""

from __future__ import annotations

import json

import pytest

from runner.spec import Experiment
from runner.spec.expand import claims_hash, expand, run_hash, spec_hash
from tests.specfile.reading import EXAMPLES, example

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
