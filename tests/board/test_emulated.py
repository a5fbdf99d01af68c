"""What is different where a host is emulated: how often it is sampled, what is judged."""

from pathlib import Path

import pytest

from runner.analysis.claims.claims import claim_results
from runner.compile.program import TrialRequest, trial_program
from runner.spec import Experiment
from runner.specfile import load

SPEC = Path(__file__).parents[2] / "experiments/published/go-under-32mb/stepped-load.yaml"


@pytest.mark.parametrize(("emulated", "hz"), [(True, 2.0), (False, 10.0), (None, 10.0)])
def test_an_emulated_host_is_sampled_twice_a_second_at_most(
    emulated: bool | None, hz: float
) -> None:
    """A tick costs it 80 ms of a processor; a spec that asks for less still gets less."""
    experiment = load(SPEC)
    facts = {"emulated": emulated, "cgroup.version": 1, "cgroup.controllers": ["memory"],
             "cgroup.mounts": {"memory": "/sys/fs/cgroup/memory"}}  # fmt: skip
    made = trial_program(experiment, facts, TrialRequest(trial="t")).program["sample"]
    assert made["hz"] == hz
    assert max(read.get("hz", hz) for read in made["reads"]) == hz
    slow = experiment.model_copy(
        update={"sample": experiment.sample.model_copy(update={"hz": 1.0})}
    )
    assert trial_program(slow, facts, TrialRequest(trial="t")).program["sample"]["hz"] == 1.0


@pytest.mark.parametrize(
    ("metric", "judged"),
    [
        ({"from": "procfs.rss", "unit": "MiB"}, True),
        ({"from": "build.size", "unit": "MB"}, True),
        ({"from": "stdout.json.faults"}, True),
        ({"from": "load.latency_p99", "unit": "ms"}, False),
        ({"from": "load.rate", "unit": "/s"}, False),
        ({"from": "gctrace.count", "as": "rate/min"}, False),
        ({"from": "stdout.json.seconds", "unit": "s"}, False),
        ({"compute": "took * 1ns", "unit": "us"}, False),
        ({"compute": "rate / 2"}, False),
        ({"compute": "size / 2", "unit": "MiB"}, True),
    ],
)
def test_time_is_not_judged_on_an_emulated_host(metric: dict[str, str], judged: bool) -> None:
    """Whatever a spec calls it: the source, the unit and what it is computed of say so."""
    experiment = Experiment.model_validate(
        {
            "workload": {"argv": ["./x"]},
            "metrics": {
                "asked": metric,
                "took": {"from": "stdout.json.ns"},
                "rate": {"from": "load.rate"},
                "size": {"from": "procfs.rss"},
            },
            "claims": [{"id": "1", "quote": "q", "metric": "asked", "published": {"value": 1}},
                       {"id": "2", "quote": "q", "expect": "asked > 1"}],
        }
    )  # fmt: skip
    for emulated in (True, False):
        for found in claim_results(experiment, (), (), {"emulated": emulated}):
            asked = ("emulated", "false", "true", False) in found.facts
            assert asked is (emulated and not judged)
