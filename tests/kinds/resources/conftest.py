"""Hosts that kinds are applied to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runner.planning.state import candidates

ROOT = Path(__file__).parents[3]
RUN = "20260101T000000Z-abcdef"
CODE = "import sys, json; from runner.host.main import run; sys.exit(run(json.load(sys.stdin), sys.argv[1]))"


class Host:
    """The agent, each program in a process of its own; `inside` starts it elsewhere."""

    def __init__(self, state, inside=()):
        self.state = state
        self.inside = inside

    def run(self, program, **rest):
        said = {"program": program, "version": 1, "run": RUN, **rest}
        done = subprocess.run(
            [*self.inside, sys.executable, "-c", CODE, str(self.state)],
            input=json.dumps(said), capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert events, done.stderr
        return events

    def probe(self, system):
        events = self.run("probe", facts=True, cells=candidates(system))
        facts = next(e["facts"] for e in events if e["event"] == "facts")
        values = {e["id"]: e["value"] for e in events if e["event"] == "value" and not e["error"]}
        return facts, values

    def results(self, program, **rest):
        return {e["id"]: e for e in self.run(program, **rest) if e["event"] == "result"}

    def converge(self, cells):
        hold = {"controller": "test", "lease_s": None}
        cells = [cell.to_json() for cell in cells]
        return self.results("converge", cells=cells, check=False, hold=hold)


@pytest.fixture
def network(tmp_path):
    """A network namespace of its own, held open by a process."""
    holder = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", "ip link set lo up; echo; exec sleep 100"],
        stdout=subprocess.PIPE,
    )
    try:
        if not holder.stdout.readline():
            pytest.skip("no network namespaces here")
        yield Host(tmp_path / "state", ("nsenter", "-n", "-t", str(holder.pid)))
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
