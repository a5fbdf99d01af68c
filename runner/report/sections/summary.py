"""What was asked, how it ended, how to ask again: the head and the foot of a report."""

from __future__ import annotations

import shlex
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from runner.records.outcome import FAILED
from runner.records.quantities import TIME, Quantity
from runner.report.format import units, words
from runner.report.format.markdown import Md, code, code_block, escape, join, web_link
from runner.spec.base import write_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis
    from runner.records.changes import CellChange
    from runner.records.manifest import Manifest
    from runner.spec.design import Repeat, Search
    from runner.spec.experiment import Experiment, Source
    from runner.spec.load import Load

_STATES = {
    "running": "This run did not end: what is below was recorded before it stopped.",
    "failed": "This run failed.",
    "interrupted": "This run was interrupted; what is below was recorded before.",
}


def paragraph(experiment: Experiment) -> Md:
    """Say in one paragraph what was asked: program, limits, load, repetitions, source."""
    parts = (
        _program(experiment),
        _load(experiment.load, experiment.search),
        _health(experiment),
        _often(experiment.repeat),
        _source(experiment.source),
    )
    return Md(" ".join(part for part in parts if part))


def _program(experiment: Experiment) -> str:
    build, workload = experiment.build, experiment.workload
    if workload is None:
        return f"State only: {code(experiment.name)} is applied and no workload is run."
    parts = []
    if build is not None and build.command:
        parts.append(f"{code(build.output or '?')} built by {code(' '.join(build.command))}")
    elif build is not None:
        of = f" {escape(build.go)}" if build.go else ""
        parts.append(f"{code(build.package)} built with Go{of}")
    if workload.argv and (build is None or build.command):
        parts.append(code(" ".join(str(word) or "''" for word in workload.argv)))
    limits = {**(workload.cgroup.shown() if workload.cgroup else {}), **workload.limits.shown()}
    if limits:
        held = ", ".join(f"{code(key)} {escape(value)}" for key, value in limits.items())
        parts.append(f"held to {held}")
    return f"{', '.join(parts) or 'A workload'}."


def _load(load: Load | None, search: Search | None) -> str:
    aim = ""
    if search is not None:
        low, high = (write_quantity(end) for end in search.between)
        aim = f"to find the {escape(search.find)} between {escape(low)} and {escape(high)}"
    if load is None:
        return f"Run again and again {aim}." if search else ""
    if load.generator == "none":
        text = "No load is made"
    else:
        urls = [one.url for one in load.urls] or [str(load.url)]
        text = f"Load by {code(load.generator)} at {join((code(url) for url in urls), ', ')}"
    if load.steps:
        text += f": {_steps(load)}"
    return f"{text}, {aim}." if search else f"{text}."


def _steps(load: Load) -> str:
    """Say the steps as they are run: how many, at what, and for how long where all are alike."""
    steps = load.expanded_steps()
    if any(step.shape or step.arrivals for step in steps):
        at = ", ".join(step.name for step in steps)
    elif all(step.rate is not None for step in steps):
        at = ", ".join(f"{step.rate:g}" for step in steps) + " requests per second"
    else:
        at = ", ".join("?" if s.connections is None else str(s.connections) for s in steps)
        at += " connections"
    text = f"{words.plural(len(steps), 'step')} of {escape(at)}"
    lasting = {step.duration_s for step in steps}
    if len(lasting) > 1:
        return text
    return f"{text}, {escape(Quantity(Fraction(repr(lasting.pop())), TIME))} each"


def _health(experiment: Experiment) -> str:
    rules = [code(rule.text) for rule in experiment.healthy]
    return f"A step is healthy when {join(rules, ', ')}." if rules else ""


def _often(repeat: Repeat) -> str:
    low, high = repeat.minimum, repeat.maximum
    where = " on each board" if repeat.per_board else ""
    if low == high:
        return f"Repeated {low} times{where}." if low != 1 else ""
    return f"Repeated {low} to {high} times{where}, the unit is one {repeat.unit}."


def _source(source: Source | None) -> str:
    if source is None or not source.title:
        return ""
    title = web_link(source.title, source.url or "")
    section = f", section {escape(source.section)}" if source.section else ""
    authors = f" by {escape(', '.join(source.authors))}" if source.authors else ""
    doi = f", {web_link(source.doi, f'https://doi.org/{source.doi}')}" if source.doi else ""
    note = f" ({escape(source.note)})" if source.note else ""
    read = f", read on {escape(source.read_on)}" if source.read_on else ""
    return f"The published numbers are those of {title}{authors}{section}{doi}{read}{note}."


def state(manifest: Manifest) -> Md:
    """Say how the run ended, unless it just did."""
    text = _STATES.get(manifest.state, "")
    why = manifest.why
    return Md(f"{text} {escape(why)}".strip() if text and why else text)


