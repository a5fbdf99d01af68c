"""What a program took: wall and CPU time of 2 ms and more, memory, against the kernel's own count."""

import json
import statistics
import subprocess
import sys
import time

import pytest

SPEC = """\
schema: experiment/1
name: wall
workload: {{argv: {argv}, run: once}}
repeat: {repeat}
metrics:
  wall: {{from: workload.wall, unit: ms}}
  cpu: {{from: workload.user_cpu, unit: ms}}
  system: {{from: workload.system_cpu, unit: ms}}
  rss: {{from: workload.max_rss, unit: MiB}}
  faults: {{from: workload.minor_faults}}
  switches: {{from: workload.voluntary_switches}}
"""


def measured(local, argv, repeat=3):
    found = local.apply(local.spec(SPEC.format(argv=json.dumps(argv), repeat=repeat)))
    (folder,) = local.reports.glob("wall/2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    assert {trial["outcome"] for trial in found["trials"]} == {"healthy"}
    return {one["metric"]: one for one in analysis["estimates"]}


def test_a_sleep_is_as_long_as_it_is(local):
    found = measured(local, ["sleep", "0.25"])
    assert 0.25 <= found["wall"]["median"] < 0.30
    assert found["cpu"]["median"] < 0.05
    assert found["switches"]["median"] >= 1


def test_a_program_of_two_milliseconds_is_told_from_one_of_twelve(local):
    """Ten repetitions each; the difference is that of the sleeps, within a millisecond."""
    short = measured(local, ["sleep", "0.002"], 10)["wall"]["values"]
    for folder in local.reports.glob("wall/*"):
        folder.rename(folder.with_name("x" + folder.name))
    long = measured(local, ["sleep", "0.012"], 10)["wall"]["values"]
    assert statistics.median(long) - statistics.median(short) == pytest.approx(0.010, abs=0.001)
    assert min(short) >= 0.002


def test_cpu_and_memory_are_those_that_the_kernel_counts(local):
    code = "x = bytearray(60 << 20); x[::4096] = b'1' * len(x[::4096]); sum(range(2_000_000))"
    found = measured(local, [sys.executable, "-c", code])
    before = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True)
    assert found["wall"]["median"] <= 5 * (time.monotonic() - before)
    assert 0 < found["cpu"]["median"] <= found["wall"]["median"]
    assert 60 << 20 < found["rss"]["median"] < 120 << 20
    assert found["faults"]["median"] > (60 << 20) // 4096 * 0.2


def test_a_program_smaller_than_the_agent_has_no_peak_and_says_why(local):
    found = measured(local, ["sleep", "0.01"])
    assert found["rss"]["values"] == [None, None, None]
    assert "smaller than the agent" in found["rss"]["why"]


def test_children_that_it_waited_for_are_counted(local):
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(5_000_000))'])"
    found = measured(local, [sys.executable, "-c", code])
    alone = measured_alone(code)
    assert found["cpu"]["median"] >= 0.3 * alone


def measured_alone(code):
    import os

    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], dict(os.environ))
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime
