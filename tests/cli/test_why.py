"""Why two runs differ: a planted cause among ten harmless differences is found, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers import kernel

pytestmark = [
    kernel,
    pytest.mark.skipif(os.geteuid() != 0, reason="applies state, as root"),
]
RUNNER = [sys.executable, "-m", "runner"]
PROBE = """\
import json, os, socket
theirs = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
theirs.bind(f"\\0why-{os.getpid()}")
ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ours.setblocking(False)
there = 0
try:
    while True:
        ours.sendto(b"x", theirs.getsockname())
        there += 1
except BlockingIOError:
    pass
print(json.dumps({"fit": there}))
"""
"""How many datagrams wait in a socket is bound by net.unix.max_dgram_qlen."""
CAUSE = "net.unix.max_dgram_qlen"
QUEUES = ("40", "20")
HARMLESS = {
    "net.ipv4.tcp_fin_timeout": ("50", "70"),
    "net.ipv4.tcp_keepalive_time": ("7000", "7100"),
    "net.ipv4.tcp_keepalive_intvl": ("70", "80"),
    "net.ipv4.tcp_keepalive_probes": ("7", "8"),
    "net.ipv4.tcp_retries1": ("4", "5"),
    "net.ipv4.tcp_reordering": ("4", "5"),
    "net.ipv4.ip_default_ttl": ("62", "63"),
    "net.ipv4.tcp_synack_retries": ("4", "3"),
    "net.ipv4.tcp_syn_retries": ("5", "4"),
    "net.ipv4.ipfrag_time": ("31", "32"),
}
"""All of the network namespace that the test runs in."""
SPEC = """\
schema: experiment/1
name: buffers
title: datagrams that wait
system: {{sysctl: {{{keys}}}}}
workload: {{argv: [python3, {probe}], run: once}}
repeat: {{between: [5, 5], order: {{by: blocks, seed: 1}}}}
metrics:
  fit: {{from: stdout.json.fit}}
  wall: {{from: workload.wall, unit: ms}}
"""


def runner(*words, cwd, code=0):
    done = subprocess.run(
        [*RUNNER, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def written(folder: Path, at: int, queue: str) -> None:
    keys = {key: pair[at] for key, pair in HARMLESS.items()} | {CAUSE: queue}
    (folder / "probe.py").write_text(PROBE)
    text = SPEC.format(
        keys=", ".join(f'{key}: "{value}"' for key, value in keys.items()),
        probe=folder / "probe.py",
    )
    (folder / "buffers.yaml").write_text(text)


def kernel_now() -> dict[str, str]:
    return {key: Path("/proc/sys", key.replace(".", "/")).read_text() for key in (*HARMLESS, CAUSE)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs that differ in eleven keys, one of which matters."""
    folder = tmp_path_factory.mktemp("why")
    before = kernel_now()
    for at, queue in enumerate(QUEUES):
        written(folder, at, queue)
        runner("apply", "buffers.yaml", "--state-dir", folder / "state", cwd=folder)
    assert kernel_now() == before
    return folder, *sorted(path.name for path in (folder / "reports" / "buffers").iterdir())


def test_a_planted_cause_is_found_among_ten_harmless_differences(runs):
    folder, a, b = runs
    before = kernel_now()
    # keys of the whole machine may be moved by others meanwhile
    words = ("--only", "sysctl.net.*", "--blocks", "2", "--json", "--state-dir", folder / "state")
    done = runner("why", a, b, *words, cwd=folder)
    assert kernel_now() == before
    said = json.loads(done.stdout)
    assert {one["name"] for one in said["varied"]} == {f"sysctl.{key}" for key in kernel_now()}
    (fit,) = [one for one in said["metrics"] if one["metric"] == "fit"]
    assert fit["shown"]
    assert [one["name"] for one in fit["effects"] if one["explains"]] == [f"sysctl.{CAUSE}"]
    cause = fit["effects"][0]
    assert cause["share"]["value"] == pytest.approx(1, rel=0.01)
    assert fit["left"]["value"] == pytest.approx(1, rel=0.01)
    assert f"sysctl.{CAUSE} explains 100 %" in fit["sentence"]
    (page,) = folder.glob("reports/buffers-why/*/artifacts/why.md")
    assert f"sysctl.{CAUSE}" in page.read_text()


def test_it_is_said_what_cannot_be_varied_and_what_is_not_there(runs):
    folder, a, b = runs
    done = runner("why", a, a, cwd=folder, code=2)
    assert "nothing that differs between the two can be set here" in done.stderr
    done = runner("why", a, b, "--only", "build.go", cwd=folder, code=3)
    assert "no difference is called build.go" in done.stderr
    assert f"sysctl.{CAUSE}" in done.stderr
    done = runner("why", a, b, "--blocks", "0", cwd=folder, code=3)
    assert "--blocks 0: at least one" in done.stderr
