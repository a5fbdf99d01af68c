"""Every kind there is: applied, applied again without a change, put back; or why not here.

`pytest -rs` lists the kinds that this host has not got, in the words of their plan.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runner.kinds.resources import kinds
from runner.kinds.resources.cgroup import mounted
from runner.planning.state import plan_state, with_sources
from tests.kinds.resources.conftest import Host
from tests.workers import kernel

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="changes kernel values"),
    kernel,
]

# what has no way back, and what a kind needs that no test may do to its host
ELSEWHERE = {
    "kernel_cmdline": "reboots: tests/apply/test_reboot.py, tests/board/test_reboot.py",
}


def first(path: str, fallback: str = "") -> str:
    file = Path(path)
    return file.read_text().strip() if file.exists() else fallback


def swap_file(folder: Path) -> dict:
    file = folder / "swap"
    file.write_bytes(bytes(1 << 20))
    file.chmod(0o600)
    subprocess.run(["mkswap", "-q", str(file)], check=True)
    return {str(file): {"priority": 3}}


def files(folder: Path) -> dict:
    (folder / "there").write_text("before")
    (folder / "there").chmod(0o4711)
    (folder / "gone").symlink_to("nowhere")
    return {
        f"{folder}/there": {"content": "after\n", "mode": "0640", "owner": "nobody",
                            "xattrs": {"user.colour": "blue"}},
        f"{folder}/a/b/new": {"content": ""},
        f"{folder}/gone": {"absent": True},
        f"{folder}/link": {"symlink": "there"},
        f"{folder}/folder": {"directory": True, "mode": "0711"},
    }  # fmt: skip


def other_clock() -> str:
    folder = "/sys/devices/system/clocksource/clocksource0"
    now = first(f"{folder}/current_clocksource")
    return next((c for c in first(f"{folder}/available_clocksource").split() if c != now), now)


# by kind: a payload that changes something, with the values that a kernel or a tool shows in
# another form than they were written in
PAYLOADS = {
    "actions": lambda _: ["sync"],
    "aslr": lambda _: "conservative",
    "cgroup": lambda _: {
        "web": {
            "memory.max": 33554433, "memory.swap.max": 0, "pids.max": 50, "cpuset.cpus": "0,1",
            "cpu.max": "50%",
        }
    },
    "clock_source": lambda _: other_clock(),
    "cpu_frequency": lambda _: "1GHz",
    "cpu_governor": lambda _: "performance",
    "files": files,
    "hugepages": lambda _: {"2MiB": 2},
    "kernel_module": lambda _: {"loaded": ["sch_netem"]},
    "network": lambda _: {
        "lo": {"mtu": 1400, "addresses": ["192.0.2.7/32", "2001:DB8:0::7/128"],
               "qdisc": "tbf rate 8mbit burst 32kbit latency 400ms"}
    },
    "nofile": lambda _: int(first("/proc/sys/fs/nr_open", "1048576")) + 8,
    "packages": lambda _: ["coreutils"],
    "services": lambda _: {"stopped": ["no-such-unit"]},
    "swap": swap_file,
    "sysctl": lambda _: {
        "net/ipv4/tcp_fin_timeout": "0x1e",
        "net.ipv4.tcp_rmem": "4096  131072 \t 6291456",
        "net.ipv4.ip_local_reserved_ports": "8080,8081,8082",
        "net.ipv4.tcp_syncookies": 0,
    },
    "sysfs": lambda _: {
        "/sys/kernel/mm/ksm/sleep_millisecs": int(first("/sys/kernel/mm/ksm/sleep_millisecs", "20"))
        + 7
    },
    "templates": lambda folder: {f"{folder}/t": {"src": "t.j2", "vars": {"port": 80}}},
    "transparent_hugepage": lambda _: {
        "defrag": "never" if "[never]" not in first(
            "/sys/kernel/mm/transparent_hugepage/defrag") else "madvise"
    },
}  # fmt: skip


def test_no_kind_is_left_out():
    assert set(PAYLOADS) | set(ELSEWHERE) == set(kinds())


def outcomes(results: dict) -> set[str]:
    return {event["outcome"] for event in results.values()}


@pytest.fixture
def here(network: Host):
    yield network
    network.results("restore", force=True)


@pytest.mark.parametrize("kind", PAYLOADS)
def test_twice_changes_nothing_and_restore_gives_back(kind, here, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.kinds.resources.cgroup.ROOT", f"runner-test{os.getpid()}")
    declared = {kind: kinds()[kind].Model.model_validate(PAYLOADS[kind](tmp_path))}
    system = with_sources(declared, {"t.j2": b"port={{ port }}\r\n"})
    facts, before = here.probe(system)
    plan = plan_state(system, facts, before)
    for reasons in (plan.skipped, plan.unknown):
        if kind in reasons:
            pytest.skip(f"{kind}: {reasons[kind]}")
    if kind in plan.refused:
        pytest.skip(f"{kind}: {plan.refused[kind].why}")
    cells = [*plan.packages, *plan.cells, *plan.actions]
    assert cells
    done = here.converge(cells)
    assert "failed" not in outcomes(done), done
    if plan.actions:
        return  # done each time that is asked for, and nothing to put back
    assert "changed" in outcomes(done) or kind in {"packages", "services"}, done
    facts, now = here.probe(system)
    again = plan_state(system, facts, now)
    twice = here.converge([*again.packages, *again.cells])
    assert outcomes(twice) <= {"ok", "ok (normalised)"}, twice
    back = here.results("restore", force=False)
    assert outcomes(back) <= {"restored", "ok"}, back
    _, after = here.probe(system)
    assert after == before
    if kind == "cgroup":
        _, mounts = mounted(facts)
        assert not any(Path(m, f"runner-test{os.getpid()}").exists() for m in mounts.values())
