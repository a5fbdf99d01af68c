"""What a run came to, on a terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.cli import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Estimate
    from runner.apply.interface import Outcome

MOST_NUMBERS: Final = 24
MOST_TEXT: Final = 80
"""Lines of metrics on a terminal, and characters of one that is a text; the report has all."""


def show(outcome: Outcome) -> None:
    """Print the metrics, the verdicts, the recap and the report's path."""
    for line in numbers(outcome.estimates):
        console.say(line)
    for claim in outcome.claims:
        verdict = f"{claim.id}  {claim.verdict}"
        console.say(f"   claim {verdict}: {claim.reason}")
    counts = {name: vars(count) for name, count in outcome.hosts.items()}
    for line in console.recap(counts, outcome.left_out):
        console.say(line)
    if outcome.report is not None:
        console.out(str(outcome.report))
    if outcome.failed:
        # last, where one looks: which rule or guard, and what the program said
        for line in outcome.failed.splitlines():
            console.say(console.colour("failed: ", "failed") + line)


def numbers(estimates: Sequence[Estimate]) -> list[str]:
    """Give a line for each metric and cell: median, interval with its level, n."""
    from runner.analysis.middle import middle
    from runner.report.format import units, words

    lines = []
    for one in estimates[:MOST_NUMBERS]:
        where = words.treatment(one.treatment)
        place = f" [{', '.join(filter(None, (where, one.step)))}]" if where or one.step else ""
        # a text may be of several lines
        value = " ".join(one.text.split())[:MOST_TEXT] or middle(one)
        if one.interval is not None and one.level is not None:
            level = units.percent(one.level)
            value += f" ({units.interval(one.interval, one.unit)} at {level})"
        why = f": {one.why}" if one.why else ""
        lines.append(f"   metric {one.metric}{place}  {value}, n = {one.n}{why}")
    if len(estimates) > MOST_NUMBERS:
        lines.append(f"   and {len(estimates) - MOST_NUMBERS} more, in the report")
    return lines


def as_json(outcome: Outcome) -> dict[str, object]:
    """Give what `--json` prints: run, report, hosts, trials, claims; numbers in base units."""
    from runner.kinds.units import base_unit_of
    from runner.records.units import base_name

    return {
        "run": outcome.run,
        "report": None if outcome.report is None else str(outcome.report),
        "hosts": {name: vars(counts) for name, counts in outcome.hosts.items()},
        "trials": [
            {
                "id": trial.id,
                "treatment": trial.treatment,
                "repetition": trial.repetition,
                "outcome": trial.outcome,
                "why": trial.why,
                "steps": [
                    {
                        "name": step.name,
                        "connections": step.connections,
                        "outcome": step.outcome,
                        "numbers": step.numbers,
                        "units": {name: base_unit_of(name) for name in step.numbers},
                        "failed": [rule.rule for rule in step.rules if not rule.held],
                    }
                    for step in trial.steps
                ],
            }
            for trial in outcome.trials
        ],
        "claims": [
            {
                "id": claim.id,
                "verdict": claim.verdict,
                "estimate": claim.estimate,
                "interval": claim.interval,
                "level": claim.level,
                "unit": base_name(claim.unit),
                "shown_in": claim.unit,
                "n": claim.n,
                "reason": claim.reason,
            }
            for claim in outcome.claims
        ],
        "left_out": dict(outcome.left_out),
        "failed": outcome.failed,
    }
