"""A constant arrival rate, as a user asks for it: built, brought, measured, searched."""

from __future__ import annotations

import json

import pytest

from tests.apply.specs import spec

RATES = """\
healthy: [load.error_ratio <= 0.001, load.dropped == 0, load.latency_p99 <= 500ms, workload.alive]
metrics:
  dropped: {from: load.dropped, per: step}
  answered: {from: load.rps, per: step, unit: 1/s}
"""


def open_model(steps: str, more: str = RATES) -> str:
    return (
        spec(more=more)
        .replace("threads: 1", "generator: vegeta")
        .replace("steps:\n    - {connections: 4, duration: 1s}", steps)
    )


def test_rates_as_steps_with_drops_told(local, unchanged):
    """The first step is served; the second has one worker for a rate it cannot send."""
    steps = "steps: [{rate: 50/s, duration: 1s}, {rate: 20000/s, connections: 1, duration: 1s}]"
    (trial,) = local.apply(local.spec(open_model(steps)), code=None)["trials"]
    assert [step["outcome"] for step in trial["steps"]] == ["healthy", "unhealthy"]
    assert any("load.dropped == 0" in said for said in trial["steps"][1]["failed"])
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    first, second = (step["numbers"] for step in analysis["trials"][0]["steps"])
    assert first["load.planned"] == first["load.requests"] == 50
    assert (first["load.dropped"], first["load.connections"]) == (0, None)
    assert second["load.dropped"] > 1000
    assert "open model" in analysis["trials"][0]["steps"][0]["why"]["load.littles_law"]
    run = json.loads((folder / "run.json").read_text())
    planned = run["trials"][trial["id"]]["steps"]
    assert [step["name"] for step in planned] == ["50/s", "20000/s"]
    assert planned[0]["load"]["connections"] == 50  # of a timeout of 1 s, none can be stuck longer


def test_a_search_for_the_highest_healthy_rate(local, unchanged):
    """One worker bounds the rate: the level that is found is a rate, not connections."""
    more = (
        "healthy: [load.dropped == 0, workload.alive]\n"
        "search: {find: highest healthy rate, between: [20, 100000], resolution: 50%,"
        " confirm: {trials: 1, healthy: 1}}\n"
        "repeat: {unit: search, between: [1, 1]}\n"
        "metrics:\n"
        "  level: {from: search.level}\n"
        "  sent: {from: load.rate, at: search.level}\n"
    )
    text = open_model("connections: 1\n  measure: 1s", more)
    local.apply(local.spec(text), code=None)
    (folder,) = (local.reports / "small").glob("2*")
    run = json.loads((folder / "run.json").read_text())
    (found,) = run["search"]["runs"]
    assert run["search"]["what"] == "rate"
    assert 20 <= found["last_passing"] < found["first_failing"] <= 100_000
    steps = [step for trial in run["trials"].values() for step in trial["steps"]]
    assert all(step["connections"] == 1 for step in steps)
    assert found["last_passing"] in [step["load"]["rate"] for step in steps]
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    sent = next(item for item in analysis["estimates"] if item["metric"] == "sent")
    assert sent["median"] == found["last_passing"]


def test_a_ramp_a_spike_and_a_file_are_drawn_over_what_was_sent(local, unchanged):
    """All that was planned is sent, and what was declared lies over it in the report."""
    (local.folder / "times.txt").write_text("0.1\n0.2\n0.2\n0.9\n")
    steps = (
        "steps: [{ramp: [0, 80/s], duration: 1s},"
        " {spike: {base: 20/s, peak: 100/s, at: 400ms, for: 200ms}, duration: 1s},"
        " {arrivals: {file: times.txt}, duration: 1s}]"
    )
    (trial,) = local.apply(local.spec(open_model(steps)), code=None)["trials"]
    assert [step["name"] for step in trial["steps"]] == ["0-80/s", "20-100/s spike", "times.txt"]
    (folder,) = (local.reports / "small").glob("2*")
    analysis = json.loads((folder / "artifacts" / "analysis.json").read_text())
    numbers = [step["numbers"] for step in analysis["trials"][0]["steps"]]
    assert [one["load.planned"] for one in numbers] == [40, 36, 4]
    assert [one["load.requests"] for one in numbers] == [40, 36, 4]
    lines = {s["name"]: s["v"] for s in analysis["series"] if s["name"].startswith("load.")}
    for values in lines.values():  # ten intervals of 0.1 s in each step, parted by a gap
        assert len(values) == 32
        assert sum(v for v in values if v is not None) == pytest.approx(800)
        assert [values[10], values[21]] == [None, None]
    assert lines["load.declared"][22:] == [0, 10, 20, 0, 0, 0, 0, 0, 0, 10]
    report = (folder / "artifacts" / "report.md").read_text()
    assert "Requests declared, sent and answered over time" in report
    (figure,) = (folder / "artifacts" / "figures").glob("arrivals-*.svg")
    assert "load.declared" in figure.read_text()


def test_a_ramp_that_was_not_kept_to_is_no_measurement(local, unchanged):
    """One worker can send only so many: the step is invalid, whatever it gave."""
    steps = "steps: [{ramp: [20000/s, 40000/s], connections: 1, duration: 1s}]"
    trials = local.apply(local.spec(open_model(steps)), code=None)["trials"]
    assert {trial["outcome"] for trial in trials} == {"invalid"}
    assert "load.behind <= 5%" in json.dumps(trials)
