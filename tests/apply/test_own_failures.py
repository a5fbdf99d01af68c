"""A generator that runs out of its own host's ports says nothing of the server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.apply.specs import unserved

HOLD = """
import socket, sys
held = []
for port in range(32768, 32768 + 900):
    one = socket.socket()
    one.bind(("127.0.0.1", port))
    held.append(one)
print("held", flush=True)
sys.stdin.read()
"""
pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of its own needs root"),
]


@pytest.mark.parametrize("generator", ["wrk", "h2load"])
def test_ports_that_others_have_taken_are_the_generators_fault(local, generator):
    """900 of 1,000 are taken, 400 are wanted: invalid, and never a capacity."""
    text = unserved("status", generator).replace("connections: 10", "connections: 400")
    text = text.replace("network: isolated", "network: host\n  limits: {nofile: 4096}")
    inside = (
        "import subprocess, sys; subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True); "
        "open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('32768 33767'); "
        "open('/proc/sys/net/core/somaxconn', 'w').write('4096'); "
        f"held = subprocess.Popen([sys.executable, '-c', {HOLD!r}], stdin=-1, stdout=-1); "
        "held.stdout.readline(); "
        "code = subprocess.run(sys.argv[1:]).returncode; held.stdin.close(); sys.exit(code)"
    )
    argv = local.argv("apply", str(local.spec(text)))
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", inside, *argv],
        capture_output=True, text=True, env=local.env(), timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert (
        "400 connections, and 1000 ports to open them from, 900 of which others have" in done.stderr
    )
    assert "unhealthy" not in done.stderr
