"""Rules that judge a step or a trial: `load.error_ratio <= 0.001`, `workload.alive`.

    rule   = ["not "] subject ["for " duration]
           | ["not "] ("stdout" | "stderr") "matches" text
           | subject [".gained"] op value
    op     = "<=" | "<" | "==" | "!=" | ">=" | ">"
    value  = quantity | "none" | text | [number "*"] subject
    subject= name "." name {"." name}

A rule is parsed into plain data here and evaluated elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from runner.records.patterns import PatternError, compiled
from runner.records.quantities import TIME, Quantity, QuantityError, parse, parse_as
from runner.spec.base import as_text, fault
from runner.spec.references import check_reference

OPERATORS = ("<=", ">=", "==", "!=", "<", ">")
_NAME = r"[A-Za-z_][\w-]*(?:\.[A-Za-z_0-9][\w-]*)+"
_STATE = re.compile(rf"(?P<not>not\s+)?(?P<subject>{_NAME})(?:\s+for\s+(?P<time>.+))?")
_COMPARE = re.compile(r"(?P<subject>[^<>=!]+?)\s*(?P<op><=|>=|==|!=|<|>|=)\s*(?P<value>.+)")
_SCALED = re.compile(rf"(?:(?P<factor>\S+)\s*\*\s*)?(?P<name>{_NAME})")
_WORD = re.compile(r"[A-Za-z][\w+-]*")
_GAINED = ".gained"
_MATCHES = re.compile(
    r"(?P<not>not\s+)?(?P<stream>stdout|stderr)\s+matches\s+(?P<pattern>.+)", re.DOTALL
)


@dataclass(frozen=True)
class Reference:
    """Another measured value, times a factor: `0.98 * load.connections`."""

    name: str
    factor: float = 1.0


Value = Quantity | Reference | str | bool | None
"""What a rule compares with; None is the word `none`: nothing at all."""


@dataclass(frozen=True)
class Rule:
    """One rule as plain data; `text` is what the user wrote."""

    text: str
    subject: str
    """What is looked at: `load.error_ratio`, `workload.alive`."""
    op: str
    """`<=`, `<`, `==`, `!=`, `>=`, `>`, `is` for a state that holds or not, `matches`, `lacks`."""
    value: Value
    gained: bool = False
    """The change during the step is meant, not the value."""
    for_s: float = 0.0
    """How long the state has to last."""

    def __str__(self) -> str:
        return self.text


class RuleError(ValueError):
    """The text is not a rule; the message says what to write."""


def _value(text: str) -> Value:
    if text == "none":
        return None
    if text in ("true", "false"):
        return text == "true"
    scaled = _SCALED.fullmatch(text)
    if scaled:
        problem = check_reference(scaled["name"])
        if problem:
            raise RuleError(problem)
        try:
            factor = parse(scaled["factor"]).ratio if scaled["factor"] else 1.0
        except QuantityError as wrong:
            raise RuleError(str(wrong)) from None
        return Reference(scaled["name"], factor)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if _WORD.fullmatch(text):
        return text
    try:
        return parse(text)
    except QuantityError as wrong:
        raise RuleError(str(wrong)) from None


def _check_subject(subject: str) -> str:
    if not re.fullmatch(_NAME, subject):
        message = f"`{subject}` is not a name of something measured, such as load.error_ratio"
        raise RuleError(message)
    bare = subject.removesuffix(_GAINED)
    problem = check_reference(bare)
    if problem:
        raise RuleError(problem)
    return bare


def parse_rule(text: str) -> Rule:
    """Read one rule; RuleError says what is wrong with it."""
    said = " ".join(text.split())
    printed = _MATCHES.fullmatch(text.strip())
    if printed is not None:
        return _matches(printed)
    if said.endswith(OPERATORS):
        raise RuleError(f"`{said}` lacks the value to compare with")
    compare = _COMPARE.fullmatch(said)
    if compare:
        if compare["op"] == "=":
            value, turned = compare["value"], compare["value"][:1] in "<>"
            fixed = f"{value[0]}= {value[1:].strip()}" if turned else f"== {value}"
            fixed = f"{compare['subject'].strip()} {fixed}"  # `=>` is `>=`
            raise RuleError(f"`=` compares nothing: write `{fixed}`")
        subject = _check_subject(compare["subject"].strip())
        value = _value(compare["value"].strip())
        if compare["op"] not in ("==", "!=") and not isinstance(value, (Quantity, Reference)):
            raise RuleError(f"`{compare['value']}` has no order: only == and != can compare it")
        gained = compare["subject"].strip().endswith(_GAINED)
        return Rule(said, subject, compare["op"], value, gained)
    state = _STATE.fullmatch(said)
    if state is None:
        raise RuleError(
            f"`{said}` is not a rule: write `subject <= value`, `workload.alive` "
            "or `workload.dead for 2s`"
        )
    subject = _check_subject(state["subject"])
    try:
        for_s = parse_as(TIME, state["time"]).seconds if state["time"] else 0.0
    except QuantityError as wrong:
        raise RuleError(str(wrong)) from None
    if subject not in STATES:
        raise RuleError(
            f"`{subject}` is a value, not a state: compare it, for example `{subject} == 0`"
        )
    return Rule(said, subject, "is", state["not"] is None, for_s=for_s)


def _matches(found: re.Match[str]) -> Rule:
    """Read `stdout matches 'Solution Validates'`: a regular expression, in quotes."""
    pattern = found["pattern"].strip()
    if len(pattern) < 3 or pattern[0] != pattern[-1] or pattern[0] not in "'\"":
        raise RuleError(f"a pattern stands in quotes: `{found['stream']} matches '…'`")
    try:
        compiled(pattern[1:-1])
    except PatternError as wrong:
        raise RuleError(str(wrong)) from None
    op = "lacks" if found["not"] else "matches"
    return Rule(found[0], f"{found['stream']}.regex", op, pattern[1:-1])


STATES = ("workload.alive", "workload.dead", "workload.ready", "search.monotone", "host.drift",
          "host.clock_changed", "build.stripped", "build.dynamic", "load.failed")  # fmt: skip
"""Subjects that hold or do not hold by themselves."""


def _read(value: object) -> Rule:
    if isinstance(value, Rule):
        return value
    try:
        return parse_rule(as_text(value))
    except RuleError as wrong:
        raise fault("rule", str(wrong)) from None


_EXAMPLES = ("load.error_ratio <= 0.1%", "workload.alive", "stdout matches 'Solution Validates'")
RuleText = Annotated[
    Rule,
    PlainValidator(_read),
    PlainSerializer(str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": [*_EXAMPLES]}),
]
