"""Kinds through the real agent on this machine: apply, apply again, restore."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.kinds.resources.cgroup import limits_to_cells, mounted
from runner.kinds.resources.interface import Cell
from runner.planning.state import plan_state, would_change
from tests.kinds.resources.conftest import Host
from tests.workers import kernel

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="kernel files"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    kernel,
]


@pytest.fixture
def host(tmp_path):
    made = Host(tmp_path / "state")
    yield made
    made.results("restore", force=True)


def round_trip(host, system):
    """Apply, apply again without a change, restore to what was there."""
    facts, before = host.probe(system)
    plan = plan_state(system, facts, before)
    plan.check(root=True)
    done = host.converge(plan.cells)
    assert not [e for e in done.values() if e["outcome"] == "failed"], done
    facts, values = host.probe(system)
    again = plan_state(system, facts, values)
    assert {c.outcome for c in would_change(again, values)} <= {"ok"}
    twice = host.converge(again.cells)
    assert {e["outcome"] for e in twice.values()} <= {"ok", "ok (normalised)"}, twice
    back = host.results("restore", force=False)
    assert {e["outcome"] for e in back.values()} <= {"restored", "ok"}, back
    _, after = host.probe(system)
    assert after == before
    return done


def test_sysctls_in_a_network_of_their_own(network):
    system = {
        "sysctl": {
            "net.core.somaxconn": 1234,
            "net/ipv4/tcp_fin_timeout": "0x1e",
            "net.ipv4.tcp_rmem": "4096  131072 \t 6291456",
            "net.ipv4.ip_local_reserved_ports": "8080,8081,8082",
            "net.ipv4.ip_local_port_range": "20000 60000",
            "net.ipv4.tcp_syncookies": 0,
            "net.ipv4.conf.lo.rp_filter": 2,
        },
        "network": {"lo": {"mtu": 1400, "addresses": ["192.0.2.7/32"]}},
    }
    done = round_trip(network, system)
    assert done["sysctl:net.core.somaxconn"]["outcome"] == "changed"


def test_forwarding_brings_its_followers_back(network):
    keys = [
        "conf.all.accept_redirects",
        "conf.all.forwarding",
        "conf.default.forwarding",
        "conf.lo.forwarding",
    ]
    watched = {"sysctl": {f"net.ipv4.{key}": 1 for key in keys}}
    _, before = network.probe(watched)
    round_trip(network, {"sysctl": {"net.ipv4.ip_forward": 1}})
    _, after = network.probe(watched)
    assert after == before


def test_thp(host):
    if not Path("/sys/kernel/mm/transparent_hugepage/enabled").exists():
        pytest.skip("no THP")
    now = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    other = "never" if "[never]" not in now else "madvise"
    round_trip(host, {"transparent_hugepage": other})
    assert Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text() == now


def test_coupled_dirty_keys(host):
    names = ("dirty_bytes", "dirty_ratio", "dirty_background_bytes", "dirty_background_ratio")
    before = {name: Path("/proc/sys/vm", name).read_text() for name in names}
    round_trip(
        host, {"sysctl": {"vm.dirty_bytes": 64 << 20, "vm.dirty_background_bytes": 16 << 20}}
    )
    assert {name: Path("/proc/sys/vm", name).read_text() for name in names} == before


def test_aslr_and_clock(host):
    round_trip(
        host,
        {
            "aslr": "full",
            "clock_source": Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
            .read_text()
            .strip(),
        },
    )


def test_files(host, tmp_path):
    (tmp_path / "there").write_text("before")
    (tmp_path / "there").chmod(0o604)
    (tmp_path / "gone").symlink_to("nowhere")
    system = {
        "files": {
            f"{tmp_path}/there": {"content": "after\n", "mode": "0640"},
            f"{tmp_path}/a/b/new": {"content": ""},
            f"{tmp_path}/gone": {"absent": True},
            f"{tmp_path}/link": {"symlink": "there"},
        }
    }
    round_trip(host, system)
    assert (tmp_path / "there").read_text() == "before"
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "gone").readlink() == Path("nowhere")


def test_v1_groups(host, monkeypatch):
    own = f"runner-test{os.getpid()}"  # others may be at work in the usual one
    monkeypatch.setattr("runner.kinds.resources.cgroup.ROOT", own)
    facts, _ = host.probe({})
    if mounted(facts)[0] != 1:
        pytest.skip("no cgroup v1")
    made = Path(facts["cgroup.mounts"]["memory"], own)
    limits = {
        "memory.max": 33554433,
        "memory.swap.max": 0,
        "pids.max": 50,
        "cpuset.cpus": "0",
        "cpu.max": "50%",
    }
    system = {"cgroup": {"web": limits}}
    facts, before = host.probe(system)
    plan = plan_state(system, facts, before)
    done = host.converge(plan.cells)
    assert not [e for e in done.values() if e["outcome"] == "failed"], done
    group = made / "web"
    assert (group / "memory.limit_in_bytes").read_text() == "33554432\n"
    twice = host.converge(plan.cells)
    assert {e["outcome"] for e in twice.values()} <= {"ok", "ok (normalised)"}, twice
    host.results("restore", force=False)
    assert not made.exists()


def test_a_process_of_a_trial_group_is_limited(host, tmp_path):
    """The cells of limits_to_cells make a group that really limits."""
    facts, _ = host.probe({})
    version, mounts = mounted(facts)
    if version != 1:
        pytest.skip("no cgroup v1")
    join, cells = limits_to_cells(
        version,
        mounts,
        f"runner-test{os.getpid()}/t1",
        {"memory.max": "16MiB", "memory.swap.max": 0},
        facts=facts,
    )
    host.converge(cells)
    eat = f"open('{join[0]}/cgroup.procs','w').write('0'); x = bytearray(64 << 20)"
    code = subprocess.run([sys.executable, "-c", eat], check=False).returncode
    assert code == -9
    host.results("restore", force=False)
    assert not Path(join[0]).exists()


def test_a_file_that_comes_with_what_it_waits_for(host, tmp_path):
    """As a controller's file comes with the unit: no such file yet is not a fault."""
    folder = tmp_path / "unit"
    make = ["sh", "-c", f"mkdir {folder} && echo 0 > {folder}/limit"]
    unit = Cell(
        id="unit",
        via="argv",
        name="unit",
        read=("sh", "-c", f"test -d {folder} && echo active || echo inactive"),
        write={"active": make, "inactive": ["rm", "-r", str(folder)]},
        want="active",
    )
    limit = Cell(id="limit", via="pseudo", path=f"{folder}/limit", want="5", after=("unit",))
    done = host.converge([unit, limit])
    assert {e["outcome"] for e in done.values()} == {"changed"}, done
    assert (folder / "limit").read_text().strip() == "5"
    back = host.results("restore", force=False)
    assert {e["outcome"] for e in back.values()} <= {"restored", "ok"}, back
    assert not folder.exists()


def test_a_file_that_never_comes_is_said(host, tmp_path):
    unit = Cell(id="u", via="argv", name="u", read=("true",), write={"x": ["true"]}, want="x")
    limit = Cell(id="limit", via="pseudo", path=f"{tmp_path}/no/limit", want="5")
    done = host.converge([limit])
    assert "has no" in done["limit"]["why"]
    assert host.converge([unit])["u"]["outcome"] == "failed"
