"""Every example of the spec language loads and means what it says."""

from __future__ import annotations

import pytest

from runner.records.quantities import parse
from runner.spec.treatments import treatments, with_levels
from tests.specfile.reading import EXAMPLES, example


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_load(name):
    assert example(name).name in (name, "max-connections-32mb")


def test_the_capacity_search():
    exp = example("capacity")
    assert exp.hosts.server == ("pi4",)
    assert exp.hosts.same
    assert exp.requires["server.nofile_hard"].at_least == parse(4096)
    declared = {name for name, _ in exp.system.items()}
    assert declared == {
        "sysctl", "cpu_governor", "transparent_hugepage", "swap", "services", "packages",
    }  # fmt: skip
    assert exp.build.go == "1.22.10"
    assert exp.build.env == {"CGO_ENABLED": "0"}
    assert exp.workload.cgroup.knobs() == {"memory.max": "33554432", "memory.swap.max": "0"}
    assert exp.workload.limits.nofile.soft == 20000
    assert exp.workload.ready.within.seconds == 10
    assert exp.load.cooldown.until.time_wait_below == 1000
    assert [rule.subject for rule in exp.healthy][-1] == "workload.alive"
    assert exp.guards[0].gained
    assert (exp.search.low, exp.search.high) == (8, 4096)
    assert (exp.search.confirm.trials, exp.search.confirm.healthy) == (5, 3)
    assert (exp.repeat.unit, exp.repeat.minimum, exp.repeat.maximum) == ("search", 6, 15)
    assert exp.repeat.stop_when.half_width.ratio == 0.02
    assert exp.repeat.order.seed == 20261123
    assert exp.metrics["rss_at_max"].at == "search.level"
    (claim,) = exp.claims
    assert claim.published.bounds() == (87.0, 92.0)
    assert claim.margin.widen(claim.published.bounds()) == (86.0, 93.0)
    assert claim.declared["build.go"] == "1.22"


def test_the_stepped_load():
    exp = example("stepped")
    assert [s.connections for s in exp.load.expanded_steps()] == [100, 1000, 5000, 10000]
    assert exp.abort_when[0].for_s == 2.0
    assert exp.metrics["gc_per_minute"].as_ == "rate/min"
    (fault,) = exp.faults
    assert (fault.kind, fault.at.seconds, fault.for_.seconds) == ("network", 20, 60)


def test_the_matrix_of_flags():
    exp = example("flags")
    cells = treatments(exp)
    assert cells == ({"flags": "default"}, {"flags": "stripped"}, {"flags": "all"})
    made = with_levels(exp, cells[2])
    assert made.build.ldflags == ("-s", "-w")
    assert made.build.env == {"CGO_ENABLED": "0", "GOARCH": "arm64"}
    assert exp.baseline == {"flags": "default"}
    assert exp.report.table.columns == (
        "binary_size",
        "binary_size.vs_baseline",
        "rss_idle",
    )


def test_the_benchmark():
    exp = example("benchmark")
    assert exp.workload.go_test.bench == "ServerOnly"
    assert exp.claims[0].published.bounds() == (12.25, 12.35)
    assert exp.claims[1].statement.op == "<"
