"""A million samples (28 hours at 10 Hz) through store, analysis and report: time and memory.

The columns are those of every source, the numbers made up: counters that go round, three load
steps. Once as `apply` does with a trial of a remote host, packed while its events come; once as
lines of JSON to the end, which is what a record without DuckDB is. Both in one run, each in a
process of its own.
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

SAMPLES = 1_000_000
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


def measured(folder: str, samples: int, *, packed: bool) -> None:
    """Store, analyse and report; say the seconds of each, and the highest memory."""
    from runner.analysis.model import Analysis
    from runner.analysis.trial import frames, trial
    from runner.kinds.sources import fields
    from runner.records.events import decode
    from runner.records.steps import StepPlan
    from runner.report.pages import rebuild
    from runner.store import columns
    from runner.store.names import new_run_id
    from runner.store.packing import Packing
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

    at, name = 1_795_000_000.0, "all-r1-a1"
    run = RunFolder.create(
        Path(folder), "pipeline", run_id=new_run_id(at), at=at, spec_text="", spec=spec,
        manifest={"trials": {}},
    )  # fmt: skip
    run.write_facts({"local": facts})
    ahead = Packing(run.path / "events" / f"{name}.jsonl")
    with events.open("rb") as file:
        for line in file:
            run.append_line(name, line)
            event = decode(line)
            if packed:
                ahead.heard(event)
    run.close()
    lap(WHILE)
    if packed:
        run.pack(name, ahead)
        lap("store: the last row group, and all joined")
    else:
        columns.LEAST_BYTES = 10**15
    plan = trial.TrialPlan(
        name, "local", {}, 1, 1, tuple(StepPlan(n, str(n), 10) for n in range(3))
    )
    known = fields(facts)

    def analysed() -> Analysis:
        samples = run.samples(name)
        if samples is None:
            reading = frames.read(run.iter_events(name))
        else:
            reading = frames.read_packed(samples)
        one = trial.trial(reading, plan, known, (), ())
        assert one.outcome == "healthy", (one.outcome, one.why)
        return Analysis(trials=(one,), series=trial.series(reading, name, known))

    analysis = analysed()
    lap("analysis: read the events; steps, series")
    rebuild.write_analysis(run, analysis)
    run.finish("done", at=at + samples / HZ)
    lap("store: compress, choose what git gets")
    rebuild.rebuild(run)
    lap("report and figures")
    rebuild.write(run, analysed())
    lap(AGAIN)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    kept = sum(entry.bytes for entry in run.manifest.events.values())
    print(json.dumps({"took": took, "peak": peak, "packed": kept, "raw": events.stat().st_size}))


WHILE = "while events come: decode, append, flush; pack"
AGAIN = "afterwards: analysis and report again"


def after(found: dict) -> float:
    """Seconds from the last event stored to the report."""
    return sum(wall for name, (wall, _) in found["took"].items() if name not in (WHILE, AGAIN))


def table(title: str, found: dict) -> list[str]:
    rows = [f"### {title}", "", "| part | wall, s | CPU, s |", "|---|--:|--:|"]
    rows += [f"| {name} | {wall:.2f} | {cpu:.2f} |" for name, (wall, cpu) in found["took"].items()]
    return [
        *rows,
        f"| **from the last event to the report** | **{after(found):.2f}** | |",
        "",
        f"Events: {found['raw'] / 1e6:.0f} MB plain, {found['packed'] / 1e6:.1f} MB kept. "
        f"At most {found['peak'] / 1e6:.0f} MB of memory.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--lines", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measured(given.measure, given.samples, packed=not given.lines)
        return
    found = []
    with tempfile.TemporaryDirectory() as folder:
        with Path(folder, "events.jsonl").open("wb") as file:
            file.writelines(lines(given.samples))
        spec = next((ROOT / "reports" / "quickstart").glob("*/spec.expanded.json"))
        Path(folder, "spec.json").write_bytes(spec.read_bytes())
        argv = [sys.executable, "-m", "benchmarks.pipeline.run", "--measure", folder]
        argv += ["--samples", str(given.samples)]
        for more in ([], ["--lines"]):
            done = subprocess.run(
                [*argv, *more], cwd=ROOT, check=True, capture_output=True, text=True
            )
            found.append(json.loads(done.stdout.splitlines()[-1]))
    new, old = found
    again = new["took"][AGAIN][0]
    rows = [
        *table("Packed while it goes on", new),
        *table("Lines to the end", old),
        (
            f"- from the last event to the report in 4 s: {verdict(after(new) <= 4)} "
            f"({after(new):.1f} s; lines {after(old):.1f} s)"
        ),
        f"- in 350 MB: {verdict(new['peak'] <= 350e6)} ({new['peak'] / 1e6:.0f} MB)",
        f"- its report again in 1 s: {verdict(again <= 1)} ({again:.2f} s)",
        f"- record of 5 MB: {verdict(new['packed'] <= 5e6)} ({new['packed'] / 1e6:.1f} MB)",
    ]
    publish(
        "pipeline",
        f"{given.samples:,} samples through store, analysis and report",
        "python -m benchmarks.pipeline.run",
        "\n".join(rows),
    )


if __name__ == "__main__":
    main()
