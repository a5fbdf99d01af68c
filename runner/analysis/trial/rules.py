"""Health rules and guards against the numbers of a step.

A rule whose subject has no number does not hold: what was not seen cannot be
called healthy. The reason says which number was missing and why.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from runner.analysis.model import RuleResult
from runner.analysis.stats.nearly import COMPARE
from runner.kinds.sources._text import NOTHING_MATCHES, pattern_name
from runner.kinds.units import unit_of
from runner.records.amounts import amount
from runner.records.quantities import Quantity
from runner.records.units import base_name
from runner.spec.health import Reference, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Number = float | int | str | bool | None


def judge(
    rules: Iterable[Rule], numbers: Mapping[str, Number], why: Mapping[str, str]
) -> tuple[RuleResult, ...]:
    """Judge every rule against one step's numbers."""
    return tuple(_one(rule, numbers, why) for rule in rules)


def _one(rule: Rule, numbers: Mapping[str, Number], why: Mapping[str, str]) -> RuleResult:
    if rule.op in ("matches", "lacks"):
        return _printed(rule, numbers, why)
    name = f"{rule.subject}.gained" if rule.gained else rule.subject
    actual = numbers.get(name)
    if actual is None and name not in numbers and rule.gained:
        actual = numbers.get(rule.subject)
    if actual is None:
        reason = why.get(name) or why.get(rule.subject) or "not measured"
        return RuleResult(rule.text, None, "unknown", reason)
    wanted = rule.value
    if isinstance(wanted, Reference):
        other = numbers.get(wanted.name)
        if other is None or isinstance(other, str):
            reason = why.get(wanted.name, "not measured")
            return RuleResult(rule.text, None, shown(actual, name), f"{wanted.name}: {reason}")
        limit = float(other) * wanted.factor
        return replace(_compared(rule, name, actual, limit, why), wanted=shown(limit, name))
    if isinstance(wanted, Quantity):
        return _compared(rule, name, actual, float(wanted.exact), why)
    if wanted is None:
        # `== none`: no bit set, no event gained
        same = not actual
    elif isinstance(wanted, bool):
        same = bool(actual) is wanted
    else:
        same = str(actual) == wanted
    held = same if rule.op in {"is", "=="} else not same
    return RuleResult(rule.text, held, shown(actual, name), "" if held else why.get(name, ""))


def _printed(rule: Rule, numbers: Mapping[str, Number], why: Mapping[str, str]) -> RuleResult:
    """Judge whether what was printed matches; unknown where a part of it is not there."""
    name = pattern_name(rule.subject, str(rule.value))
    said = why.get(name, "")
    if numbers.get(name) is None and not said.startswith(NOTHING_MATCHES):
        return RuleResult(rule.text, None, "unknown", said or "nothing that it printed is kept")
    matched = numbers.get(name) is not None
    seen = "it does" if matched else "it does not"
    if "left out" in said:
        return RuleResult(rule.text, None, "unknown", said)
    return RuleResult(rule.text, matched is (rule.op == "matches"), seen)


def _compared(
    rule: Rule, name: str, actual: Number, wanted: float, why: Mapping[str, str]
) -> RuleResult:
    if actual is None or isinstance(actual, str):
        return RuleResult(rule.text, None, shown(actual, name), "is not a number")
    held = COMPARE[rule.op](float(actual), wanted)
    seen = shown(actual, name)
    if not held and actual != wanted and seen == shown(wanted, name):
        # a difference below three digits is the reason, so it has to be seen
        seen = f"{float(actual):.9g} {base_name(unit_of(name) or '1')}".removesuffix(" 1")
    return RuleResult(rule.text, held, seen, "" if held else why.get(name, ""))


def shown(value: Number, name: str) -> str:
    """Write what a rule saw in the unit of the number that it names."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    return amount(value, unit_of(name) or "1")
