"""What each difference explains, on numbers whose answer is known."""

import math
import random

import pytest

from runner.analysis.model import Analysis, Estimate, Repetition
from runner.analysis.runs.screened import explained
from runner.analysis.runs.side import Side
from runner.planning.screening import design
from runner.spec.experiment import Experiment

NAMES = {f"f{n}": f"name {n}" for n in range(11)}


def estimate(values, treatment=None, metric="m"):
    return Estimate(
        metric, "ms", treatment or {}, None, tuple(values), len(values), None, None, None,
        repetitions=tuple(Repetition(n + 1) for n in range(len(values))),
    )  # fmt: skip


def side(name, values):
    return Side(name, Analysis(estimates=(estimate(values),)), {}, {}, Experiment(), run=name)


def screening(truth, rng, noise, blocks=2):
    """Values of a design: exp of the sum of `truth` over the factors at b, with noise."""
    found = []
    for row in design(len(NAMES)):
        levels = {name: "a" if sign < 0 else "b" for name, sign in zip(NAMES, row, strict=True)}
        values = [
            math.exp(
                truth({k for k, v in levels.items() if v == "b"}) + rng.gauss(0, noise) + 0.1 * n
            )
            for n in range(blocks)
        ]
        found.append(estimate(values, levels))
    return Analysis(estimates=tuple(found))


def of(gap, truth, seed=1, noise=0.02, blocks=2):
    rng = random.Random(seed)
    a = side("a", [math.exp(rng.gauss(0, noise)) for _ in range(7)])
    b = side("b", [math.exp(gap + rng.gauss(0, noise)) for _ in range(7)])
    (one,) = explained(a, b, screening(truth, rng, noise, blocks), NAMES)
    return one


def test_the_cause_is_named_and_the_rest_of_the_gap_is_left_unexplained():
    one = of(0.5, lambda at: 0.3 * ("f4" in at))
    assert one.shown
    assert [effect.name for effect in one.effects if effect.explains] == ["name 4"]
    assert one.effects[0].share is not None
    assert one.effects[0].share.low <= 0.6 <= one.effects[0].share.high
    assert one.left is not None
    assert one.left.low <= math.exp(0.2) <= one.left.high
    assert one.left.low > 1
    assert one.additive


def test_what_goes_the_other_way_does_not_explain():
    one = of(0.5, lambda at: 0.5 * ("f4" in at) - 0.3 * ("f2" in at))
    assert [effect.name for effect in one.effects if effect.explains] == ["name 4"]


def test_two_that_matter_only_together_are_said_not_to_add_up():
    one = of(0.6, lambda at: 0.6 * ({"f1", "f2", "f3"} <= at))
    assert not one.additive
    assert one.together is not None
    assert one.together.low <= math.exp(0.6) <= one.together.high


def test_no_gap_needs_no_explanation():
    one = of(0.0, lambda at: 0.3 * ("f4" in at))
    assert not one.shown
    assert not any(effect.explains for effect in one.effects)


def test_of_a_hundred_screenings_without_a_cause_few_name_one():
    named = sum(
        any(effect.explains for effect in of(0.3, lambda _: 0.0, seed=seed).effects)
        for seed in range(100)
    )
    assert named <= 8


@pytest.mark.parametrize("of_b", [20.0, 40.0])
def test_numbers_without_noise_are_exact(of_b):
    made = Analysis(
        estimates=tuple(
            estimate([of_b if sign[0] > 0 else 40.0] * 2, {"f0": "b" if sign[0] > 0 else "a"})
            for sign in design(1)
        )
    )
    (one,) = explained(side("a", [40.0] * 5), side("b", [of_b] * 5), made, {"f0": "queue"})
    assert one.gap is not None
    assert one.left is not None
    assert one.gap.value == pytest.approx(of_b / 40)
    assert one.left.value == pytest.approx(1)
    assert one.effects[0].explains == (of_b != 40)
