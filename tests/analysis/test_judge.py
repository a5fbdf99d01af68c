"""One judge: generated records are judged alike while they grow and when they are whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.analysis.judge import judge, judge_trial
from runner.errors import RecordError
from runner.records.manifest import Manifest, Planned
from runner.spec.experiment import Experiment
from tests.events import typed

SPEC = {
    "name": "x",
    "workload": {"argv": ["./x"]},
    "factors": {"f": ["a", "b"]},
    "repeat": {"between": [2, 4]},
    "healthy": ["procfs.rss < 50MiB", "workload.alive"],
    "guards": ["host.cpu <= 85%"],
    "metrics": {
        "rss": {"from": "procfs.rss", "after": "1s"},
        "said": {"from": "stdout.regex", "pattern": "took (.*) ms", "unit": "ms"},
    },
}
EXPERIMENT = Experiment.model_validate(SPEC)


@dataclass
class Record:
    """A record in memory, which grows by the trial."""

    manifest: Manifest = field(default_factory=Manifest)
    facts: dict = field(default_factory=lambda: {"local": {"cgroup.version": 2}})
    changes: tuple = ()
    events: dict = field(default_factory=dict)

    def samples(self, trial):
        return None

    def iter_events(self, trial):
        if trial not in self.events:
            raise RecordError(f"no events of {trial}")
        return iter(self.events[trial])


@st.composite
def trials(draw):
    """Events of one trial: it idles, prints, may die, and its record may be cut."""
    ticks = draw(st.lists(st.integers(1_000, 100_000), max_size=8))
    events = [
        {"event": "trial_started", "at": 100.0, "t": 0.0},
        {"event": "workload_started", "t": 0.1},
        {"event": "ready", "t": 0.2},
        {"event": "columns", "names": ["procfs.status.VmRSS"]},
        {"event": "idle_started", "at": 100.3, "t": 0.3},
    ]
    events += [{"event": "sample", "t": 0.4 * (n + 1), "v": [kb]} for n, kb in enumerate(ticks)]
    if draw(st.booleans()):
        events.append({"event": "output", "stream": "stdout", "text": "took 12 ms\n", "t": 1.0})
    if draw(st.booleans()):
        events.append({"event": "workload_exited", "t": 2.0, "code": 1})
    end = [
        {"event": "idle_ended", "at": 105.0, "t": 5.0, "at_start": {}, "at_end": {}},
        {"event": "end", "at": 105.1, "t": 5.1, "ok": draw(st.booleans())},
    ]
    return typed([*events, *end][: draw(st.integers(1, len(events) + 2))])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from("ab"), trials()), min_size=1, max_size=6))
def test_live_is_report(given_):
    record = Record()
    live = []
    planned = {}
    for n, (level, events) in enumerate(given_):
        name = f"{level}-r{n}-a1"
        planned[name] = Planned("local", {"f": level}, n + 1, 1)
        record.manifest = Manifest(trials=dict(planned))
        record.events[name] = events
        live.append(judge_trial(record, EXPERIMENT, name))
    whole = judge(record, EXPERIMENT)
    assert list(whole.trials) == live
    assert judge(record, EXPERIMENT) == whole
