"""What only the whole spec shows: names that do not exist, parts that do not go together.

Each check gives (path, message, whether the key is meant). Names are those of the
file even where their definition was refused, so that one fault is not told twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runner.quantities import QuantityError, parse
from runner.spec.base import did_you_mean, nearest
from runner.spec.design import OVERRIDABLE
from runner.spec.expressions import Ref, references
from runner.spec.metrics import check_column
from runner.spec.references import check_reference
from runner.spec.treatments import RUNTIME, placeholders, treatments

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment
    from runner.specfile.values import Path

    Finding = tuple[Path, str, bool]

_PSEUDO_FACTORS = ("step", "host")
_VERSIONS = ("build.go", "go", "version", "release")


class Names:
    """Names that the file defines, refused or not, and where list entries stand in it."""

    def __init__(
        self,
        data: Mapping[str, Any],
        kept: Mapping[str, Any],
        indices: Mapping[int, int],
        broken: set[str],
    ) -> None:
        self.data = data
        self.kept = kept
        self.indices = indices
        self.broken = broken
        """Sections of which something was refused."""
        self.metrics = tuple(_keys(data.get("metrics")))
        self.factors: dict[str, tuple[str, ...]] = {}
        factors = data.get("factors")
        for name in _keys(factors):
            levels = factors[name] if isinstance(factors, Mapping) else ()
            known = levels if isinstance(levels, (list, tuple)) else _keys(levels)
            self.factors[name] = tuple(str(level) for level in known)
        self.sections = set(data)

    def place(self, *path: str | int) -> Path:
        """Give the path in the file of an entry of a list of mappings that was kept."""
        *above, index = path
        node: Any = self.kept
        for part in above:
            node = node[part]
        return (*above, self.indices.get(id(node[index]), index))


def _keys(value: Any) -> list[str]:
    return [str(key) for key in value] if isinstance(value, Mapping) else []


def check(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Every check over what was kept of a spec."""
    yield from _metrics(exp, names)
    yield from _claims(exp, names)
    yield from _design(exp, names)
    yield from _report(exp, names)
    yield from _parts(exp, names)
    yield from _braces(names)


def _metrics(exp: Experiment, names: Names) -> Iterator[Finding]:
    steps = {step.name for step in exp.load.expanded_steps()} if exp.load else set()
    for name, metric in exp.metrics.items():
        path = ("metrics", name)
        if name in names.factors:
            yield path, f"`{name}` is a factor too: give the metric another name", True
        for key, text in (("from", metric.source), ("at", metric.at)):
            if text and text.startswith("search.") and "search" not in names.sections:
                yield (*path, key), f"`{text}` needs a `search` section, and there is none", False
        if metric.at and not metric.at.startswith("search.") and steps and metric.at not in steps:
            yield (*path, "at"), f"unknown step `{metric.at}`{did_you_mean(metric.at, steps)}", False
        if metric.per == "step" and "load" not in names.sections:
            yield (*path, "per"), "there are no steps: the spec has no `load`", False
        if metric.unit and (problem := _unit(metric.unit)):
            yield (*path, "unit"), problem, False
        if metric.expression is not None:
            for ref in references(metric.expression):
                for message in _reference(ref, names):
                    yield (*path, "compute"), message, False
    yield from _circles(exp)


def _circles(exp: Experiment) -> Iterator[Finding]:
    below = {
        name: {ref.name for ref in references(metric.expression)}
        for name, metric in exp.metrics.items()
        if metric.expression is not None
    }
    done: set[str] = set()
    for name in below:
        open_, todo = {name}, [name]
        while todo:
            for other in below.get(todo.pop(), ()):
                if other == name and name not in done:
                    done |= open_
                    yield ("metrics", name, "compute"), f"`{name}` is computed from itself", False
                elif other not in open_:
                    open_.add(other)
                    todo.append(other)


