"""Statements over metrics become trees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.records.quantities import parse
from runner.spec.expressions import (
    Binary,
    ExpressionError,
    Number,
    Ref,
    Unary,
    Word,
    parse_expression,
    parse_statement,
    references,
)


def test_an_order_between_levels():
    assert parse_statement("allocs[server=fasthttp] < allocs[server=nethttp]") == Binary(
        "<",
        Ref("allocs", (("server", "fasthttp"),)),
        Ref("allocs", (("server", "nethttp"),)),
    )


def test_products_bind_closer_than_sums_and_sums_than_comparisons():
    two, a, b = Number(parse(2)), Ref("a"), Ref("b")
    assert parse_statement("a + 2 * b >= -b") == Binary(
        ">=", Binary("+", a, Binary("*", two, b)), Unary("-", b)
    )
    assert parse_expression("a - b - 2") == Binary("-", Binary("-", a, b), two)
    assert parse_expression("(a + b) / 2") == Binary("/", Binary("+", a, b), two)


def test_words_quantities_and_several_levels():
    found = parse_statement("facts.thp == 'always' and rss[flags=all, step=1000] < 32MiB")
    assert found == Binary(
        "and",
        Binary("==", Ref("facts.thp"), Word("always")),
        Binary("<", Ref("rss", (("flags", "all"), ("step", "1000"))), Number(parse("32MiB"))),
    )
    assert [ref.name for ref in references(found)] == ["facts.thp", "rss"]


def test_not_and_or():
    found = parse_statement("not a == 0 or b > 5%")
    assert isinstance(found, Binary)
    assert found.op == "or"
    assert isinstance(found.left, Unary)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the expression is empty"),
        ("a <", "the expression ends too early"),
        ("a = b", "`=` compares nothing: write `==`"),
        ("a < b < c", "one comparison at a time: join two with `and`"),
        ("(a < b", "a parenthesis is not closed"),
        ("a b", "`b` is not expected in `a b`"),
        ("a < 3M", "`3M` is ambiguous"),
        ("a[flags] < 3", "`[flags]` names no level: write [factor=level]"),
        ("a ? b", "cannot read `? b` in `a ? b`"),
        ("a < and", "`and` is not expected there"),
        ("a < *", "`*` is not expected there"),
        ("(" * 100 + "a", "the expression is nested too deeply"),
        ("-" * 300 + "a < 1", "the expression is nested too deeply"),
        ("-" * 5000 + "a < 1", "the expression has more than 400 words and signs"),
    ],
)
def test_faults_say_what_is_wrong(text, message):
    with pytest.raises(ExpressionError) as caught:
        parse_statement(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["a", "a + b", "(a) and b", "not a", "a < b and c"])
def test_a_statement_has_to_be_true_or_false(text):
    with pytest.raises(ExpressionError, match="states nothing"):
        parse_statement(text)


@given(st.text(alphabet="ab.[]=<>!+-*/() 19'%sM,", max_size=40))
def test_any_text_is_a_tree_or_a_clean_refusal(text):
    try:
        parse_expression(text)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
