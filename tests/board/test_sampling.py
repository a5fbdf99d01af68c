"""How often an emulated host is sampled."""

from pathlib import Path

import pytest

from runner.compile import trial_program
from runner.specfile import load

SPEC = Path(__file__).parents[2] / "experiments" / "stepped-load.yaml"


@pytest.mark.parametrize(("emulated", "hz"), [(True, 2.0), (False, 10.0), (None, 10.0)])
def test_an_emulated_host_is_sampled_twice_a_second_at_most(
    emulated: bool | None, hz: float
) -> None:
    """A tick costs it 80 ms of a processor; a spec that asks for less still gets less."""
    experiment = load(SPEC)
    facts = {"emulated": emulated, "cgroup.version": 1, "cgroup.controllers": ["memory"],
             "cgroup.mounts": {"memory": "/sys/fs/cgroup/memory"}}  # fmt: skip
    made = trial_program(experiment, facts, "t", binary=None).program["sample"]
    assert made["hz"] == hz
    assert max(read.get("hz", hz) for read in made["reads"]) == hz
    slow = experiment.model_copy(
        update={"sample": experiment.sample.model_copy(update={"hz": 1.0})}
    )
    assert trial_program(slow, facts, "t", binary=None).program["sample"]["hz"] == 1.0
