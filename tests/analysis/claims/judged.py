"""Trials made by hand, and what is judged of them."""

from runner.analysis.claims.claims import claim_results
from runner.analysis.claims.estimates import estimates
from runner.analysis.model import Step, Trial
from runner.spec import Experiment


def trial(name, level, repetition, numbers, *, outcome="healthy", host="h", attempt=1, start=None):
    began = float(repetition if start is None else start)
    steps = (Step(0, "idle", None, 0.0, 1.0, outcome, numbers=numbers),)
    return Trial(
        f"{name}{level}{repetition}a{attempt}", host, {"m": level} if level else {}, repetition,
        attempt, outcome, "", began, steps,
    )  # fmt: skip


def judged(spec, trials, search=None):
    experiment = Experiment.model_validate({"workload": {"argv": ["./x"]}, **spec})
    measured = estimates(experiment.metrics, trials, search)
    return claim_results(experiment, measured, trials, {}), measured
