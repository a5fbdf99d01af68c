"""The workload's /proc files: what the sampler reads of a real process, by the names of the source."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from runner.host.sample.sampler import Sampler
from runner.kinds.sources import fields, reads

MAPS_8_MIB = "import mmap, sys; m = mmap.mmap(-1, 8 << 20); m.write(b'x' * (8 << 20)); print(1, flush=True); sys.stdin.read()"


def sampled(pid: int) -> dict[str, float]:
    """One tick of every read of procfs, in the units of its fields."""
    facts = {"page_bytes": os.sysconf("SC_PAGE_SIZE"), "clock_ticks": os.sysconf("SC_CLK_TCK")}
    said: list[tuple[str, dict]] = []
    wanted = [read for read in reads(facts, hz=10) if read["id"].startswith("procfs.")]
    sampler = Sampler(
        wanted, 10, time.monotonic(), lambda event, **more: said.append((event, more))
    )
    sampler.point({"pid": str(pid)})
    found = sampler.snapshot()
    sampler.close()
    assert not said, "nothing is absent"
    return {
        name: found[field.column] * field.scale
        for name, field in fields(facts).items()
        if name.startswith("procfs.")
    }


def test_statm_agrees_with_status_of_the_same_process():
    """Shared pages are those of files and shared memory; data holds what was mapped there."""
    with subprocess.Popen(
        [sys.executable, "-I", "-c", MAPS_8_MIB], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        found = sampled(process.pid)
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        process.stdin.close()
    status = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    shared = 1024 * (int(status["RssFile"]) + int(status["RssShmem"]))
    assert found["procfs.shared"] == shared
    assert shared > 8 << 20  # the anonymous shared mapping is in it, and not in `rss_anon`
    assert found["procfs.rss_anon"] < found["procfs.rss"] - (8 << 20)
    assert found["procfs.text"] == 1024 * int(status["VmExe"])
    assert found["procfs.data"] == 1024 * (int(status["VmData"]) + int(status["VmStk"]))
    assert found["procfs.vm_size"] == 1024 * int(status["VmSize"])
    assert found["procfs.hugetlb"] == 0
    assert found["procfs.threads"] == 1
