"""Arithmetic over bounds: the true number is always within what is said of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.claims import bounded
from runner.analysis.claims.statements import evaluate
from runner.spec.expressions import parse_expression

NUMBERS = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))
LEAVES = st.sampled_from(["a", "b", "c", "2", "0", "0.5"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner)
        | st.builds("-{}".format, inner)
    ),
    max_leaves=6,
)
RANGES = st.tuples(NUMBERS, st.sampled_from(["", "above", "below"]), st.floats(0, 1e3))


@given(EXPRESSIONS, st.tuples(RANGES, RANGES, RANGES))
def test_the_true_number_lies_within(text, found):
    """Whatever the bounds hide."""
    expression = parse_expression(text)
    ranges, true = {}, {}
    for name, (number, side, beyond) in zip("abc", found, strict=True):
        ranges[name] = {
            "": (number, number), "above": (number, math.inf), "below": (-math.inf, number),
        }[side]  # fmt: skip
        true[name] = number + {"": 0.0, "above": beyond, "below": -beyond}[side]
    value = evaluate(expression, lambda ref: true[ref.name])
    low, high = bounded.evaluate(expression, ranges.__getitem__)
    if isinstance(value, float):
        slack = 1e-9 * max(1.0, abs(value))
        assert low - slack <= value <= high + slack


@pytest.mark.parametrize(
    ("text", "number", "side"),
    [
        ("a + b", 62.0, "above"), ("b - a", -58.0, "below"), ("60 / a", 1.0, "below"),
        ("a / b", 30.0, "above"), ("a - a", None, "unknown"), ("b / (a - 61)", None, "unknown"),
        ("0 * a", 0.0, ""),
    ],
)  # fmt: skip
def test_a_bound_stays_a_bound(text, number, side):
    ranges = {"a": (60.0, math.inf), "b": (2.0, 2.0)}
    found = bounded.evaluate(parse_expression(text), ranges.__getitem__)
    assert bounded.side(found) == (number, side)
