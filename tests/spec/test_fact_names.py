"""Names of facts: those that are read, and what is refused with a hint."""

import ast
from pathlib import Path

import pytest

from runner.host.facts.gather import gather
from runner.report.format import words
from runner.spec.fact_names import FACTS, check_fact
from runner.spec.limits import UNBOUND

ROOT = Path(__file__).parents[2]


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


def names_of_facts_in(tree):
    """Every literal that is looked up in facts, and those beside two that are facts in a tuple."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.Set):
            said = [one.value for one in node.elts if isinstance(one, ast.Constant)]
            dotted = [one for one in said if isinstance(one, str) and "." in one]
            if sum(one in FACTS for one in dotted) >= 2:
                yield from (one for one in dotted if not one.endswith("."))
        elif isinstance(node, ast.Call) and node.args:
            of = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]
            name = node.args[0] if isinstance(node.func, ast.Attribute) else node.args[-1]
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if (
                called in ("get", "setdefault", "table", "places", "words", "amount")
                and getattr(of, "id", getattr(of, "attr", "")) == "facts"
                and isinstance(name, ast.Constant)
            ):
                yield name.value


MOVING_STARTS = {"memory.available", "memory.free", "memory.swap_free"}


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(ROOT.glob("runner/**/*.py")) if "host" not in p.relative_to(ROOT).parts[:2]],
    ids=lambda p: p.relative_to(ROOT).as_posix(),
)
def test_a_fact_that_is_looked_up_is_one_that_is_read(path):
    """A name that no host says is always absent: nobody would see that it is never found."""
    found = set(names_of_facts_in(ast.parse(path.read_text("utf-8"))))
    known = {*FACTS, "absent", *MOVING_STARTS}
    assert {name for name in found if not name.startswith("sysctl.")} <= known


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("memory.total_bytes", 2**32, "4.00 GiB"),
        ("memory.swap_total_bytes", 0, "0"),
        ("cpu.max_khz", 1_800_000, "1.80 GHz"),
        ("limits.stack_hard", 8 << 20, "8.00 MiB"),
        ("limits.stack_hard", UNBOUND, "unlimited"),
        ("limits.nofile_hard", 20000, "20000"),
        ("limits.nofile_hard", UNBOUND, "unlimited"),
        ("sysctl.vm.overcommit_memory", 4096, "4096"),
    ],
)
def test_a_fact_is_shown_in_the_unit_that_its_name_declares(name, value, said):
    assert words.fact(name, value) == said
