"""Small specs of the tests, and whether a run has begun."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.apply.conftest import KEY, NAME
from tests.waiting import until

SERVER = Path(__file__).with_name("server.py")
UNHEALTHY = Path(__file__).with_name("unhealthy_servers.py")
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


def running(process, what, seconds: float = 90) -> None:
    """Wait until `what()` is true while the process runs."""

    def begun() -> object:
        assert process.poll() is None, process.communicate()
        return what()

    until(begun, seconds)


def recorded(cli, trial: str, word: str, name: str = "small") -> Path:
    """Wait until a trial's record has an event, and give its run's folder."""

    def found() -> Path | None:
        for file in cli.reports.glob(f"{name}/*/events/{trial}.jsonl"):
            if f'"event":"{word}"'.encode() in file.read_bytes():
                return file.parent.parent
        return None

    return until(found)


def unserved(
    mode: str, generator: str, more: str = "", load: str = "", servers: Path = UNHEALTHY
) -> str:
    """A server of unhealthy_servers.py, or of another such file, under ten connections."""
    step = "connections: 10, duration: 3s" + (", rate: 100/s" if generator == "vegeta" else "")
    return f"""\
schema: experiment/1
name: unserved
hosts: {{server: local}}
workload:
  argv: [{json.dumps(sys.executable)}, {json.dumps(str(servers))}, {mode}, "{{port}}"]
  ready: {{http: "http://127.0.0.1:{{port}}/"}}
  network: isolated
load:
  generator: {generator}
  threads: 1
  timeout: 1s
  url: "http://127.0.0.1:{{port}}/"
  {load}
  steps: [{{{step}}}]
healthy: [load.error_ratio <= 0.001, workload.alive]
repeat: {{attempts: 1}}
{more}"""


def table_below(report: str, heading: str) -> dict[str, list[str]]:
    """Give the rows of the first table under a heading, by their first cell."""
    below = report.split(f"{heading}\n", 1)[1].splitlines()
    rows: dict[str, list[str]] = {}
    for line in below:
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[cells[0]] = cells
        elif rows:
            break
    return rows
