"""Twelve hours of samples at 10 Hz through store, analysis and report: time and memory.

The record is that of a real trial: the columns of the committed quickstart run's
sources on this host, 432,000 rows of them, three load steps over the twelve hours.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.environment import ROOT, publish, verdict

SAMPLES = 432_000
HZ = 10


def lines(samples: int):
    """The events of one trial as the host would send them, one by one."""
    from runner.kinds.sources import reads

    facts = {
        "cgroup.version": 1,
        "cgroup.mounts": {"memory": "/sys/fs/cgroup/memory"},
        "clock_ticks": 100,
    }
    from runner.host.sample.extract import columns

    wanted = reads(facts, hz=HZ)
    names = [
        (name, read.get("hz", HZ)) for read in wanted for name in columns(read["id"], read["pick"])
    ]
    at = 1_795_000_000.0

    def line(event: str, t: float, **more: object) -> bytes:
        said = {"event": event, "at": round(at + t, 6), "t": round(t, 6), **more}
        return json.dumps(said, separators=(",", ":")).encode() + b"\n"

    yield line("trial_started", 0.0, monotonic=1.0)
    yield line("columns", 0.0, names=[name for name, _ in names])
    rest = [max(1, round(HZ / hz)) for _, hz in names]
    third = samples // 3
    for n in range(samples):
        t = n / HZ
        if n % third == 0 and n // third < 3:
            yield line("step_started", t, index=n // third, name=str(n // third))
            yield line("measure_started", t, index=n // third)
        row = [
            None if n % every else (1_000_000 + 4096 * ((n * (i + 7)) % 2000) + n)
            for i, every in enumerate(rest)
        ]
        yield line("sample", t + 0.000123, v=row)
        if n % third == third - 1 and n // third < 3:
            yield line(
                "step_ended", t + 0.01, index=n // third, exit=0, signal=None, stdout="", stderr="",
                wall_s=third / HZ, cpu_s=10.0, max_established=10, timed_out=False,
                at_start={}, at_end={},
            )  # fmt: skip
    yield line("sampler", samples / HZ, ticks=samples, missed=0, cpu_s=100.0)
    yield line("end", samples / HZ, ok=True, error=None)


def measured(folder: str, samples: int) -> None:
    """Store, analyse and report; say the seconds of each, and the highest memory."""
    from runner.analysis.model import Analysis
    from runner.analysis.trial import frames, trial
    from runner.kinds.generators.interface import StepPlan
    from runner.kinds.sources import fields
    from runner.report.pages import rebuild
    from runner.store.names import new_run_id
    from runner.store.record import RunFolder

    spec = json.loads(Path(folder, "spec.json").read_text())
    events = Path(folder, "events.jsonl")
    facts = {"cgroup.version": 1, "cgroup.mounts": {"memory": "/sys/fs/cgroup/memory"}}
    took: dict[str, tuple[float, float]] = {}
    began = (time.perf_counter(), time.process_time())

    def lap(name: str) -> None:
        nonlocal began
        now = (time.perf_counter(), time.process_time())
        took[name] = (now[0] - began[0], now[1] - began[1])
        began = now

    at = 1_795_000_000.0
    run = RunFolder.create(
        Path(folder), "pipeline", run_id=new_run_id(at), at=at, spec_text="", spec=spec,
        manifest={"trials": {}},
    )  # fmt: skip
    run.write_facts({"local": facts})
    with events.open("rb") as file:
        for line in file:
            run.append_line("all-r1-a1", line)
    run.close()
    lap("store: append, flushed line by line")
    reading = frames.read(run.iter_events("all-r1-a1"))
    lap("analysis: read the events")
    plan = trial.TrialPlan(
        "all-r1-a1", "local", {}, 1, 1,
        tuple(StepPlan(n, str(n), 10) for n in range(3)),
    )  # fmt: skip
    known = fields(facts)
    one = trial.trial(reading, plan, known, (), ())
    series = trial.series(reading, "all-r1-a1", known)
    analysis = Analysis(trials=(one,), series=series)
    lap("analysis: steps, series")
    rebuild.write_analysis(run, analysis)
    run.finish("done", at=at + samples / HZ)
    lap("store: compress, choose what git gets")
    rebuild.rebuild(run)
    lap("report and figures")
    assert one.outcome == "healthy", (one.outcome, one.why)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    kept = sum(entry.bytes for entry in run.manifest.events.values())
    print(json.dumps({"took": took, "peak": peak, "packed": kept, "raw": events.stat().st_size}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measured(given.measure, given.samples)
        return
    with tempfile.TemporaryDirectory() as folder:
        with Path(folder, "events.jsonl").open("wb") as file:
            file.writelines(lines(given.samples))
        spec = next((ROOT / "reports" / "quickstart").glob("*/spec.expanded.json"))
        Path(folder, "spec.json").write_bytes(spec.read_bytes())
        argv = [sys.executable, "-m", "benchmarks.pipeline.run", "--measure", folder]
        argv += ["--samples", str(given.samples)]
        done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    total = sum(wall for wall, _ in found["took"].values())
    cpu = sum(cpu for _, cpu in found["took"].values())
    rows = ["| part | wall, s | CPU, s |", "|---|--:|--:|"]
    rows += [f"| {name} | {wall:.2f} | {cpu:.2f} |" for name, (wall, cpu) in found["took"].items()]
    rows += [
        f"| **all** | **{total:.2f}** | **{cpu:.2f}** |",
        "",
        f"Events: {found['raw'] / 1e6:.0f} MB plain, {found['packed'] / 1e6:.1f} MB compressed.",
        "",
        (
            f"- under 20 s: {verdict(total < 20)} ({total:.1f} s of wall, "
            f"{cpu:.1f} s of CPU, one thread)"
        ),
        f"- under 500 MB: {verdict(found['peak'] < 500e6)} ({found['peak'] / 1e6:.0f} MB at most)",
    ]
    publish(
        "pipeline",
        f"{given.samples:,} samples through store, analysis and report",
        "python -m benchmarks.pipeline.run",
        "\n".join(rows),
    )


if __name__ == "__main__":
    main()
