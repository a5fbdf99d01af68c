"""Names of facts: those that are read, and what is refused with a hint."""

import pytest

from runner.host.facts.gather import gather
from runner.spec.fact_names import FACTS, check_fact


def test_every_fact_that_is_read_is_known():
    read = {name for name in gather() if not name.startswith("sysctl.") and name != "absent"}
    assert read <= set(FACTS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vm.swappiness", "sysctl.vm.swappiness"),
        ("net.core.somaxconn", "sysctl.net.core.somaxconn"),
        ("board.modle", "did you mean `board.model`"),
        ("sysctl.wm.swappiness", "did you mean `sysctl.vm.swappiness`"),
        ("sysctl.net/ipv4/ip_forward", "sysctl.net.ipv4.ip_forward"),
        ("board/frequency", "dots"),
        ("kernel.release", None),
        ("net.interfaces", None),
        ("sysctl.net.ipv4.conf.eth0/1.rp_filter", None),
        ("cgroup.memory.max", None),
        ("gateway.message_bytes", None),
        ("workload.leak", None),
        ("build.program", None),
    ],
)
def test_a_name_is_known_or_refused_with_a_hint(name, said):
    found = check_fact(name)
    assert found is None if said is None else said in str(found)
