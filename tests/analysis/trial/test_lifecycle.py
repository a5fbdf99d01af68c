"""Moments of recorded trials: ready, exit, the first OOM kill."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from runner.analysis.claims.values import value
from runner.analysis.model import Step, Trial
from runner.analysis.trial import lifecycle
from runner.analysis.trial.frames import Frame
from runner.analysis.trial.steps import summarise
from runner.kinds.sources import fields
from runner.spec.metrics import Metric
from tests.analysis.trial.recording import FACTS, judged, recorded

FIELDS = fields(FACTS)
NAN = float("nan")


def frame(kills, connections=(5, 6, 7, 8), rss=(1, 2, 3, 4)):
    return Frame(
        np.array([10.0, 11.0, 12.0, 13.0]),
        {
            FIELDS["cgroup.oom_kills"].column: np.array(kills, dtype=float),
            FIELDS["net.established"].column: np.array(connections, dtype=float),
            FIELDS["procfs.rss"].column: np.array(rss, dtype=float),
        },
    )


def at(kills, *, counted=None, **columns):
    numbers, why = {"cgroup.oom_kills": counted}, {}
    lifecycle.first_oom(frame(kills, **columns), FIELDS, (9.5, 13.5), numbers, why)
    return numbers, why


def test_the_first_kill_and_what_was_there_before_it():
    """The connections are those of the last sample before: the kill closes them."""
    numbers, why = at([2, NAN, 3, 4], connections=(500, 700, 0, 0))
    assert numbers["cgroup.first_oom"] == pytest.approx(2.5)
    assert numbers["cgroup.first_oom@load.established"] == 700
    assert numbers["cgroup.first_oom@procfs.rss"] == 2 * 1024
    assert why == {}


def test_a_kill_after_the_last_sample_is_seen_at_the_end():
    numbers, _ = at([2, 2, 2, 2], counted=1)
    assert numbers["cgroup.first_oom"] == pytest.approx(4.0)
    assert numbers["cgroup.first_oom@load.established"] == 8


def test_no_kill_is_null_with_the_reason():
    numbers, why = at([2, 2, 2, 2], counted=0)
    assert numbers["cgroup.first_oom"] is None
    assert why["cgroup.first_oom"] == "0 OOM kills in this step"
    _, unseen = at([NAN] * 4)
    assert "not sampled" in unseen["cgroup.first_oom"]


def test_a_metric_of_that_moment():
    numbers, why = at([2, 2, 3, 3])
    step = Step(0, "100", 100, 9.5, 13.5, "unhealthy", (), numbers, why)
    trial = Trial("t", "h", {}, 1, 1, "unhealthy", "", 0.0, (step,), (), {}, None)
    metric = Metric.model_validate({"from": "cgroup.first_oom", "as": "load.established"})
    assert value(metric, trial, None) == (6.0, "")
    alone = Metric.model_validate({"from": "cgroup.first_oom"})
    assert value(alone, trial, None) == (pytest.approx(2.5), "")
    with pytest.raises(ValidationError, match="needs a moment"):
        Metric.model_validate({"from": "procfs.rss", "as": "load.established"})


def test_recorded_kill():
    """A real trial whose server was killed, and not for its memory."""
    (step,) = judged(recorded("oom")).steps
    assert step.numbers["workload.signal"] == 9
    assert step.numbers["workload.exit_code"] is None
    assert step.why["workload.exit_code"] == "the workload ended by a signal"
    assert step.why["cgroup.first_oom"] == "0 OOM kills in this step"


def test_ready_and_time_wait_of_a_recorded_trial():
    (step,) = judged(recorded("healthy")).steps
    assert step.numbers["workload.ready"] == 1
    assert 0 < step.numbers["workload.ready_after"] < 10
    assert step.numbers["net.time_wait"] >= 0
    assert step.numbers["cgroup.first_oom"] is None


def test_a_gauge_has_the_mean_of_its_samples():
    """`statistic: mean` is over the samples of a step, not the highest under another name."""
    numbers, why = {}, {}
    summarise(frame([0, 0, 0, 0], rss=(1, 2, 3, 6)), FIELDS, {}, numbers, why)
    assert numbers["procfs.rss.mean"] == 3 * 1024
    step = Step(0, "one", 1, 9.5, 13.5, "healthy", (), numbers, why)
    trial = Trial("t", "h", {}, 1, 1, "healthy", "", 0.0, (step,), (), {}, None)
    for statistic, kib in (("mean", 3), ("max", 6), ("min", 1), ("last", 6), ("median", 2.5)):
        metric = Metric.model_validate({"from": "procfs.rss", "statistic": statistic})
        assert value(metric, trial, None) == (kib * 1024, "")
    with pytest.raises(ValidationError):  # no p99 of samples is kept: it would be the maximum
        Metric.model_validate({"from": "procfs.rss", "statistic": "p99"})
