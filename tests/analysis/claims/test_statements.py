"""Statements and arithmetic, block by block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.claims.estimates import estimates
from runner.analysis.claims.statements import (
    by_block,
    differences,
    evaluate,
    nothing_to_divide_by,
    truths,
)
from runner.analysis.model import Step, Trial
from runner.spec.expressions import Ref, parse_expression, parse_statement, references
from runner.spec.metrics import Metric


def blocks(text, **columns):
    expression = parse_expression(text)
    return expression, {ref: columns[ref.name] for ref in references(expression)}


def test_order_of_two_treatments_is_paired():
    expression = parse_statement("allocs[server=fasthttp] < allocs[server=nethttp]")
    fast, net = Ref("allocs", (("server", "fasthttp"),)), Ref("allocs", (("server", "nethttp"),))
    values = {fast: [1.0, 20.0, 3.0], net: [10.0, 30.0, None]}
    assert truths(expression, values) == (True, True, None)
    assert differences(expression, values) == ((-9.0, -10.0, None), (None, 0.0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * 2", 8.0),
        ("(a + b) / 2", 2.5),
        ("-a - b", -5.0),
        ("a < b", True),
        ("not a < b", False),
        ("a < b and b < 3", False),
        ("a < b or b < 3", True),
        ("a == 2", True),
        ("a != 2", False),
        ("a >= 2 and b <= 3", True),
        ("t == 'x'", True),
        ("t != 'y'", True),
        ("t == a", False),
        ("t < a", None),
        ("a / z", None),
        ("n + 1", None),
        ("n < 1", None),
        ("n < 1 and a > 100", False),
        ("n < 1 or a < 100", True),
        ("n < 1 and a < 100", None),
        ("not n < 1", None),
        ("m == 32MiB", True),
        ("y == 1", True),
    ],
)
def test_evaluate(text, expected):
    known = {"a": 2.0, "b": 3.0, "z": 0.0, "t": "x", "n": None, "m": 2.0**25, "y": True}
    assert evaluate(parse_expression(text), lambda ref: known[ref.name]) == expected


def test_equality_forgives_the_last_bit():
    assert truths(*blocks("a == b", a=[0.1 + 0.2], b=[0.3])) == (True,)


def test_identity_of_texts():
    expression, values = blocks("a == b", a=["id1", "id2"], b=["id1", "id1"])
    assert truths(expression, values) == (True, False)
    assert differences(*blocks("a == b", a=["x"], b=["y"])) in (((None,), (0.0, 0.0)), None)


def test_shorter_columns_are_unknown_at_the_end():
    assert by_block(*blocks("a + b", a=[1.0, 2.0], b=[1.0])) == (2.0, None)
    assert differences(*blocks("a < b and b < a", a=[1.0], b=[1.0])) is None
    assert differences(*blocks("a != b", a=[1.0], b=[1.0])) is None


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=9))
def test_truth_is_the_sign_of_the_difference(pairs):
    a, b = map(list, zip(*pairs, strict=True))
    expression, values = blocks("a < b", a=a, b=b)
    numbers, _ = differences(expression, values)
    assert truths(expression, values) == tuple(number < 0 for number in numbers)


def test_a_divisor_that_is_zero_is_named():
    columns = {"pause": 3.0, "collections": 0.0, "rps": 5.0}

    def said(text):
        return nothing_to_divide_by(parse_expression(text), lambda ref: columns[ref.name])

    assert said("pause / collections") == "no collections (0), so there is nothing to divide by"
    assert said("rps + -(pause / (collections * rps))").startswith("no collections and rps (0)")
    assert said("pause / rps") == ""


def test_a_mean_over_no_collections_is_null_with_that_reason():
    metrics = {
        "pause_total": Metric.model_validate({"from": "gctrace.pause_total"}),
        "collections": Metric.model_validate({"from": "gctrace.count"}),
        "pause": Metric.model_validate({"compute": "pause_total / collections"}),
    }
    step = Step(
        0, "one", 1, 0.0, 1.0, "healthy", numbers={"gctrace.pause_total": 0.0, "gctrace.count": 0}
    )
    trial = Trial("t", "h", {}, 1, 1, "healthy", "", 0.0, (step,))
    found = {item.metric: item for item in estimates(metrics, (trial,), None)}
    assert found["pause"].values == (None,)
    assert found["pause"].why == "no collections (0), so there is nothing to divide by"


def test_a_metric_may_stand_before_what_it_is_computed_of():
    """The order of a spec is the reader's: estimates are in it, whatever is needed first."""
    metrics = {
        "double": Metric.model_validate({"compute": "pause * 2"}),
        "pause": Metric.model_validate({"compute": "pause_total / collections"}),
        "pause_total": Metric.model_validate({"from": "gctrace.pause_total"}),
        "collections": Metric.model_validate({"from": "gctrace.count"}),
    }
    numbers = {"gctrace.pause_total": 6.0, "gctrace.count": 3}
    step = Step(0, "one", 1, 0.0, 1.0, "healthy", numbers=numbers)
    trial = Trial("t", "h", {}, 1, 1, "healthy", "", 0.0, (step,))
    found = estimates(metrics, (trial,), None)
    assert [item.metric for item in found] == list(metrics)
    assert [item.values for item in found] == [(4.0,), (2.0,), (6.0,), (3.0,)]