def _unit(unit: str) -> str | None:
    """Refuse what looks like a unit and is none: `M`, `mib`."""
    name = unit.removeprefix("1") if unit.startswith("1/") else unit
    if name.startswith("/"):
        try:
            parse(f"1{name}")
        except QuantityError as wrong:
            return str(wrong)
        return None
    try:
        parse(f"1{name}")
    except QuantityError as wrong:
        message = str(wrong)
        if "ambiguous" in message:
            letter = name[:1]
            return f"`{unit}` is ambiguous: write {letter}B (10^n) or {letter}iB (2^n)"
        if "write 1" in message:
            return f"unknown unit `{unit}`: write {message.rpartition('write 1')[2]}"
    return None


def _reference(ref: Ref, names: Names) -> Iterator[str]:
    if ref.name.startswith("facts."):
        return
    stem = ref.name.partition(".")[0]
    if ref.name not in names.metrics and stem not in names.metrics:
        yield f"unknown metric `{ref.name}`{did_you_mean(ref.name, names.metrics)}"
    for factor, level in ref.where:
        problem = _level(factor, level, names)
        if problem:
            yield problem


def _level(factor: str, level: str, names: Names) -> str | None:
    if factor in _PSEUDO_FACTORS:
        return None
    if factor not in names.factors:
        return f"unknown factor `{factor}`{did_you_mean(factor, names.factors)}"
    if level not in names.factors[factor]:
        hint = did_you_mean(level, names.factors[factor])
        return f"factor `{factor}` has no level `{level}`{hint}"
    return None


def _levels(levels: Mapping[str, str], path: Path, names: Names) -> Iterator[Finding]:
    for factor, level in levels.items():
        problem = _level(factor, level, names)
        if problem:
            yield (*path, factor), problem, "unknown factor" in problem


def _claims(exp: Experiment, names: Names) -> Iterator[Finding]:
    seen: set[str] = set()
    yield from _claimed_metrics(names)
    for index, claim in enumerate(exp.claims):
        path = names.place("claims", index)
        if claim.id in seen:
            yield (*path, "id"), f"the claim {claim.id} is there twice", False
        seen.add(claim.id)
        yield from _levels(claim.where, (*path, "where"), names)
        if claim.unit and (problem := _unit(claim.unit)):
            yield (*path, "unit"), problem, False
        if claim.statement is not None:
            for ref in references(claim.statement):
                for message in _reference(ref, names):
                    yield (*path, "expect"), message, False
        published = claim.published
        if published is not None and published.by is not None:
            where = (*path, "published")
            if published.by not in (*_PSEUDO_FACTORS, *names.factors):
                hint = did_you_mean(published.by, names.factors)
                yield (*where, "by"), f"unknown factor `{published.by}`{hint}", False
            else:
                for level in published.levels:
                    problem = _level(published.by, level, names)
                    if problem:
                        yield (*where, "levels", level), problem, True
        yield from _declared(claim.declared, (*path, "declared"))


def _claimed_metrics(names: Names) -> Iterator[Finding]:
    """Metrics of claims, also of those that have another fault."""
    claims = names.data.get("claims")
    for index, claim in enumerate(claims if isinstance(claims, list) else ()):
        metric = claim.get("metric") if isinstance(claim, Mapping) else None
        if isinstance(metric, str) and (problem := check_column(metric, names.metrics)):
            yield ("claims", index, "metric"), problem, False


