"""A realistic record, written by hand: three steps at 32 MiB, the last one unhealthy."""

import math

from runner.analysis.model import (
    Analysis,
    ClaimResult,
    Estimate,
    RuleResult,
    Series,
    Step,
    Trial,
)
from runner.records.changes import CellChange
from runner.records.manifest import manifest_of
from runner.spec.experiment import Experiment

MIB = 2.0**20
AT = 1_795_000_000.0
LIMIT = 32 * 1024 * 1024

MANIFEST = {
    "schema": "run/1",
    "id": "20261118T110640Z-00beef",
    "experiment": "quickstart",
    "state": "done",
    "started_at": AT,
    "ended_at": AT + 98,
    "why": "",
    "command": ["runner", "apply", "experiments/quickstart.yaml", "-e", "note=two words"],
    "spec": {"path": "experiments/quickstart.yaml", "sha256": "5e" * 32, "committed": True},
    "git": {"commit": "324d64b0" * 5, "dirty": False, "changed": [], "why": ""},
    "tools": {
        "runner": {"version": "0.1.0"},
        "python": {"version": "3.11.2"},
        "wrk": {"argv": ["wrk", "-v"], "version": "wrk debian/4.1.0-3+b2 [epoll]"},
        "go": {"argv": ["go", "version"], "version": None, "why": "No such file or directory"},
    },
    "events": {
        "base-r1-a1": {"file": "events/base-r1-a1.jsonl.gz", "bytes": 41000, "sha256": "aa" * 32, "committed": True},
        "base-r1-a2": {"file": "events/base-r1-a2.jsonl.gz", "bytes": 52000, "sha256": "bb" * 32, "committed": True},
        "base-r2-a1": {"file": "events/base-r2-a1.jsonl.gz.raw", "bytes": 2_400_000, "sha256": "cc" * 32, "committed": False},
    },
}  # fmt: skip


def manifest(**changes):
    return manifest_of({**MANIFEST, **changes})


SPEC = {
    "schema": "experiment/1",
    "name": "quickstart",
    "title": "A Go HTTP server under 32 MiB, three load steps",
    "description": "The smallest whole experiment.",
    "source": {
        "title": "Go语言在边缘计算设备的内存天花板",
        "section": "1",
        "read_on": "2026-11-22",
    },
    "hosts": {"server": "local"},
    "build": {"go": "1.22.10", "package": "./workloads/pingserver"},
    "workload": {
        "argv": ["{binary}", "-listen", "127.0.0.1:{port}"],
        "cgroup": {"memory.max": "32MiB"},
        "limits": {"nofile": 16384},
    },
    "load": {
        "generator": "wrk",
        "url": "http://127.0.0.1:{port}/ping",
        "steps": [
            {"connections": 10, "duration": "8s"},
            {"connections": 50, "duration": "8s"},
            {"connections": 100, "duration": "8s"},
        ],
    },
    "healthy": [
        "load.error_ratio <= 0.001",
        "load.latency_p99 <= 500ms",
        "cgroup.oom_kills == 0",
    ],
    "repeat": 2,
}


def experiment(**changes):
    return Experiment.model_validate({**SPEC, **changes})


FACTS = {
    "local": {
        "arch": "x86_64",
        "board.model": None,
        "cgroup.version": 1,
        "cgroup.controllers": ["cpu", "cpuset", "memory", "pids"],
        "cpu.count": 8,
        "cpu.model": "Example CPU @ 2.40GHz",
        "kernel.release": "6.1.0-18-amd64",
        "memory.total_bytes": 16_624_377_856,
        "os.name": "Debian GNU/Linux 12 (bookworm)",
        "swap.total_bytes": 0,
        "transparent_hugepage": "madvise",
        "absent": {
            "board.model": "no /proc/device-tree/model",
            "cpu.governor": "no cpufreq on this host",
        },
    }
}

CHANGES = [
    CellChange(host="local", id="sysctl:vm.swappiness", outcome="changed", before="60", after="10"),
    CellChange(host="local", id="sysctl:net.core.somaxconn", outcome="ok", before="4096", after="4096"),
    CellChange(host="local", id="cgroup:runner/quickstart", outcome="changed", after="present"),
    CellChange(phase="restore", host="local", id="cgroup:runner/quickstart", outcome="restored", before="present"),
    CellChange(phase="restore", host="local", id="sysctl:vm.swappiness", outcome="restored", before="10", after="60"),
]  # fmt: skip

RULES = ("load.error_ratio <= 0.001", "load.latency_p99 <= 500ms", "cgroup.oom_kills == 0")


def step(index, connections, rps, p99, rss, *, outcome="healthy", broken=None, start=2.0, **more):
    rules = tuple(
        RuleResult(rule, not (broken and rule == broken[0]), broken[1] if broken and rule == broken[0] else "0")
        for rule in RULES
    )  # fmt: skip
    numbers = {
        "load.connections": connections,
        "load.established": connections,
        "load.rps": rps,
        "load.latency_p50": p99 / 6,
        "load.latency_p90": p99 / 2.5,
        "load.latency_p99": p99,
        "load.latency_max": p99 * 3.1,
        "load.errors": 0,
        "load.errors.connect": 0,
        "load.errors.read": 0,
        "load.errors.write": 0,
        "load.errors.timeout": 0,
        "load.errors.status": 0,
        "load.error_ratio": 0.0,
        "procfs.rss": rss * MIB,
        "cgroup.peak": min(32.0, rss * 1.04 + 5) * MIB,
        "cgroup.oom_kills": 0,
        **more,
    }
    begin = start + index * 10
    return Step(index, str(connections), connections, begin, begin + 8.0, outcome, rules, numbers)


