"""Ports that a client may be given are counted as the kernel gives them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.apply.conftest import ROOT

IN_ITS_OWN = """
import json, socket, subprocess, sys
sys.path.insert(0, {root!r})
from runner.host.facts import ports
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
open("/proc/sys/net/ipv4/ip_local_port_range", "w").write({span!r})
low = int({span!r}.split()[0])
held = [socket.socket() for _ in range({bound})]
for at, one in enumerate(held):
    one.bind(("127.0.0.1", low + at))
server = socket.create_server(("127.0.0.1", 9))
clients = [socket.create_connection(("127.0.0.1", 9)) for _ in range({connected})]
print(json.dumps(ports.count()))
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")


def counted(span: str, bound: int, connected: int) -> dict[str, int]:
    code = IN_ITS_OWN.format(root=str(ROOT), span=span, bound=bound, connected=connected)
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_bound_ports_are_taken_and_connected_ones_serve_another_destination():
    found = counted("32768 33767", bound=300, connected=50)
    assert found == {"low": 32768, "high": 33767, "tried": 1000, "taken": 300}


def test_of_a_large_range_a_part_is_tried():
    found = counted("32768 60999", bound=0, connected=0)
    assert found["tried"] <= 1024
    assert found["taken"] == 0
