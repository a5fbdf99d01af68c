"""Rules of method for a spec: what would make its numbers mean less than they say.

Pure: works on the frozen experiment, on facts of a host where there are any, and
on the texts of the Go sources beside the spec. A rule is one entry of a table
`RULES` in a file of `rules/`, or in a module of an outside package.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from runner.kinds import discovery
from runner.lint.model import SEVERITIES, Finding, Rule
from runner.lint.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.spec.experiment import Experiment

__all__ = ["SEVERITIES", "Finding", "Rule", "all_rules", "explain", "lint"]


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by subject: ours, then those of outside packages, whose list is read here."""
    return tuple(
        rule for name in discovery.names("lint") for rule in discovery.module("lint", name).RULES
    )


def explain(rule: str) -> Rule | None:
    """Give a rule by its id."""
    return next((found for found in all_rules() if found.id == rule), None)


def lint(
    experiment: Experiment,
    facts: Mapping[str, object] | None = None,
    sources: Mapping[str, str] | None = None,
    beside: Callable[[str], bool] = lambda _: False,
) -> tuple[Finding, ...]:
    """Check an experiment against every rule, the gravest findings first.

    A finding that the spec ignores stays in the list with the spec's reason, so
    that the report can show it. `sources` maps a path to the text of a file,
    `beside` says whether a file of that name lies beside the spec.
    """
    subject = Subject(experiment, facts or {}, sources or {}, beside)
    excuses = experiment.lint.ignore
    found = [
        Finding(rule.id, rule.severity, where, message, rule.fix, excuses.get(rule.id, ""))
        for rule in all_rules()
        for where, message in dict.fromkeys(rule.check(subject))
    ]
    found += [
        Finding(
            "unknown-rule", "warning", "lint.ignore", f"there is no rule `{name}`", "Remove it."
        )
        for name in excuses
        if explain(name) is None
    ]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
