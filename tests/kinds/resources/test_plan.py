"""The plan of a whole declared state: phases, conflicts, what would change, secrets."""

import base64

import pytest
from pydantic import SecretStr

from runner.errors import HostError, NeedRoot, SpecError
from runner.kinds.resources import kinds
from runner.kinds.resources.cgroup import base, limits_to_cells, mounted
from runner.kinds.resources.interface import ReadError
from runner.kinds.resources.sysctl import namespaced, split_network
from runner.planning.state import (
    candidates,
    plan_state,
    sources,
    unified,
    with_sources,
    would_change,
)


def text(content, **more):
    return {"type": "file", "bytes_b64": base64.b64encode(content.encode()).decode(), **more}


def said(plan, values):
    return {change.id: str(change) for change in would_change(plan, values)}


def test_phases():
    system = {"packages": ["wrk"], "sysctl": {"vm.swappiness": 1}, "actions": ["sync"]}
    plan = plan_state(system, {}, {})
    assert [c.id for c in plan.packages] == ["packages:apt"]
    assert [c.id for c in plan.cells] == ["sysctl:vm.swappiness"]
    assert [c.id for c in plan.actions] == ["actions:0-sync"]


def test_what_would_change_is_said_honestly():
    system = {
        "sysctl": {
            "vm.swappiness": 0,
            "kernel.panic": 0,
            "vm.dirty_ratio": 5,
            "net.core.somaxconn": 1,
        },
        "nofile": 2000,
    }
    values = {
        "sysctl:vm.swappiness": "60",
        "sysctl:kernel.panic": "0",
        "sysctl:vm.dirty_ratio": ReadError("EACCES"),
    }
    plan = plan_state(system, {}, values)
    assert said(plan, values) == {
        "sysctl:vm.swappiness": "would change 60 → 0",
        "sysctl:kernel.panic": "ok",
        "sysctl:vm.dirty_ratio": "unknown (cannot be read: EACCES)",
        "sysctl:net.core.somaxconn": "unknown (not read)",
        "nofile": "unknown (depends on fs.nr_open)",
    }


def test_bracket_is_shown_as_its_word():
    values = {"transparent_hugepage:enabled": "always [madvise] never"}
    plan = plan_state({"transparent_hugepage": "never"}, {}, values)
    assert said(plan, values) == {"transparent_hugepage:enabled": "would change madvise → never"}


def test_two_values_for_one_thing():
    with pytest.raises(SpecError, match=r"hugepages:default and sysctl:vm\.nr_hugepages"):
        plan_state({"sysctl": {"vm.nr_hugepages": 1}, "hugepages": 2}, {}, {})


def test_one_thing_said_twice_is_one_cell():
    plan = plan_state({"sysctl": {"vm.nr_hugepages": "0x2"}, "hugepages": 2}, {}, {})
    assert len(plan.cells) == 1


def test_all_that_need_root_in_one_message():
    system = {"sysctl": {"vm.swappiness": 1, "kernel.panic": 2}, "aslr": "off"}
    plan = plan_state(system, {}, {"sysctl:kernel.panic": "2"})
    assert plan.needs_root == ["aslr:host", "sysctl:vm.swappiness"]
    with pytest.raises(NeedRoot, match=r"aslr:host, sysctl:vm\.swappiness"):
        plan.check(root=False)
    plan.check(root=True)


def test_a_delegated_group_needs_no_root():
    facts = {
        "cgroup.version": 2,
        "cgroup.controllers": ["memory", "pids"],
        "cgroup.delegated": "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service",
        "host.root": False,
        "systemd.version": 252,
    }
    plan = plan_state({"cgroup": {"web": {"memory.max": "32MiB"}}}, facts, {})
    assert plan.cells
    plan.check(root=False)


def test_refusals_come_together():
    values = {"network:eth9/up": None, "clock_source:available": "tsc"}
    plan = plan_state({"network": {"eth9": {"mtu": 1400}}, "clock_source": "hpet"}, {}, values)
    with pytest.raises(HostError) as error:
        plan.check(root=True)
    assert "eth9" in error.value.message
    assert "hpet" in error.value.message


def test_skipped_kinds_say_why():
    plan = plan_state({"cpu_governor": "performance"}, {"cpu.policies": None}, {})
    assert "cpufreq" in plan.skipped["cpu_governor"]


def test_diff_of_a_file():
    system = {"files": {"/etc/motd": {"content": "new\nsame\n", "mode": "0644"}}}
    cell = plan_state(system, {}, {}).cells[0]
    diff = unified(cell, text("old\nsame\n", mode=0o600, uid=0, gid=0))
    assert "-old\n+new\n same\n" in diff
    assert "mode: 0600 → 0644" in diff
    assert unified(cell, None).startswith("--- /dev/null\n+++ b/etc/motd\n")


def test_diff_of_bytes_that_are_no_text():
    cell = plan_state({"files": {"/etc/x": {"content": "a"}}}, {}, {}).cells[0]
    before = {"type": "file", "bytes_b64": base64.b64encode(b"\xff\x00").decode()}
    assert "binary files" in unified(cell, before)


