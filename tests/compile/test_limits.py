"""Limits of the workload: as setrlimit has them, and within what the host can give."""

import resource

import pytest
from pydantic import ValidationError

from runner.compile.limits import beyond, limits_part
from runner.host.facts.gather import LIMITS, gather
from runner.spec.experiment import Experiment
from runner.spec.limits import Limits


def experiment(limits, **system):
    return Experiment.model_validate(
        {"workload": {"argv": ["x"], "limits": limits}, "system": system}
    )


def test_each_limit_is_sent_with_its_unit_taken_off():
    found = limits_part(
        experiment({
            "as": "1GiB", "nproc": 77, "nofile": {"soft": 5, "hard": 9}, "core": "unlimited",
            "cpu": "10s", "fsize": 4096,
        })
    )  # fmt: skip
    assert found == {
        "as": [1 << 30, 1 << 30], "nproc": [77, 77], "nofile": [5, 9], "core": [-1, -1],
        "cpu": [10, 10], "fsize": [4096, 4096],
    }  # fmt: skip


def test_the_open_files_of_system_are_those_of_the_workload():
    assert limits_part(experiment({}, nofile=20000)) == {"nofile": [20000, 20000]}
    assert limits_part(experiment({"nofile": 512}, nofile=20000)) == {"nofile": [512, 512]}


def test_every_limit_is_one_of_this_kernel_and_a_fact():
    names = [field.alias or name for name, field in Limits.model_fields.items()]
    assert sorted(names) == sorted(LIMITS)
    assert all(hasattr(resource, f"RLIMIT_{name.upper()}") for name in names)
    facts = gather()
    assert all(facts[f"limits.{name}_hard"] is not None for name in names)


@pytest.mark.parametrize(
    "limits",
    [{"nproc": "77MiB"}, {"cpu": "1MiB"}, {"stack": "3s"}, {"nofile": 1.5}, {"nofile": -1},
     {"nofile": True}, {"nofile": {"soft": 2, "hard": 1}}, {"core": {"soft": "unlimited", "hard": 1}},
     {"as": 1 << 63}, {"rss": 1}],
)  # fmt: skip
def test_what_is_no_limit_is_refused(limits):
    with pytest.raises(ValidationError):
        experiment(limits)


@pytest.mark.parametrize(
    ("limits", "system", "facts", "said"),
    [
        ({"nproc": 77}, {}, {"limits.may_raise": False, "limits.nproc_hard": 10}, "nproc: 77 is above 10"),
        ({"nproc": 7}, {}, {"limits.may_raise": False, "limits.nproc_hard": 10}, None),
        ({"nproc": 77}, {}, {"limits.may_raise": True, "limits.nproc_hard": 10}, None),
        ({"as": "unlimited"}, {}, {"limits.may_raise": False, "limits.as_hard": 10}, "as: unlimited is above 10"),
        ({"nofile": 9}, {}, {"limits.may_raise": True, "sysctl.fs.nr_open": "8"}, "nofile: 9 is above 8, fs.nr_open"),
        ({"nofile": 9}, {"sysctl": {"fs.nr_open": 16}}, {"limits.may_raise": True, "sysctl.fs.nr_open": "8"}, None),
        ({"nofile": 9}, {}, {}, None),
    ],
)  # fmt: skip
def test_a_limit_that_the_host_cannot_give_is_said(limits, system, facts, said):
    found = [text for text, _ in beyond(experiment(limits, **system), facts)]
    assert (not found) if said is None else (len(found) == 1 and said in found[0])
