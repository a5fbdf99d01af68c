"""Trials as such: attempts, guards, the sampler's cost, and the levels of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.report.format import markdown, units, words
from runner.report.format.markdown import Md, code, escape, join, link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.analysis.model import Series, Trial
    from runner.records.manifest import Manifest


def raw_link(trial: str, manifest: Manifest) -> Md:
    """Link to a trial's events, or its name alone where git does not hold them."""
    entry = manifest.events.get(trial)
    if entry is None or not entry.committed:
        return code(trial)
    return link(trial, f"../{entry.file}")


def attempts(trials: Sequence[Trial], manifest: Manifest) -> Md | None:
    """Give a row per attempt, invalid ones included, with its reason and its raw events."""
    if not trials:
        return None
    rows: list[list[object]] = [
        [
            raw_link(trial.id, manifest),
            trial.host,
            words.treatment(trial.treatment) or "–",
            trial.repetition,
            trial.attempt,
            words.outcome(trial.outcome),
            trial.why or "",
        ]
        for trial in trials
    ]
    head = ["trial", "host", "treatment", "repetition", "attempt", "outcome", "why"]
    align = "lllrrll"
    # a column that says nothing of any trial is left out
    for name, empty in (("why", ""), ("treatment", "–")):
        at = head.index(name)
        if all(row[at] == empty for row in rows):
            head, align = head[:at] + head[at + 1 :], align[:at] + align[at + 1 :]
            rows = [row[:at] + row[at + 1 :] for row in rows]
    return markdown.table(head, rows, align)


def guards(trials: Sequence[Trial]) -> list[Md]:
    """Say each broken guard, and each that could not be judged, with the trials it concerns."""
    names_of: dict[tuple[str, str], list[str]] = {}
    for trial in trials:
        for rule in trial.guards:
            if rule.held is not True:
                text = f"was {rule.seen}" if rule.held is False else f"unguarded: {rule.why}"
                names_of.setdefault((rule.rule, text), []).append(trial.id)
    return [
        Md(f"{code(rule)} {escape(text)} in {join((code(name) for name in names), ', ')}")
        for (rule, text), names in names_of.items()
    ]


def sampler(trials: Sequence[Trial], series: Sequence[Series] = ()) -> Md | None:
    """Say what sampling cost: share of a core, memory, ticks missed."""
    seen = [trial for trial in trials if trial.sampler]
    if not seen:
        return None
    lasted: dict[str, float] = {}
    for line in series:
        lasted[line.trial] = max([lasted.get(line.trial, 0.0), *line.t[-1:]])
    ticks = sum(int(trial.sampler.get("ticks") or 0) for trial in seen)
    missed = sum(int(trial.sampler.get("missed") or 0) for trial in seen)
    rates = sorted({trial.sampler["hz"] for trial in seen if trial.sampler.get("hz")})
    parts = [f"{units.count(ticks)} samples taken, {units.count(missed)} ticks missed"]
    if rates:
        parts[0] += f", {' and '.join(f'{rate:g}' for rate in rates)} ticks a second"
    cpu = [trial.sampler["cpu_s"] for trial in seen if trial.sampler.get("cpu_s") is not None]
    if cpu:
        parts.append(f"{units.duration(sum(cpu))} of CPU time")
    shares = []
    for trial in seen:
        wall = trial.sampler.get("wall_s") or lasted.get(trial.id)
        if wall and trial.sampler.get("cpu_s") is not None:
            shares.append(trial.sampler["cpu_s"] / wall)
    if shares:
        parts[-1] += f" (at most {units.percent(max(shares))} of a core)"
    memory = [m for trial in seen if (m := trial.sampler.get("max_rss_bytes")) is not None]
    if memory:
        parts.append(f"{units.size(max(memory))} resident at most")
    return Md(", ".join(parts) + ".")
