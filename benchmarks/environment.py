"""What a table of numbers was measured on, for the head of every results.md."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment() -> str:
    """Give the lines that stand above the numbers."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"- {cpu}, {os.cpu_count()} CPUs, {memory:.1f} GB, Linux {platform.release()}, "
        f"{platform.machine()}\n"
        f"- Python {platform.python_version()}, commit {commit or 'unknown'}\n"
        f"- load average before: {os.getloadavg()[0]:.1f} (other work runs on this machine: "
        "ratios within one run count, not absolute times)\n"
    )


def publish(folder: str, title: str, command: str, body: str) -> None:
    """Write benchmarks/<folder>/results.md and print it."""
    text = f"# {title}\n\n`{command}`\n\n{START}\n{body.rstrip()}\n"
    (ROOT / "benchmarks" / folder / "results.md").write_text(text)
    sys.stdout.write(text)


START = environment()


def verdict(ok: bool) -> str:
    """Say whether a target was reached."""
    return "reached" if ok else "**missed**"