def summary(analysis: Analysis) -> list[Md]:
    """Give the result in a few lines: trials by outcome, steps, claims by verdict."""
    lines = []
    if analysis.trials:
        lines.append(Md(f"{words.plural(len(analysis.trials), 'trial')}: {_trials(analysis)}."))
    failed = [trial for trial in analysis.trials if trial.outcome == "error"]
    lines += [Md(f"{code(trial.id)}: {escape(trial.why)}") for trial in failed[:3] if trial.why]
    steps = [step for trial in analysis.trials for step in trial.steps]
    if len(steps) > len(analysis.trials):
        counted = Counter[str](step.outcome for step in steps)
        lines.append(Md(f"{words.plural(len(steps), 'step')}: {_counted(counted)}."))
    if analysis.search and analysis.search.get("result"):
        lines.append(escape(analysis.search["result"]))
    if analysis.claims:
        verdicts = Counter(words.verdict(claim.verdict) for claim in analysis.claims)
        counts = ", ".join(f"{number} {escape(name)}" for name, number in verdicts.items())
        lines.append(Md(f"{words.plural(len(analysis.claims), 'claim')}: {counts}."))
    return lines


def _trials(analysis: Analysis) -> str:
    return _counted(Counter[str](trial.outcome for trial in analysis.trials))


def _counted(counter: Mapping[str, int]) -> str:
    order = [name for name in words.MARKS if name in counter]
    order += [name for name in counter if name not in words.MARKS]
    return ", ".join(f"{counter[name]} {escape(words.outcome(name))}" for name in order)


def warnings(
    manifest: Manifest,
    facts: Mapping[str, Any],
    changes: Sequence[CellChange],
    analysis: Analysis,
) -> list[Md]:
    """Say what a reader has to know before the numbers."""
    sentences = []
    left = not_restored(changes)
    if left:
        names = join(code(f"{change.host} {change.id}".strip()) for change in left)
        sentences.append(Md(f"Not restored: {names}. `runner restore` tries again."))
    spec = manifest.spec
    if analysis.claims and spec.committed is False:
        text = "The spec was changed after its last commit: git does not show that its margins "
        sentences.append(Md(text + "and repetitions were fixed before the data."))
    judged = manifest.judged_with
    if judged is not None and judged.changed and judged.sha256 != spec.sha256:
        other = code(judged.sha256[:12])
        which = f"; changed: {_some(judged.changed)}"
        text = f"The claims were judged with another version of the spec ({other}{which}) "
        sentences.append(
            Md(text + "than the one that was run: margins may have been chosen after the data.")
        )
    if not facts:
        sentences.append(Md("No facts were recorded: the run ended before they were read."))
    return sentences


def not_restored(changes: Sequence[CellChange]) -> list[CellChange]:
    """Give what the last attempt to put back left as it was."""
    last = {(change.host, change.id): change for change in changes if change.phase == "restore"}
    return [change for change in last.values() if change.outcome in FAILED]


def _some(names: Sequence[str], most: int = 5) -> Md:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return Md(join(code(name) for name in names[:most]) + more)


_DIRTY: dict[bool | None, str] = {True: ", with uncommitted changes", False: ", clean"}
_FIXED: dict[bool | None, str] = {True: ", as committed", False: ", not as committed"}


def notes(experiment: Experiment, analysis: Analysis) -> list[Md]:
    """Give the author's notes, then those of the analysis."""
    return [escape(note, 2000) for note in (*experiment.report.notes, *analysis.notes)]


def repeat(manifest: Manifest, experiment: Experiment) -> Md:
    """Give the shell lines that repeat the run; shown verbatim in a code block."""
    commit = manifest.git.commit
    path = manifest.spec.path or f"experiments/{experiment.name}.yaml"
    command = manifest.command or ("runner", "apply", path)
    lines = [f"git checkout {shlex.quote(commit)}"] if commit else []
    lines.append(shlex.join(command))
    lines.append(f"runner report {shlex.quote(manifest.id)}    # this page, from the record")
    return code_block("\n".join(lines), "sh")


def record(manifest: Manifest) -> list[Md]:
    """Say where each part of the record is, and what git does not hold."""
    git, spec = manifest.git, manifest.spec
    started, ended = manifest.started_at, manifest.ended_at
    lines = [Md(f"Run {code(manifest.id or '?')}, begun {words.when(started)}")]
    if started is not None and ended is not None:
        lines[0] = Md(f"{lines[0]}, lasted {units.long_duration(ended - started)}.")
    if git.commit:
        dirty = _DIRTY.get(git.dirty, "")
        names = _some(git.changed)
        lines.append(Md(f"Git {code(git.commit[:12])}{dirty}{': ' if names else ''}{names}."))
    elif git.why:
        lines.append(Md(f"Git revision unknown: {escape(git.why)}."))
    if spec.sha256:
        fixed = _FIXED.get(spec.committed, "")
        lines.append(Md(f"Spec [spec.yaml](../spec.yaml), sha256 {code(spec.sha256[:12])}{fixed}."))
    out = [entry for entry in manifest.events.values() if not entry.committed]
    if out:
        size = units.size(sum(entry.bytes for entry in out))
        lines.append(
            Md(
                f"Raw events of {words.plural(len(out), 'trial')} ({size}) are not in git, by "
                "the size rule in [run.json](../run.json), which has their hashes; "
                "[analysis.json](analysis.json) has what this page is made of."
            )
        )
    return lines
