"""Facts in time: which a spec decides, and what two moments differ in."""

from runner.planning.facts import difference, set_by, sysctls_of
from runner.planning.layers import declared_of
from runner.spec.experiment import Experiment


def experiment(**sections):
    return Experiment.model_validate({"workload": {"argv": ["x"]}, **sections})


def test_what_the_spec_sets_is_judged_in_force():
    spec = experiment(
        system={"sysctl": {"net/ipv4/ip_forward": 1}, "swap": "off"},
        factors={"a": {"b": {"system": {"transparent_hugepage": "never"}}, "c": {}}},
    )
    declared = declared_of(spec)
    for fact in ("sysctl.net.ipv4.ip_forward", "swap.devices", "memory.swap_total_bytes", "thp"):
        assert set_by(declared, fact), fact
    for fact in ("sysctl.vm.swappiness", "memory.total_bytes", "cpu.count", "board.model"):
        assert not set_by(declared, fact), fact


def test_kernel_parameters_that_are_facts():
    spec = experiment(
        system={"sysctl": {"vm.swappiness": 1}},
        requires={"server.sysctl.vm.laptop_mode": 0, "arch": "x86_64"},
        metrics={"m": "procfs.rss"},
        claims=[{"id": "a", "quote": "q", "metric": "m", "published": {"value": 1},
                 "must": ["sysctl.net.core.rmem_max"], "declared": {"sysctl.vm.swappiness": 1}}],
    )  # fmt: skip
    assert sorted(sysctls_of(spec, declared_of(spec))) == [
        "net.core.rmem_max", "vm.laptop_mode", "vm.swappiness",
    ]  # fmt: skip


def test_a_difference_leaves_out_what_moves_by_itself():
    one = {"thp": "never", "load.1m": 1, "aslr": "2", "absent": {}}
    assert difference(one, {"thp": "always", "load.1m": 2, "aslr": "2"}) == {"thp": "never"}
    assert difference({}, {"thp": "always"}) == {"thp": None}
