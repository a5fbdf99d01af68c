"""What watching a host at 10 Hz costs, beside one process per sample; and under load 8."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.environment import publish, verdict
from runner.executor.agent import Agent
from runner.executor.probe import probe
from runner.kinds.sources import reads
from runner.transports.local import LocalTransport

HZ = 10
GROUP = Path("/sys/fs/cgroup/memory/runner-benchmark")


def trial(agent: Agent, facts: dict, name: str, seconds: float) -> dict:
    """Watch a sleeping program; give the sampler's own account and what the kernel says."""
    workload: dict = {"argv": ["sleep", "100000"], "listen": {"port": None}}
    if GROUP.parent.joinpath("cgroup.procs").exists() and os.geteuid() == 0:
        cell = {"id": "group", "via": "cgroup", "path": str(GROUP), "want": "present"}
        workload["cgroup"] = {"version": 1, "join": [str(GROUP)], "cells": [cell]}
    program = {
        "program": "trial", "trial": name, "hold": {"controller": "benchmark", "lease_s": None},
        "network": "host", "sample": {"hz": HZ, "reads": reads(facts, hz=HZ)},
        "workload": workload, "idle_s": seconds, "stop": {"signal": "TERM", "grace_s": 2},
    }  # fmt: skip
    found: dict = {}
    columns = 0
    supervisor = rows = 0
    began = (0.0, 0.0)
    for event in agent.run(program):
        if event["event"] == "columns":
            columns = len(event["names"])
        elif event["event"] == "idle_started":
            supervisor = _supervisor(agent, name)
            began = (_cpu(supervisor), time.monotonic())
        elif event["event"] == "sample" and supervisor:
            # now and then, since the supervisor is gone soon after its last sample
            rows += 1
            if rows % HZ == 0 and time.monotonic() - began[1] < seconds - 0.5:
                found["share"] = (_cpu(supervisor) - began[0]) / (time.monotonic() - began[1])
                found.update(_memory(supervisor))
        elif event["event"] == "sampler":
            found.update(event)
    return {**found, "columns": columns}


def _supervisor(agent: Agent, name: str) -> int:
    folder = Path(agent._state_dir or "", "runs", agent.run_id, name)
    return int((folder / "supervisor").read_text())


def _memory(pid: int) -> dict[str, int]:
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in {"VmHWM", "RssAnon", "RssFile"}:
            found[key] = int(value.split()[0]) * 1024
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found["Pss"] = int(rollup.partition("\nPss:")[2].split()[0]) * 1024
    return found


def _cpu(pid: int) -> float:
    # nanoseconds on a CPU, where /proc/PID/stat has ticks of 10 ms
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def one_exec_per_sample(facts: dict, seconds: float) -> tuple[float, int]:
    """Sample the usual way: every tick a shell that cats the same files. CPU seconds, ticks."""
    files = [r["path"] for r in reads(facts, hz=HZ) if r["path"]]
    there = [path.replace("{pid}", "self").replace("{cgroup}", str(GROUP.parent)) for path in files]
    there = [path for path in there if Path(path).exists()]
    command = ["sh", "-c", "cat " + " ".join(there)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = time.process_time()
    end, ticks = time.monotonic() + seconds, 0
    due = time.monotonic()
    while (now := time.monotonic()) < end:
        if now < due:
            time.sleep(due - now)
        subprocess.run(command, check=False, capture_output=True)
        ticks += 1
        due = max(due + 1 / HZ, time.monotonic())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent + time.process_time() - own, ticks


@contextlib.contextmanager
def burners(many: int):
    """Keep `many` processes busy."""
    loop = "while True: pass"
    running = [subprocess.Popen([sys.executable, "-I", "-S", "-c", loop]) for _ in range(many)]
    try:
        time.sleep(2)
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as state:
        agent = Agent(LocalTransport(), run_id="20260101T000000Z-abcdef", state_dir=state)
        facts = probe(agent).facts
        calm = trial(agent, facts, "calm", seconds)
        spent, ticks = one_exec_per_sample(facts, seconds)
        with burners(8):
            busy = trial(agent, facts, "busy", seconds)
        agent.transport.close()
    share = 100 * calm["share"]
    per_exec = 100 * spent / seconds
    rows = [
        "| | agent's sampler | agent's sampler, load 8 added | one exec per sample |",
        "|---|--:|--:|--:|",
        f"| CPU, % of a core | {share:.2f} | {100 * busy['share']:.2f} | {per_exec:.2f} |",
        f"| ticks in {seconds:g} s | {calm['ticks']} | {busy['ticks']} | {ticks} |",
        f"| missed ticks | {calm['missed']} | {busy['missed']} "
        f"| {max(0, round(seconds * HZ) - ticks)} |",
        f"| latest tick, ms | {calm['late_max_s'] * 1e3:.1f} | {busy['late_max_s'] * 1e3:.1f} | |",
        f"| RSS at most, MB | {calm['VmHWM'] / 1e6:.1f} | {busy['VmHWM'] / 1e6:.1f} | |",
        f"| of it anonymous, MB | {calm['RssAnon'] / 1e6:.1f} | {busy['RssAnon'] / 1e6:.1f} | |",
        f"| PSS, MB | {calm['Pss'] / 1e6:.1f} | {busy['Pss'] / 1e6:.1f} | |",
        "",
        f"{calm['columns']} columns. CPU is that of the trial's supervisor between start and end "
        "of the idle phase, from /proc/PID/schedstat. Beside it lives the process that copies "
        "the spool to the link.",
        "",
        f"- at most 1 % of a core: {verdict(share <= 1)} ({share:.2f} %)",
        f"- at most 12 MB: {verdict(calm['VmHWM'] <= 12e6)} ({calm['VmHWM'] / 1e6:.1f} MB)",
        f"- no missed ticks at load 8: {verdict(busy['missed'] == 0)} ({busy['missed']} of "
        f"{busy['ticks'] + busy['missed']})",
        f"- against one exec per sample: {per_exec / share:.0f} × less CPU",
    ]
    publish(
        "sampler",
        f"Sampling at {HZ} Hz",
        f"python -m benchmarks.sampler.run --seconds {seconds:g}",
        "\n".join(rows),
    )
    print(json.dumps({"calm": calm, "busy": busy}), file=sys.stderr)


if __name__ == "__main__":
    main()
