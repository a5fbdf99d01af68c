"""Metrics at the level that a search found: the median over all its healthy trials there."""

from dataclasses import replace

import pytest

from runner.analysis.claims.estimates import estimates
from runner.analysis.model import Step, Trial
from runner.records.manifest import Searches, SearchRun
from runner.spec.metrics import Metric

RSS = {"m": Metric.model_validate({"from": "procfs.rss", "at": "search.level"})}


def tried(number, connections, rss, outcome="healthy", attempt=1):
    step = Step(0, str(connections), connections, 0.0, 1.0, outcome, numbers={"procfs.rss": rss})
    name = f"all-r1-c{connections}-{number}-a{attempt}"
    return Trial(name, "h", {}, 1, attempt, outcome, "", float(number), (step,))


@pytest.mark.parametrize(
    ("trials", "median"),
    [
        # the last trial is not the only one: it was, and gave 9
        ([tried(1, 8, 3.0), tried(2, 8, 5.0), tried(3, 8, 9.0)], 5.0),
        # and where it was unhealthy there was no value
        ([tried(1, 8, 3.0), tried(2, 8, 5.0, "unhealthy")], 3.0),
        # an invalid attempt is run again; the other attempt counts
        ([tried(1, 8, 3.0, "invalid"), tried(1, 8, 4.0, attempt=2), tried(2, 8, 6.0)], 5.0),
        ([tried(1, 8, 3.0), tried(2, 16, 50.0, "unhealthy")], 3.0),
    ],
)
def test_every_healthy_trial_at_the_level_counts(trials, median):
    search = Searches(runs=(SearchRun(1, {}, level=8, last_passing=8),))
    (found,) = estimates(RSS, trials, search)
    assert found.median == median


def test_a_metric_of_a_search_is_of_its_level_where_it_names_no_step():
    """Trials of other levels are not repetitions of it; a build has no level."""
    search = Searches(runs=(SearchRun(1, {}, level=8, last_passing=8),))
    trials = [tried(1, 8, 3.0), tried(2, 16, 50.0, "unhealthy"), tried(3, 8, 5.0)]
    for trial in trials:
        trial.steps[0].numbers["build.size"] = 700
    metrics = {
        "m": Metric.model_validate({"from": "procfs.rss"}),
        "size": Metric.model_validate({"from": "build.size"}),
        "there": Metric.model_validate({"from": "procfs.rss", "at": "16"}),
        "each": Metric.model_validate({"from": "procfs.rss", "per": "step"}),
    }
    made = estimates(metrics, trials, search)
    found = {one.metric: one for one in made}
    each = {one.step: one.values for one in made if one.metric == "each"}
    assert each == {"8": (3.0, 5.0), "16": (50.0,)}, "no trial of another level is missing there"
    assert found["m"].values == (4.0,)
    assert found["there"].values == (50.0,)
    assert set(found["size"].values) == {700}


def test_a_text_of_the_level_is_one_and_what_was_not_measured_there_says_why():
    search = Searches(runs=(SearchRun(1, {}, level=8, last_passing=8),))
    trials = [tried(1, 8, "GOOD"), tried(2, 16, "BAD", "unhealthy")]
    (text,) = estimates({"m": Metric.model_validate({"from": "stdout.json.x", "kind": "text"})},
                        [replace(t, steps=tuple(replace(s, numbers={"stdout.json.x": s.numbers["procfs.rss"]})
                                                for s in t.steps)) for t in trials], search)  # fmt: skip
    assert text.texts == ("GOOD",)
    (none,) = estimates(RSS, [tried(1, 8, None)], search)
    assert none.values == (None,)
    assert "procfs.rss was not measured" in none.why