def trial(name, repetition, attempt, wobble, *, outcome="unhealthy", why="step 100 was unhealthy"):
    steps = (
        step(0, 10, 41_832.4 * wobble, 0.000_912 * wobble, 11.2),
        step(1, 50, 43_120.0 * wobble, 0.004_81 * wobble, 14.9),
        step(
            2,
            100,
            38_077.25 * wobble,
            0.611_9 * wobble,
            22.75,
            outcome="unhealthy",
            broken=("load.latency_p99 <= 500ms", "612 ms"),
            **{"load.errors.timeout": 12, "load.errors.read": 3, "load.errors": 15},
        ),
    )
    return Trial(
        id=name,
        host="local",
        treatment={},
        repetition=repetition,
        attempt=attempt,
        outcome=outcome,
        why=why,
        started_at=AT + 5,
        steps=steps if outcome != "invalid" else (),
        guards=(RuleResult("load.cpu <= 85%", outcome != "invalid", "97 %"),),
        sampler={
            "ticks": 320,
            "missed": 0,
            "cpu_s": 0.21,
            "wall_s": 32.0,
            "max_rss_bytes": 9_800_000,
        },
        limit_bytes=LIMIT,
    )


def series(name, wobble):
    t = tuple(i / 10 for i in range(320))

    def memory(now, base, gain):
        level = base + gain * (1 - math.exp(-now / 9)) + 0.4 * math.sin(now * 2.1) * wobble
        return round(level * MIB)

    rss = tuple(memory(now, 8.5, 15.0) if now > 0.3 else None for now in t)
    usage = tuple(min(LIMIT, memory(now, 11.0, 22.5)) for now in t)
    return (
        Series(name, "procfs.rss", "B", t, rss),
        Series(name, "cgroup.usage", "B", t, usage),
    )


CLAIMS = (
    ClaimResult(
        id="1.1",
        section="1",
        quote="最大健康并发连接数为87–92个",
        published="87 – 92 connections",
        verdict="contradicted",
        reason="the 95 % interval [141, 158] lies wholly above the range with its margin [86, 93]",
        estimate=149.0,
        unit="connections",
        interval=(143.0, 156.0),
        n=6,
        values=(143.0, 146.0, 148.0, 150.0, 153.0, 156.0),
        region=(86.0, 93.0),
        trials=("base-r1-a2", "base-r2-a1"),
    ),
    ClaimResult(
        id="1.2",
        section="1",
        quote="当进程RSS稳定压至32MB边界",
        published="32 MB",
        verdict="not comparable",
        reason="board.model and cgroup.version differ from what the claim declares",
        estimate=22.75 * MIB,
        unit="MB",
        interval=(22.4 * MIB, 23.3 * MIB),
        n=5,
        values=(22.4 * MIB, 22.6 * MIB, 22.75 * MIB, 23.0 * MIB, 23.3 * MIB),
        region=(28.8e6, 35.2e6),
        facts=(
            ("board.model", "Raspberry Pi 4 Model B", "", False),
            ("cgroup.version", "1", "1", True),
            ("build.go", "", "1.22.10", None),
        ),
        trials=("base-r1-a2",),
        required=False,
    ),
    ClaimResult(
        id="1.11",
        section="1",
        quote="内存映射热力图显示",
        published="a figure",
        verdict="not testable",
        reason="the figure is not published",
    ),
)

ESTIMATES = (
    Estimate("throughput", "1/s", {}, "10", (41832.4, 42011.0), 2, 41921.7, None, None, "n = 2: an interval needs 5"),
    Estimate("rss", "MiB", {}, "100", (22.75 * MIB,) * 5, 5, 22.75 * MIB, (22.4 * MIB, 23.3 * MIB), 0.9375),
    Estimate("gc_pause", "ms", {}, "10", (None,), 1, None, None, None, "no garbage collection ran"),
)  # fmt: skip

SEARCH = {
    "what": "connections",
    "unit": "connections",
    "half": 148.6,
    "interval": [143.0, 156.0],
    "monotone": True,
    "searches": [
        {"repetition": i, "level": level, "last_passing": level - 2, "first_failing": level + 1, "trials": 21 + i, "ended": "bracket of 2 %"}
        for i, level in enumerate((143, 146, 148, 150, 153, 156), 1)
    ],
    "levels": [
        {"level": 8, "passes": 6, "trials": 6},
        {"level": 64, "passes": 6, "trials": 6},
        {"level": 128, "passes": 17, "trials": 18},
        {"level": 144, "passes": 20, "trials": 26},
        {"level": 152, "passes": 9, "trials": 24},
        {"level": 160, "passes": 1, "trials": 12},
        {"level": 256, "passes": 0, "trials": 6},
    ],
    "curve": [[x, 1 / (1 + math.exp((x - 148.6) / 4.2))] for x in range(100, 201, 1)],
    "notes": ["two failures at 128 did not repeat"],
}  # fmt: skip


def analysis(**changes):
    found = {
        "trials": (
            trial("base-r1-a1", 1, 1, 1.0, outcome="invalid", why="guard load.cpu <= 85% broke: was 97 %"),
            trial("base-r1-a2", 1, 2, 1.0),
            trial("base-r2-a1", 2, 1, 1.013),
        ),
        "estimates": ESTIMATES,
        "claims": CLAIMS,
        "series": (*series("base-r1-a2", 1.0), *series("base-r2-a1", 0.6)),
        "search": SEARCH,
        "notes": ("wrk corrects latency for coordinated omission.",),
    }  # fmt: skip
    return Analysis(**{**found, **changes})
