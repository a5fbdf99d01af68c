"""Attempts that guards threw away, by treatment: what was measured is what was kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Trial


def table(trials: Sequence[Trial]) -> Md | None:
    """Give a row per treatment: attempts, those thrown away, and the guard that did so most."""
    groups: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        groups[words.treatment(trial.treatment) or "–"].append(trial)
    if not any(trial.outcome == "invalid" for trial in trials):
        return None
    rows = []
    for name, group in groups.items():
        thrown = [trial for trial in group if trial.outcome == "invalid"]
        guards = Counter(rule for trial in thrown for rule in _broken(trial))
        most = guards.most_common(1)
        rows.append(
            [
                name,
                len(group),
                len(thrown),
                units.percent(len(thrown) / len(group)),
                code(most[0][0]) if most else "–",
            ]
        )
    head = ["treatment", "attempts", "thrown away", "share", "mostly by"]
    return markdown.table(head, rows, "lrrrl")


def _broken(trial: Trial) -> list[str]:
    rules = [*trial.guards, *(rule for step in trial.steps for rule in step.rules)]
    return list(dict.fromkeys(rule.rule for rule in rules if rule.held is False))[:1]
