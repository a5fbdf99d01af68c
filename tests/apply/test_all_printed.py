"""All that a program prints, in whole runs: series drawn, ends not lost, numbers of a load."""

from __future__ import annotations

import json

ONCE = r"""
schema: experiment/1
name: printed
workload:
  argv: [python3, -c, "import json\nfor t in range(5): print(f't={t} rate={100 if t else 1} MB/s')\nprint(json.dumps({'runs': [{'ms': 40}, {'ms': 2}, {'ms': 4}]}))"]
  run: once
repeat: 2
metrics:
  rate: {from: stdout.regex, pattern: 't=(\d+) rate=(\d+)', series: {t: 1, v: 2}, statistic: mean,
         skip: 1s, unit: MB/s}
  warm: {from: 'stdout.json.runs.*.ms', statistic: mean, skip: 1, unit: ms}
"""

STOPPED = r"""
schema: experiment/1
name: stopped
workload:
  argv: [sh, -c, "python3 server.py {port}; true"]
  cwd: "CWD"
  ready: {tcp: "{port}"}
load:
  generator: command
  argv: [sh, -c, "sleep 1; echo Requests/sec: 120.5; echo p99 7.5 ms; echo p99 2.5 ms; echo '{\"x\": 3}'"]
  measure: 1s
  connections: 1
  numbers:
    rps: 'Requests/sec: (\S+)'
    requests: {from: stdout.json.x}
    latency_p99: {pattern: 'p99 (\S+) ms', statistic: max, unit: ms}
    own: {pattern: 'nothing of (\S+)'}
metrics:
  served: {from: stdout.json.served}
  rps: load.rps
  p99: {from: load.latency_p99, unit: ms}
  own: command.own
"""

SERVER = """
import json, signal, socket, sys, time
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def end(*_):
    time.sleep(0.3)
    print(json.dumps({"served": 42}), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
while True:
    time.sleep(0.1)
"""


def of(local, name):
    (folder,) = (local.reports / name).glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    return folder, analysis, {item["metric"]: item for item in analysis["estimates"]}


def test_every_match_is_a_number_and_a_line(local):
    """The begin is thrown away by rule, the report says so, and the series is drawn."""
    local.apply(local.spec(ONCE))
    folder, analysis, found = of(local, "printed")
    assert found["rate"]["median"] == 100e6
    assert found["warm"]["median"] == 0.003
    lines = [line for line in analysis["series"] if line["name"] == "rate"]
    assert [len(line["t"]) for line in lines] == [4, 4]
    assert lines[0]["v"] == [100e6] * 4
    assert lines[0]["unit"] == "MB/s"
    report = (folder / "artifacts" / "report.md").read_text()
    assert "rate over time" in report
    assert "`rate`: the mean of 4 printed numbers a trial; the first 1 were thrown away" in report
    assert "`warm`: the mean of 2 printed numbers a trial; the first 1 were thrown away" in report


def test_nothing_is_lost_at_the_end_and_a_load_program_is_read_by_patterns(local, tmp_path):
    """A server behind a shell sums up as it is stopped; its load prints no JSON of its own."""
    (tmp_path / "server.py").write_text(SERVER)
    local.apply(local.spec(STOPPED.replace("CWD", str(tmp_path))))
    _, analysis, found = of(local, "stopped")
    assert found["served"]["median"] == 42
    assert found["rps"]["median"] == 120.5
    assert found["p99"]["median"] == 0.0075
    assert found["own"]["median"] is None
    (step,) = analysis["trials"][0]["steps"]
    assert step["numbers"]["load.requests"] == 3
    assert step["why"]["load.own"] == "nothing on stdout is matched by nothing of (\\S+)"
