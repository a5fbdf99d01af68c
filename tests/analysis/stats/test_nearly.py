"""A value on a bound is on it, whatever units and arithmetic it went through."""

import pytest

from runner.analysis.claims.case import Case
from runner.analysis.claims.statements import truths
from runner.analysis.claims.verdict import judge
from runner.analysis.stats.nearly import COMPARE, above, below, same
from runner.analysis.trial.rules import judge as judge_rules
from runner.spec.claims import Margin, Range
from runner.spec.dimensions import lenient
from runner.spec.expressions import parse_statement, references
from runner.spec.health import parse_rule
from runner.spec.metrics import Metric

PRINTED = (0.03, 0.07, 0.13, 0.29, 4.35, 12.3, 70, 0.57)


@pytest.mark.parametrize("printed", PRINTED)
@pytest.mark.parametrize("unit", ["ms", "us", "min", "%"])
@pytest.mark.parametrize("end", ["low", "high", "value"])
@pytest.mark.parametrize("kind", ["sampled", "exact"])
def test_what_is_printed_as_it_was_published_is_reproduced(printed, unit, end, kind):
    metric = Metric.model_validate({"from": "stdout.json.x", "unit": unit})
    measured = lenient(metric, {}).base(float(printed))
    region = Range.model_validate({end: f"{printed}{'' if unit == '%' else ' '}{unit}"}).bounds(
        unit
    )
    found = judge(Case("c", published=region, values=[measured] * 8, kind=kind, unit=unit))
    assert found.verdict == "reproduced", found.reason


@pytest.mark.parametrize(
    ("value", "margin", "measured"), [(0.7, "10%", 0.77), (0.7, "10%", 0.63), (1.1, "10%", 0.99)]
)
def test_a_margin_ends_where_it_was_written(value, margin, measured):
    region = Margin.model_validate({"relative": margin, "why": "x"}).widen((value, value))
    assert judge(Case("c", region=region, values=[measured] * 8)).verdict == "reproduced"
    assert judge(Case("c", region=region, values=[measured], kind="exact")).verdict == "reproduced"


@pytest.mark.parametrize(
    ("statement", "a", "b", "holds"),
    [
        ("a >= 1.1 * b", 110.0, 100.0, True),  # 1.1 × 100 is 110.00000000000001
        ("a > 1.1 * b", 110.0, 100.0, False),
        ("a <= b + 0.2", 0.3, 0.1, True),
        ("a < b * 3", 0.3, 0.1, False),  # 0.1 × 3 is 0.30000000000000004
        ("a - b >= 0.1", 0.8, 0.7, True),  # 0.10000000000000009
        ("a > 1.1 * b", 110.001, 100.0, True),
        ("a <= b", 0.0, 0.0, True),
        ("a < b", -1.0, -1.0, False),
    ],
)
def test_statements_on_the_bound(statement, a, b, holds):
    expression = parse_statement(statement)
    values = {ref: [{"a": a, "b": b}[ref.name]] for ref in references(expression)}
    assert truths(expression, values) == (holds,)


def test_rules_on_the_bound():
    numbers = {"load.latency_p99": 70 * 1e-6, "load.latency_p50": 0.1 + 0.2}
    rules = [parse_rule("load.latency_p99 <= 70us"), parse_rule("load.latency_p50 <= 300ms"),
             parse_rule("load.latency_p50 > 300ms")]  # fmt: skip
    assert [one.held for one in judge_rules(rules, numbers, {})] == [True, True, False]


def test_the_last_bit_and_no_more():
    assert same(0.1 + 0.2, 0.3)
    assert not same(0.3, 0.3000001)
    assert not same(0.0, 1e-30)
    assert above(0.3000001, 0.3)
    assert not above(0.1 + 0.2, 0.3)
    assert below(-1.0, 0.0)
    assert not below(-(0.1 + 0.2), -0.3)
    infinity = float("inf")
    assert same(infinity, infinity)
    assert above(infinity, 1.0)
    assert COMPARE["<="](1.0, infinity)
    assert not COMPARE["=="](float("nan"), float("nan"))
