"""Texts among numbers: a metric with a unit has numbers only."""

from __future__ import annotations

import pytest

from runner.analysis.claims.values import value
from runner.analysis.model import Step, Trial
from runner.spec.metrics import Metric


def of(said: float | str, **keys: str):
    numbers = {"stdout.json.a": said}
    step = Step(0, "idle", None, 0.0, 1.0, "healthy", numbers=numbers)
    trial = Trial("t", "local", {}, 1, 1, "healthy", "", 0.0, (step,))
    return value(Metric.model_validate({"from": "stdout.json.a", **keys}), trial, None)


@pytest.mark.parametrize("said", ["1,234", "12 ms", "1m2.5s", "12k", "12.5"])
def test_a_text_is_no_number_of_a_unit(said):
    """`1,234` in ms was shown as a number without a unit, and counted as no repetition."""
    assert of(said, unit="ms") == (None, f"`{said}` is a text, and ms is a unit of numbers")
    assert of(said, **{"as": "rate/min"})[0] is None
    assert of(said) == (said, "")


def test_a_number_is_in_base_units():
    assert of(12.5, unit="ms") == (0.0125, "")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"from": "load.requests"}, 9.0),
        ({"from": "load.requests", "statistic": "max"}, 5.0),
        ({"from": "procfs.minor_faults"}, 9.0),
        ({"from": "procfs.rss"}, 5.0),
        ({"from": "load.latency_p99"}, 5.0),
        ({"from": "stdout.json.a"}, 4.0),
        ({"from": "stdout.json.a", "statistic": "first"}, 0.0),
        ({"from": "stdout.json.a", "kind": "text"}, "4"),
    ],
)
def test_a_trial_of_several_steps_has_one_number_of_them(keys, expected):
    """What counts up adds up (the highest step's was shown), what is printed is the last one."""
    metric = Metric.model_validate(keys)
    steps = tuple(
        Step(n, str(n), None, n, n + 1.0, "healthy", numbers={metric.number: number})
        for n, number in enumerate((0.0, 5.0, 4.0))
    )
    trial = Trial("t", "local", {}, 1, 1, "healthy", "", 0.0, steps)
    assert value(metric, trial, None) == (expected, "")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"from": "load.requests"}, (None, "a step has no number to add: nobody counted")),
        ({"from": "stdout.json.a"}, (None, "nobody counted")),
        ({"from": "stdout.json.a", "statistic": "first"}, (1.0, "")),
        ({"from": "procfs.rss"}, (5.0, "")),
    ],
)
def test_a_step_without_a_number_is_not_left_out_of_a_sum(keys, expected):
    """A sum over the other steps is of something else, and so is another step's last number."""
    metric = Metric.model_validate(keys)
    steps = tuple(
        Step(
            n, str(n), None, n, n + 1.0, "healthy", numbers={metric.number: number},
            why={} if number is not None else {metric.number: "nobody counted"},
        )
        for n, number in enumerate((1.0, 5.0, None))
    )  # fmt: skip
    trial = Trial("t", "local", {}, 1, 1, "healthy", "", 0.0, steps)
    assert value(metric, trial, None) == expected
