"""What is said while a run goes on is what its report says: one judge, one set of inputs."""

import json
import re

import pytest

LIVE = """\
schema: experiment/1
name: live
hosts: {server: local}
workload:
  argv: [python3, -I, -S, -c, "import time; x=bytearray(80<<20); x[::4096]=b'x'*len(x[::4096]); time.sleep(1); del x; time.sleep(60)"]
  run: server
  ready: {stdout: ".*", within: 1s}
repeat: 1
healthy: [procfs.rss < 50MiB]
metrics: {r: {from: procfs.rss, after: 6s}}
"""
STOP = """\
schema: experiment/1
name: stop
hosts: {server: local}
workload:
  argv: [python3, -I, -S, -c, "print('{\\"ms\\": MS}'); print('took MS ms')"]
  run: once
repeat: {between: [5, 8], stop_when: {interval: 90%, half_width: 50%}}
metrics:
  t: METRIC
"""
PARSED = {
    "regex": "{from: stdout.regex, pattern: 'took (.*) ms', unit: ms}",
    "json": "{from: stdout.json.ms, unit: ms}",
}


def record_of(local, name):
    (run,) = (local.reports / name).glob("*/run.json")
    return json.loads(run.read_text())


def test_an_idle_step_is_judged_from_the_same_time_on_live_and_in_the_report(local):
    found = local("apply", str(local.spec(LIVE)))
    assert "healthy" in found.stderr
    assert "unhealthy" not in found.stderr
    (page,) = (local.reports / "live").glob("*/artifacts/analysis.json")
    (trial,) = json.loads(page.read_text())["trials"]
    assert trial["outcome"] == "healthy"
    assert trial["id"].endswith("-a1")
    (said,) = re.findall(r"rss ([\d.]+) MiB", found.stderr)
    assert float(said) == pytest.approx(
        trial["steps"][0]["numbers"]["procfs.rss"] / 2**20, rel=0.01
    )


@pytest.mark.parametrize("value", ["12", "0"])
@pytest.mark.parametrize("how", PARSED)
def test_a_constant_is_narrow_enough_whatever_it_was_parsed_with(local, how, value):
    text = STOP.replace("METRIC", PARSED[how]).replace("MS", value)
    local("apply", "-q", str(local.spec(text)))
    record = record_of(local, "stop")
    assert len(record["trials"]) == 5
    assert record["stopped"] == "every interval is within ± 0.00%"
