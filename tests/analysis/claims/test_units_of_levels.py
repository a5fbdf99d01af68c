"""A boot that lasts several blocks counts once, in estimates, claims and plans."""

import pytest

from runner.analysis.claims.estimates import estimates
from runner.analysis.claims.rows import outermost
from runner.analysis.model import Step, Trial
from runner.spec.experiment import Experiment


def spec(levels):
    return Experiment.model_validate(
        {
            "schema": "experiment/1", "workload": {"argv": ["x"], "run": "once"},
            "hosts": {"server": "board"}, "repeat": {"between": [6, 12], "levels": levels},
            "metrics": {"m": {"from": "workload.wall"}},
        }
    )  # fmt: skip


def trials(values, boots):
    return [
        Trial(f"t{at}", "board", {}, at, 1, "healthy", "", float(at), boot=boot,
              build=str(at), steps=(Step(0, "all", None, 0.0, 1.0, "healthy",
                                         numbers={"workload.wall": value}),))
        for at, (value, boot) in enumerate(zip(values, boots, strict=True), 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("levels", "level", "units"),
    [
        ({"boot": "block"}, "", (6, 12)),
        ({"boot": 3}, "boot", (2, 4)),
        ({"boot": 4, "build": 2}, "boot", (2, 3)),
        ({"build": 5}, "build", (2, 3)),
    ],
)
def test_units_are_those_of_the_outermost_level(levels, level, units):
    assert outermost(spec(levels)) == level
    assert spec(levels).units == units


def test_an_estimate_has_the_median_of_each_boot():
    experiment = spec({"boot": 3})
    found = trials([1.0, 2.0, 9.0, 4.0, 5.0, 30.0], "aaabbb")
    (one,) = estimates(experiment.metrics, found, None, outermost(experiment))
    assert one.values == (2.0, 5.0)
    assert [unit.boot for unit in one.repetitions] == ["a", "b"]
    assert {unit.repetition for unit in one.repetitions} == {0}
    (plain,) = estimates(experiment.metrics, found, None)
    assert plain.n == 6


def test_a_layout_lies_within_one_boot():
    with pytest.raises(ValueError, match="within one boot"):
        spec({"boot": 3, "build": 2})
