"""How long the command line takes to answer, beside a bare interpreter, interleaved."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.environment import ROOT, publish, verdict

ROUNDS = 15
SPEC = ROOT / "experiments/published/go-under-32mb/max-connections-32mb.yaml"


def hundred_lines(folder: Path) -> Path:
    """Give a valid spec of 100 lines: the stepped experiment with more steps."""
    lines = SPEC.read_text().splitlines()
    at = max(i for i, line in enumerate(lines) if line.startswith("    - {connections:"))
    more = [f"    - {{connections: {1600 + n}, duration: 8s}}" for n in range(1, 200)]
    lines[at + 1 : at + 1] = more[: max(0, 100 - len(lines))]
    path = folder / "spec.yaml"
    path.write_text("\n".join(lines) + "\n")
    (folder / "workloads").symlink_to(ROOT / "experiments/published/go-under-32mb/workloads")
    return path


def main() -> None:
    runner = [sys.executable, "-m", "runner"]
    with tempfile.TemporaryDirectory() as name:
        spec = hundred_lines(Path(name))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "runner --help": [*runner, "--help"],
            "runner validate (100 lines)": [*runner, "validate", str(spec)],
        }
        walls: dict[str, list[float]] = {key: [] for key in commands}
        cpus: dict[str, list[float]] = {key: [] for key in commands}
        for _ in range(ROUNDS):
            for key, argv in commands.items():
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                began = time.perf_counter()
                subprocess.run(argv, check=True, capture_output=True, cwd=ROOT)
                walls[key].append(time.perf_counter() - began)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpus[key].append(
                    after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                )
    base = statistics.median(walls["python -c pass"])
    base_cpu = statistics.median(cpus["python -c pass"])
    rows = [
        "| command | wall, median | wall, fastest | CPU, median | wall ÷ bare | CPU ÷ bare |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for key in commands:
        wall, cpu = statistics.median(walls[key]), statistics.median(cpus[key])
        rows.append(
            f"| {key} | {wall * 1e3:.0f} ms | {min(walls[key]) * 1e3:.0f} ms | {cpu * 1e3:.0f} ms "
            f"| {wall / base:.1f} | {cpu / base_cpu:.1f} |"
        )
    help_s = statistics.median(walls["runner --help"])
    valid_s = statistics.median(walls["runner validate (100 lines)"])
    rows += [
        "",
        f"- `--help` in at most 150 ms: {verdict(help_s <= 0.15)} ({help_s * 1e3:.0f} ms)",
        f"- `--help` at most 8 × bare: {verdict(help_s / base <= 8)} ({help_s / base:.1f} ×)",
        (
            f"- `validate` of 100 lines in at most 400 ms: {verdict(valid_s <= 0.4)} "
            f"({valid_s * 1e3:.0f} ms)"
        ),
    ]
    publish(
        "startup",
        "Start of the command line",
        "python -m benchmarks.startup.run",
        f"{ROUNDS} rounds, the three commands in turn.\n\n" + "\n".join(rows),
    )


if __name__ == "__main__":
    main()
