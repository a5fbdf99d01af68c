"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.lint.subject import Subject

SIGPLAN = (
    "SIGPLAN Empirical Evaluation Checklist (Berger, Blackburn, Hauswirth, Hicks 2018; "
    "sigplan.org/Resources/EmpiricalEvaluation)"
)
BENCHSTAT = "benchstat documentation (golang.org/x/perf/cmd/benchstat)"
"""Sources that several rules are from."""

Check = Callable[["Subject"], Iterator[tuple[str, str]]]
"""Gives (where in the spec, what is wrong there)."""

SEVERITIES = ("error", "warning", "note")
"""error: a number that cannot mean what it says; warning: a number that may mislead;
note: worth a sentence in the report."""


@dataclass(frozen=True)
class Rule:
    """One rule of method."""

    id: str
    severity: str
    sentence: str
    """What is wrong, for any spec."""
    why: str
    fix: str
    source: str
    """Where the rule is from."""
    check: Check

    def text(self) -> str:
        """Give what `runner explain` shows."""
        parts = (
            f"{self.id} ({self.severity}): {self.sentence}",
            f"Why: {self.why}",
            f"Fix: {self.fix}",
            f"Source: {self.source}",
        )
        return "\n".join(parts)


@dataclass(frozen=True)
class Finding:
    """One place where a rule is broken."""

    rule: str
    severity: str
    where: str
    """Path in the spec: `load.steps[2]`."""
    message: str
    fix: str
    ignored: str = ""
    """The spec's reason for living with it."""
