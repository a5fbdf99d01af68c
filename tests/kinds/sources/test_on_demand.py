"""Sources that are read only where a spec names them, in a real trial."""

from __future__ import annotations

import json

from tests.apply.specs import HEALTHY, spec

METRICS = """\
metrics:
  faults: {from: perf.page_faults}
  cpu: {from: perf.task_clock}
  instructions: {from: perf.instructions}
  host_faults: {from: vmstat.pgfault}
"""


def test_counters_of_a_trial(local, unchanged):
    """The workload's own faults are among the host's; a counter that is not there has a why."""
    local.apply(local.spec(spec(more=HEALTHY + METRICS)))
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    (step,) = analysis["trials"][0]["steps"]
    numbers, why = step["numbers"], step.get("why", {})
    if numbers["perf.page_faults"] is None:
        assert why["perf.page_faults"]
    else:
        assert 0 <= numbers["perf.page_faults"] < numbers["vmstat.pgfault"]
        cpu = numbers["procfs.user_cpu"] + numbers["procfs.system_cpu"]
        assert abs(numbers["perf.task_clock"] - cpu) < 0.1 + 0.2 * cpu
    if numbers["perf.instructions"] is None:
        assert (
            "no such counter" in why["perf.instructions"] or "paranoid" in why["perf.instructions"]
        )
        said = next(e for e in analysis["estimates"] if e["metric"] == "instructions")
        assert said["why"] == why["perf.instructions"]


OOM = """\
metrics:
  after: {from: cgroup.first_oom, unit: s}
  at: {from: cgroup.first_oom, as: load.established}
  rss: {from: cgroup.first_oom, as: procfs.rss, unit: MiB}
"""


def test_where_the_first_oom_kill_was(local, unchanged):
    """A server that leaks a mebibyte a request under 96 MiB, asked by four connections."""
    local.apply(local.spec(spec("leak", seconds=3, more=OOM)), code=None)
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    (step,) = analysis["trials"][0]["steps"]
    assert step["numbers"]["workload.signal"] == 9
    found = {item["metric"]: item["median"] for item in analysis["estimates"]}
    assert 0 < found["after"] < 10
    if found["rss"] is not None:  # it may be dead before the first sample with a connection
        assert 5e6 < found["rss"] < 110e6
    assert found["at"] in (None, 0, 4)