def _declared(declared: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    for fact, value in declared.items():
        if isinstance(value, float) and (fact in _VERSIONS or fact.endswith(_VERSIONS)):
            message = f'a version without quotes reads as the number {value}: write it in quotes'
            yield (*path, fact), message, False


def _design(exp: Experiment, names: Names) -> Iterator[Finding]:
    reserved = {name for name in names.factors if name in RUNTIME}
    for name in sorted(reserved):
        message = f"a factor cannot be called `{name}`: {{{name}}} is filled in by the run"
        yield ("factors", name), message, True
    for name, factor in exp.factors.items():
        for level, over in factor.levels.items():
            for key in over:
                if key not in OVERRIDABLE:
                    message = f"a level cannot change `{key}`{did_you_mean(key, OVERRIDABLE)}"
                    yield ("factors", name, level, key), message, True
    yield from _levels(exp.baseline, ("baseline",), names)
    for index, skip in enumerate(exp.skip):
        yield from _levels(skip.when, (*names.place("skip", index), "when"), names)
    if exp.factors and "factors" not in names.broken and not treatments(exp):
        yield ("skip",), "every cell of the matrix is skipped", True
    repeat = exp.repeat
    if repeat.unit == "search" and "search" not in names.sections:
        yield ("repeat", "unit"), "there is no `search` to repeat", False
    stop = repeat.stop_when
    if stop is not None and stop.metric is not None and stop.metric not in names.metrics:
        hint = did_you_mean(stop.metric, names.metrics)
        yield ("repeat", "stop_when", "metric"), f"unknown metric `{stop.metric}`{hint}", False


def _report(exp: Experiment, names: Names) -> Iterator[Finding]:
    tables: list[tuple[Path, Any]] = [
        (names.place("report", "tables", index), table)
        for index, table in enumerate(exp.report.tables)
    ]
    if exp.report.table is not None:
        tables.insert(0, (("report", "table"), exp.report.table))
    rows = (*_PSEUDO_FACTORS, *names.factors)
    for path, table in tables:
        for index, row in enumerate(table.rows):
            if row not in rows:
                hint = did_you_mean(row, names.factors)
                yield (*path, "rows", index), f"unknown factor `{row}`{hint}", False
        for index, column in enumerate(table.columns):
            problem = check_column(column, names.metrics)
            if problem:
                yield (*path, "columns", index), problem, False
            elif column.endswith(".vs_baseline") and "baseline" not in names.sections:
                message = f"`{column}` needs a `baseline`, and there is none"
                yield (*path, "columns", index), message, False
    for number, figure in enumerate(exp.report.figures):
        for index, shown in enumerate(figure.show):
            if check_column(shown, names.metrics) and (
                "." not in shown or check_reference(shown)
            ):
                hint = did_you_mean(shown, names.metrics)
                message = f"`{shown}` is neither a metric nor a source{hint}"
                place = names.place("report", "figures", number)
                yield (*place, "show", index), message, False


def _parts(exp: Experiment, names: Names) -> Iterator[Finding]:
    load = exp.load
    whole = "schema" in names.sections
    closed = load is not None and load.generator in ("wrk", "h2load")
    if load is not None and closed and exp.search is None and "search" not in names.sections:
        missing = [s for s in load.expanded_steps() if s.connections is None and s.rate is None]
        if missing and not exp.factors and "load" not in names.broken:
            yield ("load",), "no connections: give connections, steps or a search", True
    if exp.search is not None:
        goal = exp.search.goal
        if goal.variable in ("connections", "rate") and "load" not in names.sections:
            yield ("search", "find"), f"a search over {goal.variable} needs a `load`", False
        if load is not None and load.steps:
            yield ("load", "steps"), "a search chooses the level itself: leave out the steps", True
        if "healthy" not in names.sections:
            yield ("search",), "a search needs `healthy` rules to judge a level by", True
    if whole and load is not None and "workload" not in names.sections and "{port}" in load.url:
        yield ("load",), "there is no `workload` to put this load on", True
    if exp.workload is not None and "build" not in names.sections:
        for index, word in enumerate(exp.workload.argv or ()):
            if isinstance(word, str) and "{binary}" in word:
                message = "{binary} needs a `build` section, and there is none"
                yield ("workload", "argv", index), message, False
    if load is not None and exp.faults and exp.search is None:
        total = sum(step.warmup_s + step.duration_s for step in load.expanded_steps())
        for index, fault in enumerate(exp.faults):
            if fault.at.seconds >= total:
                message = f"the load is over after {total:g}s: this fault would never happen"
                yield (*names.place("faults", index), "at"), message, False


def _braces(names: Names) -> Iterator[Finding]:
    """Find `{prot}` where `{port}` is meant; any other braces are the program's own."""
    known = (*RUNTIME, *names.factors)

    def walk(value: Any, path: Path) -> Iterator[Finding]:
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield from walk(item, (*path, str(key)))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, (*path, index))
        elif isinstance(value, str) and "{" in value:
            for name in placeholders(value):
                near = nearest(name, known) if name not in known else None
                if near is not None:
                    yield path, f"unknown placeholder `{{{name}}}`; did you mean `{{{near}}}`?", False

    for section in ("workload", "load"):
        yield from walk(names.data.get(section), (section,))
