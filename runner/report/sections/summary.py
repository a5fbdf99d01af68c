"""What was asked, how it ended, how to ask again: the head and the foot of a report."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from runner.report.format import units, words
from runner.report.format.markdown import Md, code, code_block, escape, join, web_link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.analysis.model import Analysis
    from runner.records.manifest import Manifest

_STATES = {
    "running": "This run did not end: what is below was recorded before it stopped.",
    "failed": "This run failed.",
    "interrupted": "This run was interrupted; what is below was recorded before.",
}


def paragraph(spec: Mapping[str, object]) -> Md:
    """Say in one paragraph what was asked: program, limits, load, repetitions, source."""
    said = [part for part in (_program(spec), _load(spec), _health(spec), _often(spec)) if part]
    source = spec.get("source")
    if isinstance(source, dict) and source.get("title"):
        said.append(_source(source))
    return Md(" ".join(said))


def _program(spec: Mapping[str, Any]) -> str:
    build, workload = spec.get("build") or {}, spec.get("workload") or {}
    if not workload:
        return f"State only: {code(spec.get('name', ''))} is applied and no workload is run."
    parts = []
    if build.get("command"):
        command = " ".join(map(str, build["command"]))
        parts.append(f"{code(build.get('output', '?'))} built by {code(command)}")
    elif build:
        parts.append(
            f"{code(build.get('package', '?'))} built with Go {escape(build.get('go', '?'))}"
        )
    if workload.get("argv") and (not build or build.get("command")):
        parts.append(code(" ".join(str(word) or "''" for word in workload["argv"])))
    limits = {**(workload.get("cgroup") or {}), **(workload.get("limits") or {})}
    if limits:
        shown = ", ".join(f"{code(key)} {escape(_limit(key, v))}" for key, v in limits.items())
        parts.append(f"held to {shown}")
    return f"{', '.join(parts) or 'A workload'}."


def _limit(key: str, found: Any) -> str:
    """Show a limit: bytes in their unit, a soft and a hard one that are equal once."""
    if isinstance(found, dict) and len(set(map(str, found.values()))) == 1:
        found = next(iter(found.values()))
    if str(found).isdecimal() and key.startswith(("memory.", "hugetlb.")):
        return units.size(int(found))
    return words.value(found)


def _load(spec: Mapping[str, Any]) -> str:
    load = spec.get("load") or {}
    search = spec.get("search") or {}
    aim = f"to find the {escape(search.get('find', 'highest healthy level'))}"
    if search:
        low, high = (*(search.get("between") or ("?", "?")), "?")[:2]
        aim += f" between {escape(low)} and {escape(high)}"
    if not load:
        return f"Run again and again {aim}." if search else ""
    steps = load.get("steps")
    target = f" at {code(load['url'])}" if load.get("url") else ""
    text = f"Load by {code(load.get('generator', '?'))}{target}"
    if isinstance(steps, list) and steps:
        each = [str(s.get("connections", "?")) for s in steps if isinstance(s, dict)]
        lasting = {
            words.value(s["duration"]) for s in steps if isinstance(s, dict) and "duration" in s
        }
        text += f": {words.plural(len(steps), 'step')} of {escape(', '.join(each))} connections"
        text += f", {escape(lasting.pop())} each" if len(lasting) == 1 else ""
    return f"{text}, {aim}." if search else f"{text}."


def _health(spec: Mapping[str, Any]) -> str:
    rules = spec.get("healthy") or []
    if not rules:
        return ""
    return f"A step is healthy when {join((code(rule) for rule in rules), ', ')}."


def _often(spec: Mapping[str, object]) -> str:
    repeat = spec.get("repeat")
    if isinstance(repeat, dict) and repeat.get("between"):
        low, high = repeat["between"]
        if low == high:
            return f"Repeated {escape(low)} times." if low != 1 else ""
        unit = escape(repeat.get("unit", "trial"))
        return f"Repeated {escape(low)} to {escape(high)} times, the unit is one {unit}."
    if isinstance(repeat, int) and repeat > 1:
        return f"Repeated {repeat} times."
    return ""


def _source(source: Mapping[str, Any]) -> str:
    title = web_link(source["title"], str(source.get("url", "")))
    section = f", section {escape(source['section'])}" if source.get("section") else ""
    authors = f" by {escape(', '.join(source['authors']))}" if source.get("authors") else ""
    doi = source.get("doi")
    where = f", {web_link(doi, f'https://doi.org/{doi}')}" if doi else ""
    note = f" ({escape(source['note'])})" if source.get("note") else ""
    read = f", read on {escape(source['read_on'])}" if source.get("read_on") else ""
    return f"The published numbers are those of {title}{authors}{section}{where}{read}{note}."


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
        counted = Counter(step.outcome for step in steps)
        lines.append(Md(f"{words.plural(len(steps), 'step')}: {_counted(counted)}."))
    if analysis.search and analysis.search.get("result"):
        lines.append(escape(analysis.search["result"]))
    if analysis.claims:
        verdicts = Counter(words.verdict(claim.verdict) for claim in analysis.claims)
        said = ", ".join(f"{number} {escape(name)}" for name, number in verdicts.items())
        lines.append(Md(f"{words.plural(len(analysis.claims), 'claim')}: {said}."))
    return lines


def _trials(analysis: Analysis) -> str:
    return _counted(Counter(trial.outcome for trial in analysis.trials))


def _counted(counter: Mapping[str, int]) -> str:
    order = [name for name in words.MARKS if name in counter]
    order += [name for name in counter if name not in words.MARKS]
    return ", ".join(f"{counter[name]} {escape(words.outcome(name))}" for name in order)


def warnings(
    manifest: Manifest,
    facts: Mapping[str, Any],
    changes: Sequence[Mapping[str, object]],
    analysis: Analysis,
) -> list[Md]:
    """Say what a reader has to know before the numbers."""
    found = []
    left = [c for c in changes if c.get("phase") == "restore" and c.get("outcome") in _LEFT]
    if left:
        names = join(code(f"{c.get('host', '')} {c.get('id', '')}".strip()) for c in left)
        found.append(Md(f"Not restored: {names}. `runner restore` tries again."))
    spec = manifest.spec
    if analysis.claims and spec.committed is False:
        text = "The spec was changed after its last commit: git does not show that its margins "
        found.append(Md(text + "and repetitions were fixed before the data."))
    judged = manifest.judged_with
    if judged is not None and judged.changed and judged.sha256 != spec.sha256:
        other = code(judged.sha256[:12])
        which = f"; changed: {_some(judged.changed)}"
        text = f"The claims were judged with another version of the spec ({other}{which}) "
        found.append(
            Md(text + "than the one that was run: margins may have been chosen after the data.")
        )
    if not facts:
        found.append(Md("No facts were recorded: the run ended before they were read."))
    return found


def _some(names: Sequence[str], most: int = 5) -> Md:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return Md(join(code(name) for name in names[:most]) + more)


_DIRTY: dict[bool | None, str] = {True: ", with uncommitted changes", False: ", clean"}
_FIXED: dict[bool | None, str] = {True: ", as committed", False: ", not as committed"}


def notes(spec: Mapping[str, Any], analysis: Analysis) -> list[Md]:
    """Give the author's notes, then those of the analysis."""
    said = (spec.get("report") or {}).get("notes") or ()
    return [escape(note, 2000) for note in (*said, *analysis.notes)]


_LEFT = frozenset({"failed", "drifted"})


def repeat(manifest: Manifest, spec: Mapping[str, Any]) -> Md:
    """Give the shell lines that repeat the run; shown verbatim in a code block."""
    commit = manifest.git.commit
    path = manifest.spec.path or f"experiments/{spec.get('name', 'NAME')}.yaml"
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
