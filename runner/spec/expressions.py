"""Arithmetic and comparisons over metrics: `allocs[server=fasthttp] < 0.5 * allocs`.

    statement = comparison {("and" | "or") comparison}, "not", parentheses
    comparison= sum [("<" | "<=" | "==" | "!=" | ">=" | ">") sum]
    sum       = product {("+" | "-") product};  product = unary {("*" | "/") unary}
    unary     = ["-"] (number | quantity | 'text' | reference | "(" statement ")")
    reference = name {"." name} ["[" name "=" level {"," name "=" level} "]"]

Parsed here into plain data; evaluated by the analysis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from runner.records.quantities import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 50
MAX_TOKENS = 400
"""A sum is nested once for each of its signs, and is walked by functions that call themselves."""


@dataclass(frozen=True)
class Number:
    """A literal number or quantity, in base units by `value.value`."""

    value: Quantity


@dataclass(frozen=True)
class Word:
    """A literal text in quotes."""

    text: str


@dataclass(frozen=True)
class Ref:
    """A metric or a fact, narrowed to levels and steps: `rss[flags=all, step=100]`."""

    name: str
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unary:
    """`-x` or `not x`."""

    op: str
    operand: Expression


@dataclass(frozen=True)
class Binary:
    """`+ - * /`, a comparison, `and`, `or`."""

    op: str
    left: Expression
    right: Expression


Expression = Number | Word | Ref | Unary | Binary

COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?:%|°C|/(?:s|min|h)\b|[kKMGT]?i?B/s\b|[A-Za-zµ]+)?)
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_0-9][\w-]*)*)(?P<where>\[[^\]]*\])?
    | (?P<op><=|>=|==|!=|[-<>+*/()=])
    )""",
    re.VERBOSE,
)


class ExpressionError(ValueError):
    """The text is not an expression; the message says where and why."""


@dataclass
class _Tokens:
    items: list[tuple[str, str, str]]
    at: int = 0
    depth: int = 0

    def peek(self) -> str:
        return self.items[self.at][1] if self.at < len(self.items) else ""

    def take(self) -> tuple[str, str, str]:
        if self.at >= len(self.items):
            raise ExpressionError("the expression ends too early")
        self.at += 1
        return self.items[self.at - 1]


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"cannot read `{text[at:].strip()[:80]}` in `{text[:200]}`")
        kind = match.lastgroup if match.lastgroup != "where" else "name"
        yield str(kind), match[str(kind)], match["where"] or ""
        at = match.end()


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Read arithmetic or a comparison; ExpressionError says what is wrong."""
    tokens = _Tokens(list(islice(_tokens(text), MAX_TOKENS + 1)))
    if len(tokens.items) > MAX_TOKENS:
        raise ExpressionError(
            f"the expression has more than {MAX_TOKENS} words and signs: compute a part of it as a "
            "metric of its own"
        )
    if not tokens.items:
        raise ExpressionError("the expression is empty")
    found = _either(tokens)
    if tokens.peek():
        raise ExpressionError(f"`{tokens.peek()}` is not expected in `{text}`")
    return found


def parse_statement(text: str) -> Expression:
    """Read an expression that is true or false."""
    found = parse_expression(text)
    if not _is_statement(found):
        raise ExpressionError(f"`{text}` states nothing: compare it, for example `a < b`")
    return found


def references(expression: Expression) -> tuple[Ref, ...]:
    """Every metric or fact that an expression reads, in order."""
    match expression:
        case Ref():
            return (expression,)
        case Unary():
            return references(expression.operand)
        case Binary():
            return references(expression.left) + references(expression.right)
        case _:
            return ()


def _is_statement(node: Expression) -> bool:
    match node:
        case Binary(op, left, right):
            if op in ("and", "or"):
                return _is_statement(left) and _is_statement(right)
            return op in COMPARISONS
        case Unary("not", operand):
            return _is_statement(operand)
        case _:
            return False


def _either(tokens: _Tokens) -> Expression:
    found = _both(tokens)
    while tokens.peek() == "or":
        tokens.take()
        found = Binary("or", found, _both(tokens))
    return found


def _both(tokens: _Tokens) -> Expression:
    found = _negated(tokens)
    while tokens.peek() == "and":
        tokens.take()
        found = Binary("and", found, _negated(tokens))
    return found


def _negated(tokens: _Tokens) -> Expression:
    if tokens.peek() == "not":
        tokens.take()
        return Unary("not", _nested(tokens, _negated))
    return _comparison(tokens)


def _comparison(tokens: _Tokens) -> Expression:
    left = _sum(tokens)
    if tokens.peek() == "=":
        tokens.take()
        turned = tokens.peek()
        meant = f"{turned}=" if turned in ("<", ">") else "=="  # `=>` is `>=`
        raise ExpressionError(f"`=` compares nothing: write `{meant}`")
    if tokens.peek() not in COMPARISONS:
        return left
    op = tokens.take()[1]
    found = Binary(op, left, _sum(tokens))
    if tokens.peek() in COMPARISONS:
        raise ExpressionError("one comparison at a time: join two with `and`")
    return found


def _sum(tokens: _Tokens) -> Expression:
    found = _product(tokens)
    while tokens.peek() in ("+", "-"):
        op = tokens.take()[1]
        found = Binary(op, found, _product(tokens))
    return found


def _product(tokens: _Tokens) -> Expression:
    found = _unary(tokens)
    while tokens.peek() in ("*", "/"):
        op = tokens.take()[1]
        found = Binary(op, found, _unary(tokens))
    return found


def _nested(tokens: _Tokens, parser: object) -> Expression:
    tokens.depth += 1
    if tokens.depth > MAX_DEPTH:
        raise ExpressionError("the expression is nested too deeply")
    found: Expression = parser(tokens)  # type: ignore[operator]
    tokens.depth -= 1
    return found


def _unary(tokens: _Tokens) -> Expression:
    kind, text, where = tokens.take()
    if kind == "number":
        try:
            return Number(parse(text))
        except QuantityError as wrong:
            raise ExpressionError(str(wrong)) from None
    if kind == "text":
        return Word(text[1:-1])
    if kind == "name":
        if text in ("and", "or", "not"):
            raise ExpressionError(f"`{text}` is not expected there")
        return Ref(text, _where(where))
    if text == "-":
        return Unary("-", _nested(tokens, _unary))
    if text == "(":
        found = _nested(tokens, _either)
        if tokens.peek() != ")":
            raise ExpressionError("a parenthesis is not closed")
        tokens.take()
        return found
    raise ExpressionError(f"`{text}` is not expected there")


def _where(text: str) -> tuple[tuple[str, str], ...]:
    if not text:
        return ()
    found = []
    for part in text[1:-1].split(","):
        name, equals, level = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not level:
            raise ExpressionError(f"`{text}` names no level: write [factor=level]")
        found.append((name, level))
    return tuple(found)
