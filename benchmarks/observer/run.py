"""Whether watching changes what is watched: wrk under runner against bare wrk, in pairs.

One server process for all; each pair in a random order, seeded. Bare wrk has a session of
its own, as the generator has under runner: the kernel's autogroups give CPU time by
session, and on a busy machine that alone halves or doubles the throughput.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.environment import ROOT, publish, verdict
from runner.analysis.stats.intervals import hodges_lehmann, median_interval
from runner.executor.agent import Agent
from runner.executor.probe import probe
from runner.kinds.sources import reads
from runner.toolchain import BuildRequest, build, default_cache_dir, resolve
from runner.transports.local import LocalTransport
from tests.workers import free_port

HZ = 10
CONNECTIONS = 50
SEED = 20261123


def wrk(port: int, seconds: int) -> list[str]:
    where = f"http://127.0.0.1:{port}/ping"
    return ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", where]


def rate(text: str) -> float:
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def bare(port: int, seconds: int, *, own_session: bool = True) -> float:
    """wrk as from a terminal of its own: with autogroups the scheduler shares by session."""
    argv = wrk(port, seconds)
    done = subprocess.run(
        argv, check=True, capture_output=True, text=True, start_new_session=own_session
    )
    return rate(done.stdout)


def watched(agent: Agent, facts: dict, pid: int, port: int, seconds: int, name: str) -> float:
    """The same wrk as a step of a trial at 10 Hz: every source that a spec gets unasked."""
    text = json.dumps(reads(facts, hz=HZ, asked=()))
    text = text.replace("{pid}", str(pid)).replace("{port}", str(port))
    text = text.replace("{cgroup}", "/sys/fs/cgroup/memory")
    step = {
        "index": 0, "name": "load", "connections": CONNECTIONS, "argv": wrk(port, seconds),
        "timeout_s": seconds + 30,
    }  # fmt: skip
    program = {
        "program": "trial", "trial": name, "hold": {"controller": "benchmark", "lease_s": None},
        "network": "host", "sample": {"hz": HZ, "reads": json.loads(text)}, "workload": None,
        "load": {"steps": [step], "between": "keep"}, "stop": {"signal": "TERM", "grace_s": 2},
    }  # fmt: skip
    found = 0.0
    for event in agent.run(program):
        if event["event"] == "step_ended":
            found = rate(event["stdout"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--same-session", action="store_true", help="bare wrk in the server's")
    given = parser.parse_args()
    own = not given.same_session
    cache = default_cache_dir()
    request = BuildRequest(ROOT / "experiments/published/go-under-32mb/workloads", "./pingserver")
    made = build(request, resolve("1.22.10", cache), cache)
    order = random.Random(SEED)
    pairs = []
    port = free_port()
    server = subprocess.Popen([str(made.path), "-listen", f"127.0.0.1:{port}"])
    try:
        with tempfile.TemporaryDirectory() as state:
            agent = Agent(LocalTransport(), run_id="20260101T000000Z-abcdef", state_dir=state)
            facts = probe(agent).facts
            bare(port, given.seconds)
            watched(agent, facts, server.pid, port, 1, "warm")
            for n in range(given.pairs):
                first = order.random() < 0.5
                got = {}
                for kind in (first, not first):
                    if kind:
                        got["bare"] = bare(port, given.seconds, own_session=own)
                    else:
                        args = (server.pid, port, given.seconds, f"t{n}")
                        got["runner"] = watched(agent, facts, *args)
                pairs.append((got["bare"], got["runner"]))
            size = sum(f.stat().st_size for f in Path(state).rglob("spool.jsonl"))
    finally:
        server.kill()
        server.wait()
    ratios = [mine / other for other, mine in pairs]
    middle, pseudo = median_interval(ratios, 0.90), hodges_lehmann(ratios, 0.90)
    rows = ["| pair | bare wrk, 1/s | under runner, 1/s | ratio |", "|--:|--:|--:|--:|"]
    for n, (other, mine) in enumerate(pairs, 1):
        rows.append(f"| {n} | {other:.0f} | {mine:.0f} | {mine / other:.3f} |")
    rows += [
        "",
        f"Spread of bare wrk alone: {statistics.stdev(p[0] for p in pairs) / statistics.mean(p[0] for p in pairs):.1%} "
        f"(standard deviation). Samples written: {size / 1e6:.2f} MB.",
        "",
        f"- median ratio {middle.estimate:.3f}, {middle.level:.0%} interval "
        f"{middle.low:.3f} to {middle.high:.3f} ({middle.method}, n = {middle.n})",
        f"- pseudo-median {pseudo.estimate:.3f}, {pseudo.level:.0%} interval "
        f"{pseudo.low:.3f} to {pseudo.high:.3f} ({pseudo.method})",
        f"- at least 0.98: the estimate {verdict(middle.estimate >= 0.98)}, the whole interval "
        f"{verdict(middle.low >= 0.98)}",
    ]  # fmt: skip
    if given.same_session:
        print("\n".join(rows))
        return
    publish(
        "observer",
        f"Throughput under runner against bare wrk, {given.pairs} pairs",
        f"python -m benchmarks.observer.run --pairs {given.pairs} --seconds {given.seconds}",
        f"Go server `pingserver`, wrk with 1 thread and {CONNECTIONS} connections, "
        f"{given.seconds} s each, order within a pair drawn (seed {SEED}). Both wrk "
        "run in a session of their own, since the kernel shares CPU time by session (autogroup).\n\n"
        + "\n".join(rows),
    )


if __name__ == "__main__":
    main()
