"""Counters of perf_event_open: of a real process on this machine, with a PMU or without."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.host.sample import perf, sampler
from runner.kinds.sources import fields, reads
from tests.workers import kernel

CHILD = """
import mmap, sys, threading
sys.stdin.readline()
def work():
    block = mmap.mmap(-1, 8 << 20)
    for at in range(0, len(block), 4096):
        block[at] = 1
threads = [threading.Thread(target=work) for _ in range(2)]
[t.start() for t in threads]; [t.join() for t in threads]
print("done", flush=True)
sys.stdin.readline()
"""
HUGE = Path("/sys/kernel/mm/transparent_hugepage/enabled")
HARDWARE = [name for name, (kind, _) in perf.EVENTS.items() if kind != perf.SOFTWARE]


def has_pmu() -> bool:
    """perf lists a PMU of the CPU's where there is one: cpu, armv8_cortex_a72, …"""
    known = {"software", "tracepoint", "breakpoint", "kprobe", "uprobe", "msr", "power"}
    try:
        found = {path.name for path in Path("/sys/bus/event_source/devices").iterdir()}
    except OSError:
        return False
    return any(name == "cpu" or name.startswith(("armv", "cpu_")) for name in found - known)


@pytest.fixture
def child():
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.communicate("\n\n", timeout=10)


def rouse(process):
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


@kernel  # where pages are huge there are fewer faults
def test_faults_of_threads_that_start_later_are_counted(child):
    """Two threads touch 8 MiB each: 4096 pages, or fewer faults where pages are huge."""
    counters = perf.Counters(child.pid, ["page_faults", "task_clock", "context_switches"])
    if counters.why:
        pytest.skip(f"counters are not allowed here: {counters.why}")
    before = counters.values()
    rouse(child)
    after = counters.values()
    counters.close()
    faults = after[0] - before[0]
    assert faults >= 8
    assert faults >= 4000 or "[always]" in HUGE.read_text()
    assert 0 < after[1] - before[1] < 10e9  # ns


@pytest.mark.skipif(has_pmu(), reason="this CPU has a PMU")
def test_without_a_pmu_hardware_counters_are_absent_with_the_reason(child):
    said = []
    read = {"id": "perf", "path": "{pid}", "hz": 1, "pick": {"perf": list(perf.EVENTS)}}
    watcher = sampler.Sampler(
        [read], 1.0, time.monotonic(), lambda event, **f: said.append(f | {"event": event})
    )
    watcher.point({"pid": str(child.pid)})
    values = watcher.snapshot()
    watcher.close()
    absent = {one["id"]: one["reason"] for one in said if one["event"] == "absent"}
    for name in HARDWARE:
        assert values[f"perf.{name}"] is None
        assert absent[f"perf.{name}"] == "this CPU has no such counter, or its hypervisor hides it"
    assert values["perf.page_faults"] is not None


def test_hardware_counters_where_there_is_a_pmu(child):
    if not has_pmu():
        pytest.skip("no PMU here")
    counters = perf.Counters(child.pid, ["instructions", "cycles"])
    before = counters.values()
    rouse(child)
    after = counters.values()
    counters.close()
    assert all(b > a for a, b in zip(before, after, strict=True))


def test_a_process_that_is_gone_is_an_os_error():
    with pytest.raises(FileNotFoundError):
        perf.Counters(2**22 - 3, ["page_faults"])


def test_what_a_forbidden_counter_says(monkeypatch):
    monkeypatch.setattr(perf, "_perf_event_open", lambda *_: (-1, 13))
    counters = perf.Counters(os.getpid(), ["cycles"])
    assert counters.values() == [None]
    assert "perf_event_paranoid" in counters.why["cycles"]


def test_costly_sources_are_read_on_demand_alone():
    def families(found):
        return {read["id"].partition(".")[0] for read in found}

    usual = families(reads({}, hz=10, asked=frozenset()))
    assert not {"perf", "vmstat"} & usual
    assert families(reads({}, hz=10, asked={"perf", "vmstat"})) == usual | {"perf", "vmstat"}
    assert "perf.instructions" not in fields({}, ())
    assert "perf.instructions" in fields({})
