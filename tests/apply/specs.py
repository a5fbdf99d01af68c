"""Small specs of the tests, and whether a run has begun."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from tests.apply.conftest import KEY, NAME

SERVER = Path(__file__).with_name("server.py")
HEALTHY = """\
healthy:
  - load.error_ratio <= 0.001
  - load.established == load.opened
  - cgroup.oom_kills == 0
  - workload.alive
"""


def spec(how: str = "good", *, seconds: int = 1, more: str = HEALTHY, isolated: bool = True) -> str:
    other = "11" if KEY.read_text().strip() != "11" else "12"
    return f"""\
schema: experiment/1
name: small
hosts: {{server: local}}
system:
  sysctl: {{{NAME}: {other}}}
workload:
  argv: [{json.dumps(sys.executable)}, {json.dumps(str(SERVER))}, {how}, "{{port}}"]
  cgroup: {{memory.max: 96MiB}}
  ready: {{http: "http://127.0.0.1:{{port}}/", within: 5s}}
  network: {"isolated" if isolated else "host"}
load:
  url: "http://127.0.0.1:{{port}}/"
  threads: 1
  timeout: 1s
  steps:
    - {{connections: 4, duration: {seconds}s}}
{more}"""


def running(process, what, seconds: float = 30) -> None:
    """Wait until `what()` is true while the process runs."""
    end = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not begin in time"
        time.sleep(0.05)
