"""Which machine it is: CPUs, board, kernel and userland, and not its boot or its state."""

import pytest

from runner.records.facts import MACHINE, machine_id, other_machine

PI = {"arch": "aarch64", "cpu.count": 4, "cpu.model": "Cortex-A72", "kernel.release": "6.6.20",
      "os.pretty_name": "Debian GNU/Linux 12", "board.revision": None, "boot_id": "a"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("cpu.count", 8), ("cpu.model", "Cortex-A76"), ("kernel.release", "6.12.1"),
     ("os.pretty_name", "Ubuntu 24.04"), ("arch", "armv7l")],
)  # fmt: skip
def test_another_machine_of_the_same_name(name, value):
    other = PI | {name: value}
    assert other_machine(PI, other) == [f"{name} was {PI[name]}, is {value}"]
    assert other_machine(PI, other, but=frozenset({name})) == []
    assert machine_id(PI) != machine_id(other)


@pytest.mark.parametrize(
    "change", [{"boot_id": "b"}, {"sysctl.vm.swappiness": "10"}, {"uptime_s": 7.0}]
)
def test_another_boot_or_state_is_the_same_machine(change):
    assert other_machine(PI, PI | change) == []
    assert machine_id(PI) == machine_id(PI | change)


def test_what_one_of_both_does_not_know_says_nothing():
    assert other_machine(PI, PI | {"board.revision": "c03115"}) == []
    assert other_machine(PI, {}) == []
    assert other_machine({}, PI) == []


def test_every_name_is_a_fact_of_the_agent():
    from runner.host.facts.gather import gather

    assert set(MACHINE) <= gather().keys()