@pytest.mark.parametrize(
    "system",
    [
        {"files": {"/etc/x": {"content": SecretStr("hunter2")}}},
        {"files": {"/etc/x": {"content": "hunter2", "secret": True}}},
        {"sysctl": {"kernel.domainname": SecretStr("hunter2")}},
    ],
)
def test_a_secret_shows_nowhere(system):
    plan = plan_state(system, {}, {})
    (cell,) = plan.cells
    assert cell.secret
    before = text("hunter1") if cell.via == "file" else "hunter1"
    (change,) = would_change(plan, {cell.id: before})
    assert change.outcome == "would change"
    shown = f"{change} {change.diff} {change.before} {change.after} {change}"
    for form in (
        "hunter",
        base64.b64encode(b"hunter2").decode(),
        base64.b64encode(b"hunter1").decode(),
    ):
        assert form not in shown


def test_sources_are_read_by_the_caller():
    system = {
        "files": {"/srv/a": {"src": "a.conf"}},
        "templates": {"/srv/b": {"src": "b.j2", "vars": {"port": 80}}},
    }
    assert sources(system) == ["a.conf", "b.j2"]
    assert set(plan_state(system, {}, {}).unknown) == {"files", "templates"}
    contents = {"a.conf": b"\x00\x01", "b.j2": b"{{ port }} {{ facts.board.model }}\n"}
    loaded = with_sources(system, contents)
    plan = plan_state(loaded, {"board.model": "Pi"}, {})
    wanted = {cell.path: base64.b64decode(cell.want["bytes_b64"]) for cell in plan.cells}
    assert wanted == {"/srv/a": b"\x00\x01", "/srv/b": b"80 Pi\n"}


def test_a_template_refuses_an_unknown_name():
    loaded = with_sources({"templates": {"/srv/b": {"src": "b.j2"}}}, {"b.j2": b"{{ nope }}"})
    plan = plan_state(loaded, {}, {})
    assert "b.j2: 'nope' is undefined" in plan.refused["templates"].why


def test_a_template_cannot_reach_the_interpreter():
    loaded = with_sources(
        {"templates": {"/srv/b": {"src": "b.j2"}}}, {"b.j2": b"{{ ''.__class__.__mro__ }}"}
    )
    assert "templates" in plan_state(loaded, {}, {}).refused


def test_a_template_with_a_secret_is_one():
    loaded = with_sources(
        {"templates": {"/srv/b": {"src": "b.j2", "vars": {"key": SecretStr("s3")}}}},
        {"b.j2": b"{{ key }}"},
    )
    (cell,) = plan_state(loaded, {}, {}).cells
    assert cell.secret
    assert base64.b64decode(cell.want["bytes_b64"]) == b"s3"


def test_a_lazy_secret_is_not_read_by_validation():
    class Lazy(SecretStr):
        def get_secret_value(self):
            raise AssertionError("read too early")

    kinds()["sysctl"].Model.model_validate({"kernel.domainname": Lazy("")})


def test_candidates_have_one_cell_an_id():
    cells = candidates({"sysctl": {"vm.swappiness": 1}, "swap": "off", "nofile": 100})
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_groups_of_a_trial_stand_below_a_delegated_unit():
    facts = {"cgroup.version": 2, "cgroup.controllers": ["memory"], "systemd.version": 252}
    join, cells = limits_to_cells(
        2, mounted(facts)[1], f"{base(facts)}/t1", {"memory.max": 1}, facts=facts
    )
    assert join == ["/sys/fs/cgroup/system.slice/runner-cgroup.service/runner/t1"]
    assert cells[0].id == "cgroup:delegated"
    shell = cells[0].write["active"][-1].replace("$$", "")
    assert "$" not in shell, "systemd would expand a single dollar to nothing"
    # systemd alone makes and removes the unit's own group, also for a run's own folder
    made = [
        cell.path
        for cell in limits_to_cells(
            2, mounted(facts)[1], f"{base(facts)}-5a/t1", {"memory.max": 1}, facts=facts
        )[1]
        if cell.via == "cgroup"
    ]
    below = "/sys/fs/cgroup/system.slice/runner-cgroup.service/runner-5a"
    assert made == [below, f"{below}/t1"]
    v1 = {"cgroup.version": 1, "cgroup.mounts": {"memory": "/m"}, "systemd.version": 252}
    join, cells = limits_to_cells(1, mounted(v1)[1], f"{base(v1)}/t1", {"memory.max": 1}, facts=v1)
    assert join == ["/m/runner/t1"]
    assert "cgroup:delegated" not in [cell.id for cell in cells]


def test_keys_of_a_network_namespace():
    assert namespaced("net.ipv4.tcp_rmem")
    assert namespaced("net.core.somaxconn")
    assert not namespaced("net.core.rmem_max")
    assert not namespaced("net.ipv4.tcp_mem")
    assert not namespaced("vm.swappiness")
    cells = plan_state({"sysctl": {"net.core.somaxconn": 1, "vm.swappiness": 1}}, {}, {}).cells
    host, inside = split_network(cells)
    assert [c.id for c in host] == ["sysctl:vm.swappiness"]
    assert [c.id for c in inside] == ["sysctl:net.core.somaxconn"]
