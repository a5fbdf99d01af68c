"""All processes of a workload together, as a real tree of them has it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runner.host.sample import tree

CODE = """
import os, sys, time
kept = bytearray(b'x' * (16 << 20))
for _ in range(2):
    if os.fork() == 0:
        end = time.process_time() + 0.2
        while time.process_time() < end: pass
        print('busy', flush=True)
        sys.stdin.read()
        os._exit(0)
print('up', flush=True)
os.wait(); os.wait()
"""
NAMES = ["user", "system", "threads", "rss_pages", "processes", "minor_faults"]


@pytest.fixture
def workers():
    """A parent of 16 MiB with two children that have used 0.2 s of CPU each."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", CODE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert sorted(process.stdout.readline() for _ in range(3)) == ["busy\n", "busy\n", "up\n"]
        yield process
        process.stdin.close()


def others(process) -> set[int]:
    return set(tree.children(os.getpid())) - {process.pid}


def test_workers_count_with_their_parent(workers):
    found = dict(zip(NAMES, tree.totals(NAMES, lambda: others(workers)), strict=True))
    assert found["processes"] == 3
    assert found["threads"] == 3
    assert (found["user"] + found["system"]) / os.sysconf("SC_CLK_TCK") >= 0.35
    assert found["rss_pages"] * os.sysconf("SC_PAGE_SIZE") > 16 << 20
    (pss,) = tree.totals([tree.PSS], lambda: others(workers))
    # what the three share is counted once
    assert 16 << 10 < pss < found["rss_pages"] * os.sysconf("SC_PAGE_SIZE") >> 10


def test_what_is_ours_is_not_the_workloads(workers):
    """The generator beside it, with all that is below."""
    nobody = tree.totals(NAMES, lambda: {*others(workers), workers.pid})
    assert nobody == [None] * len(NAMES)


def test_cpu_time_of_children_that_ended_stays():
    code = CODE.replace("os.wait(); os.wait()", "os.wait(); os.wait(); print('over', flush=True); "
                        "time.sleep(60)")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        for _ in range(3):
            process.stdout.readline()
        process.stdin.close()
        assert process.stdout.readline() == "over\n"
        found = dict(zip(NAMES, tree.totals(NAMES, lambda: others(process)), strict=True))
        process.kill()
    assert found["processes"] == 1
    assert (found["user"] + found["system"]) / os.sysconf("SC_CLK_TCK") >= 0.35
