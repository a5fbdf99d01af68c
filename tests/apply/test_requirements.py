"""`requires`: what does not hold is one sentence with the fact and what was asked."""

from __future__ import annotations

import pytest

from runner.apply.checks.requirements import broken, same, unmet
from runner.spec.experiment import Experiment
from runner.spec.sections.requires import Requirement


@pytest.mark.parametrize(
    ("asked", "seen", "said"),
    [
        ({"equals": "aarch64"}, "aarch64", ""),
        ({"equals": "aarch64"}, "x86_64", "is x86_64, not aarch64"),
        ({"equals": 0}, 0, ""),
        ({"equals": 1}, 0, "is 0, not 1"),
        ({"contains": "memory"}, ["cpu", "memory"], ""),
        ({"contains": "memory"}, ["cpu"], "is ['cpu'], without memory"),
        ({"at_least": 4096}, 20000, ""),
        ({"at_least": 4096}, 1024, "is 1024, below 4096"),
        ({"at_least": "1GiB"}, 2**30, ""),
        ({"at_most": 1}, 2, "is 2, above 1"),
        ({"one_of": [1, 2]}, 2, ""),
        ({"one_of": [1, 2]}, 3, "is 3, none of 1, 2"),
        ({"matches": "Raspberry"}, "Raspberry Pi 4", ""),
        ({"exists": False}, None, ""),
        ({"exists": True}, None, "is missing"),
        ({"equals": 1}, None, "is unknown on this host"),
    ],
)
def test_each_condition(asked, seen, said):
    """Every form of a condition, held and broken; 0 is a value."""
    assert broken(Requirement.model_validate(asked), seen) == said


def test_sizes_are_the_same_in_any_unit():
    """4GB and 4000000000 are one amount."""
    assert same("4GB", 4_000_000_000)
    assert not same("4GiB", 4_000_000_000)


def test_role_chooses_the_host():
    """Without a role the server is meant."""
    spec = Experiment.model_validate(
        {"hosts": {"server": "a", "load": "b"}, "requires": {"load.arch": "arm", "arch": "x"}}
    )
    assert unmet(spec, {"a": {"arch": "x"}, "b": {"arch": "x"}}) == ["b: arch is x, not arm"]


def test_a_missing_controller_comes_with_the_edit_that_brings_it():
    """Raspberry Pi OS boots without the memory controller until cmdline.txt says otherwise."""
    spec = Experiment.model_validate(
        {"hosts": {"server": "pi"}, "requires": {"cgroup.controllers": {"contains": "memory"}}}
    )
    facts = {
        "cgroup.controllers": ["cpu"],
        "kernel.cmdline": "cgroup_disable=memory root=/dev/mmcblk0p2",
        "kernel.cmdline_file": "/boot/firmware/cmdline.txt",
    }
    (said,) = unmet(spec, {"pi": facts})
    assert said.startswith("pi: cgroup.controllers is ['cpu'], without memory; add ")
    assert "`cgroup_enable=memory` to the end of the one line in /boot/firmware/cmdline.txt" in said
