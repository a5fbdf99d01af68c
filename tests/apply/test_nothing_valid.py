"""A run in which nothing valid was measured ends 2, and its last lines say why."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.apply.specs import spec

pytestmark = pytest.mark.timeout(120)


def loaded(code: str, more: str = "repeat: {attempts: 3}\n") -> str:
    argv = json.dumps([sys.executable, "-c", code])
    return spec(more=more).replace("threads: 1", f"generator: command\n  argv: {argv}", 1)


def test_a_generator_that_fails_every_time(local):
    code = "import sys; print('no route to the stars', file=sys.stderr); sys.exit(3)"
    done = local("apply", str(local.spec(loaded(code))), code=2)
    last = done.stderr.strip().splitlines()[-2:]
    assert last[0].startswith("failed: nothing valid was measured: 3 of 3 trials are invalid")
    assert "the load generator works" in last[1]
    assert "exited 3: no route to the stars" in last[1]


def test_a_load_program_that_prints_no_json(local):
    done = local("apply", str(local.spec(loaded("print('12 things')"))), code=2)
    assert "it printed: 12 things" in done.stderr.strip().splitlines()[-1]


def test_every_trial_of_every_treatment_is_invalid(local):
    """The guard that broke is named once, with the trials."""
    more = "guards: [load.rps >= 1000]\nrepeat: {between: [3, 3], attempts: 1}\n"
    more += "factors: {many: {one: {load: {threads: 1}}, two: {load: {threads: 2}}}}\n"
    code = "import json; print(json.dumps({'rps': 2, 'error_ratio': 0}))"
    text = loaded(code, more)
    done = local("apply", str(local.spec(text)), code=2)
    last = done.stderr.strip().splitlines()[-2:]
    assert "6 of 6 trials are invalid" in last[0]
    assert "load.rps >= 1000 (was 2" in last[1]
    assert "and 3 more" in last[1]


def test_no_metric_has_a_value(local):
    """A program run once whose output has nothing of what is asked for."""
    text = """\
schema: experiment/1
name: silent
hosts: {server: local}
workload: {argv: [echo, "took 1,234 ms"], run: once}
metrics:
  a: {from: stdout.json.a}
  took: {from: stdout.regex, pattern: "took (.*) ms", unit: ms}
repeat: 2
"""
    done = local("apply", str(local.spec(text)), code=2)
    last = done.stderr.strip().splitlines()[-3:]
    assert last[0].startswith("failed: nothing valid was measured: no metric has a value")
    assert "a: no JSON object was printed on stdout" in last[1]
    assert "took: `1,234` is a text, and ms is a unit of numbers" in last[2]


def test_one_valid_trial_is_enough(local):
    """An unhealthy step is a measurement."""
    more = "healthy: [load.rps >= 1000]\nrepeat: {attempts: 1}\n"
    code = "import json; print(json.dumps({'rps': 2, 'error_ratio': 0}))"
    assert local.apply(local.spec(loaded(code, more)))["failed"] == ""


TRACE = """
import sys, time
print('cannot create a thread: Resource temporarily unavailable', file=sys.stderr)
for n in range(5000):
    print(f'goroutine {n} [running]: main.main() /src/main.go:{n} ' + 'x' * 40, file=sys.stderr)
print('exit status 2', file=sys.stderr)
sys.exit(2)
"""


def test_the_first_lines_of_a_long_trace_are_kept(local):
    """In the message and in the report: a Go program that crashes names its cause first."""
    text = spec().replace(
        "argv: [", f"argv: [{json.dumps(sys.executable)}, -c, {json.dumps(TRACE)}, "
    )
    done = local("apply", str(local.spec(text)), code=2)
    assert "cannot create a thread: Resource temporarily" in done.stderr.strip().splitlines()[-1]
    assert "exit status 2" in done.stderr.strip().splitlines()[-1]
    assert "healthy" not in done.stderr
    (report,) = local.reports.rglob("report.md")
    assert "cannot create a thread" in report.read_text()


def test_one_fault_of_every_trial_is_said_once(local):
    """The folder of the trial, which the program names, does not make it another one."""
    text = (
        "schema: experiment/1\nname: n\nhosts: {server: local}\nrepeat: 4\n"
        'workload: {argv: [cat, "{dir}/absent"], ready: {tcp: "{port}"}}\n'
        "metrics: {m: {from: workload.wall}}\n"
    )
    done = local("apply", str(local.spec(text)), code=2)
    failed = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert len([line for line in failed if "absent" in line]) == 1, done.stderr
    assert "and 1 more" in failed[0]


def test_another_attempt_is_of_the_same_planned_trial(local):
    code = "import sys; sys.exit(3)"
    done = local("apply", str(local.spec(loaded(code, "repeat: {between: [2, 2]}\n"))), code=2)
    told = re.findall(r"\((\d+) of (\d+)", done.stderr)
    assert told == [("1", "2")] * 3 + [("2", "2")] * 3
