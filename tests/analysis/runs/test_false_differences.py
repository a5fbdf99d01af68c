"""A against A: chance finds few differences within blocks, and a drifting host many apart."""

import numpy as np
import pytest

from runner.analysis.model import Analysis, Estimate, Repetition
from runner.analysis.runs.false_differences import Rate, false_differences
from runner.planning.aa import FACTOR, LEVELS, against_itself
from runner.spec.experiment import Experiment
from runner.spec.metrics import Metric
from runner.spec.treatments import treatments

METRICS = {"m": Metric.model_validate({"from": "load.rps", "better": "lower"})}


def host(rng, experiments, drift):
    """Two treatments that are one, measured by turns, in blocks of six."""
    count = 6 * experiments
    found = []
    for at, level in enumerate(LEVELS):
        moved = 1 + drift * (2 * np.arange(count) + at) / (2 * count)
        values = tuple((100 * moved * np.exp(rng.normal(0, 0.01, count))).tolist())
        found.append(
            Estimate("m", "ms", {FACTOR: level}, None, values, count, None, None, None,
                     repetitions=tuple(Repetition(n) for n in range(1, count + 1)))
        )  # fmt: skip
    return false_differences(
        Analysis(estimates=tuple(found)), Experiment(metrics=METRICS), (FACTOR, *LEVELS), 6
    )


def test_on_a_quiet_host_chance_finds_a_difference_in_one_of_twenty():
    found = host(np.random.default_rng(1), 200, drift=0.0)
    assert found.interleaved.of == 200
    assert found.apart.of == 199
    assert found.interleaved.found / 200 <= 0.08
    assert not found.interleaved.too_often
    assert not found.apart.too_often
    low, high = found.metrics[0].ratio
    assert low < 1 < high
    assert high / low < 1.01


def test_a_host_that_drifts_is_seen_apart_and_not_within_blocks():
    """Twice as slow at the end of 20 experiments: the next one is always slower."""
    found = host(np.random.default_rng(2), 20, drift=1.0)
    assert not found.interleaved.too_often
    assert found.apart.too_often


def test_a_rate_is_too_often_only_where_chance_does_not_explain_it():
    """Of ten, P(3 or more | 5 %) is 1.2 %, and P(2 or more) 8.6 %."""
    assert Rate(3, 10).too_often
    assert not Rate(2, 10).too_often
    assert Rate(0, 10).bounds == pytest.approx((0.0, 1 - 0.05**0.1))
    assert not Rate(0, 0).too_often


def test_the_spec_is_beside_itself_in_blocks_enough():
    experiment = Experiment.model_validate(
        {
            "schema": "experiment/1", "workload": {"argv": ["x", "{a}"], "run": "once"},
            "factors": {"a": ["p", "q"]}, "repeat": {"between": [2, 4]},
            "metrics": {"m": {"from": "workload.wall"}},
        }
    )  # fmt: skip
    made = against_itself(experiment, 3, 6)
    assert made.blocks == (18, 18)
    cells = treatments(made)
    assert len(cells) == 4
    assert {cell[FACTOR] for cell in cells} == set(LEVELS)
