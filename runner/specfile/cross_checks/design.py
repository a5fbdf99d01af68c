"""What only the whole spec shows: factors, repetitions, search, workload and load together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from runner.kinds import resources
from runner.records.secrets import literal
from runner.spec.base import did_you_mean, nearest
from runner.spec.design import OVERRIDABLE, SET
from runner.spec.sections.varied import OF_LOAD, problem
from runner.spec.treatments import RUNTIME, placeholders, treatments, with_levels
from runner.specfile.cross_checks.levels import levels_of_design, reserved, set_words
from runner.specfile.cross_checks.replication import levels_of_replication, replicated
from runner.specfile.names import levels_faults

if TYPE_CHECKING:
    from runner.spec.experiment import Experiment
    from runner.specfile.names import Finding, Names
    from runner.specfile.values import Path

_PAGE = 4096


def check_parts(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Check what sections say of each other."""
    yield from _hosts(exp)
    yield from _factors(exp, names)
    yield from _repeat(exp, names)
    yield from levels_of_replication(exp, names)
    yield from _load(exp, names)
    yield from _search(exp, names)
    yield from _workload(exp, names)
    yield from _built(exp, names)
    yield from _traced(exp)
    yield from _faults(exp, names)
    yield from _braces(exp, names)


def _hosts(exp: Experiment) -> Iterator[Finding]:
    """Check what several boards cannot share."""
    servers = exp.hosts.server
    twice = next((i for i, name in enumerate(servers) if name in servers[:i]), None)
    if twice is not None:
        yield ("hosts", "server", twice), f"`{servers[twice]}` is named twice", False
    yield from _pairs(exp)
    if len(servers) < 2 or twice is not None:
        return
    shared = not exp.hosts.same and not exp.hosts.paired
    if shared and any("system" in o for f in exp.factors.values() for o in f.levels.values()):
        message = (
            "treatments differ in `system`, and boards that share load hosts are in different ones "
            "at once: give each board its own, {per: board}"
        )
        yield ("hosts", "load"), message, False
    if exp.repeat.order.by == "random":
        message = "`random` mixes blocks, and each is run on one of several boards: use `blocks`"
        yield ("repeat", "order", "by"), message, False
    fewest = exp.blocks[0]
    if fewest < len(servers) and exp.workload is not None:
        message = (
            f"{fewest} block(s) for {len(servers)} boards: some would be set up and never "
            f"measured; `repeat: {len(servers)}` or more, or `repeat: {{per_board: 1}}`"
        )
        yield ("repeat",), message, False


def _pairs(exp: Experiment) -> Iterator[Finding]:
    """Check that each board has a load host, and one that no other has."""
    servers, loads = exp.hosts.server, exp.hosts.loads
    if not exp.hosts.paired:
        return
    if len(loads) != len(servers):
        message = (
            f"{len(loads)} load host(s) for {len(servers)} board(s): name one for each, or "
            "write `load: NAME` of each board in the inventory"
        )
        yield ("hosts", "load"), message, False
        return
    for board, load in zip(servers, loads, strict=True):
        others = [name for name, own in zip(servers, loads, strict=True) if own == load]
        if others[0] != board:
            message = f"`{load}` is the load host of {others[0]} and {board}: each needs its own"
            yield ("hosts", "load"), message, False
        elif load in servers:
            yield ("hosts", "load"), f"`{load}` is a board itself: it cannot load another", False


def _factors(exp: Experiment, names: Names) -> Iterator[Finding]:
    for name, factor in exp.factors.items():
        if name in reserved(exp):
            message = f"a factor cannot be called `{name}`: {{{name}}} is filled in by the run"
            yield ("factors", name), message, True
        for level, over in factor.levels.items():
            for key in over:
                if key not in (*OVERRIDABLE, SET):
                    message = f"a level cannot change `{key}`{did_you_mean(key, OVERRIDABLE)}"
                    yield ("factors", name, level, key), message, True
            yield from _state_of_level(exp, ("factors", name, level, "system"), over.get("system"))
    yield from levels_faults(exp.baseline, ("baseline",), names)
    yield from levels_of_design(exp, names)
    if exp.factors and "factors" not in names.broken and not treatments(exp):
        yield ("skip",), "every cell of the matrix is skipped", True


def _state_of_level(exp: Experiment, path: Path, system: object) -> Iterator[Finding]:
    """Refuse state that cannot differ between treatments."""
    for kind in system if isinstance(system, Mapping) else ():
        known = resources.kind(kind) if kind in resources.names() else None
        why = getattr(known, "fixed", "")
        if why and not replicated(exp, getattr(known, "freed", "")):
            yield (*path, kind), f"`{kind}` cannot differ between treatments: {why}", True
    if system and exp.workload is None:
        yield path, "there is no `workload` to run in this state", True


def _repeat(exp: Experiment, names: Names) -> Iterator[Finding]:
    if exp.repeat.unit == "search" and "search" not in names.sections:
        yield ("repeat", "unit"), "there is no `search` to repeat", False
    stop = exp.repeat.stop_when
    if stop is not None and stop.metric is not None and stop.metric not in names.metrics:
        hint = did_you_mean(stop.metric, names.metrics)
        yield ("repeat", "stop_when", "metric"), f"unknown metric `{stop.metric}`{hint}", False
    if stop is not None and exp.repeat.minimum == exp.repeat.maximum:
        most = exp.repeat.maximum
        message = (
            f"there are always {most} repetitions: it could stop nothing; give the fewest and the "
            f"most, as `between: [{most}, {2 * most}]`"
        )
        yield ("repeat", "stop_when"), message, False


def _load(exp: Experiment, names: Names) -> Iterator[Finding]:
    load = exp.load
    if load is None:
        return
    searched = "search" in names.sections
    varied = searched or exp.factors or "load" in names.broken
    for wanted in ("rate", "connections") if not varied else ():
        steps = load.expanded_steps() if load.needs(wanted) else ()
        if any(getattr(step, wanted) is None for step in steps):
            yield ("load",), f"no {wanted}: give {wanted}, steps or a search", True
    if load.steps and searched:
        yield ("load", "steps"), "a search chooses the level itself: leave out the steps", True
    # a file that does not say its schema is a fragment: its surroundings are elsewhere
    whole = "schema" in names.sections
    if whole and "workload" not in names.sections and "{port}" in literal(load.url):
        yield ("load",), "there is no `workload` to put this load on", True


def _search(exp: Experiment, names: Names) -> Iterator[Finding]:
    if exp.search is None:
        return
    variable = exp.search.goal.variable
    if variable == "rate" and exp.load is not None and exp.load.closed:
        message = f"{exp.load.generator} keeps no rate: search connections, or use vegeta"
        yield ("search", "find"), message, False
    if variable in ("connections", "rate") and "load" not in names.sections:
        yield ("search", "find"), f"a search over {variable} needs a `load`", False
    if not names.broken & {"workload", "load", "factors"} and (said := problem(exp)):
        yield ("search", "find"), said, False
    if "healthy" not in names.sections:
        yield ("search",), "a search needs `healthy` rules to judge a level by", True
    yield from _kept(exp, variable)


def _kept(exp: Experiment, variable: str) -> Iterator[Finding]:
    """Find what cannot be while one workload serves all trials of a search."""
    workload, where = exp.workload, ("search", "workload")
    if exp.search is None or exp.search.workload != "keep" or workload is None:
        return
    if workload.trace:
        message = "system calls are counted as the workload ends: fresh ones, or no trace"
        yield where, message, False
    if variable not in OF_LOAD:
        message = f"a kept workload keeps its {variable}: fresh ones, for each level its own"
        yield where, message, False
    if workload.prepare:
        message = "a kept workload is prepared once for all trials: fresh ones, or no prepare"
        yield where, message, False
    if workload.once:
        yield where, "a workload that ends by itself cannot be kept", False


def _workload(exp: Experiment, names: Names) -> Iterator[Finding]:
    if exp.workload is None:
        return
    if "build" not in names.sections:
        for index, word in enumerate(exp.workload.argv or ()):
            if isinstance(word, str) and "{binary}" in word:
                message = "{binary} needs a `build` section, and there is none"
                yield ("workload", "argv", index), message, False
    for knob, text in exp.workload.cgroup.knobs().items() if exp.workload.cgroup else ():
        if knob.startswith("memory.") and text.isdecimal() and 0 < int(text) < _PAGE:
            message = f"{text} bytes are less than a page: write for instance {text}MiB"
            yield ("workload", "cgroup", knob), message, False


def _built(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Find what is built by nobody knows which Go."""
    whole = "schema" in names.sections  # a fragment has its `build` elsewhere
    if not whole or {"build", "factors", "workload"} & names.broken:
        return
    for levels in treatments(exp):
        try:
            treated = with_levels(exp, levels)
        except ValueError:  # said where the levels stand
            return
        if treated.build is not None and treated.build.go is None and not treated.build.command:
            place: Path = ("build",) if exp.build is not None else ("factors",)
            yield place, 'it does not say which Go: add go: "1.22.10"', True
            return
        test = treated.workload.go_test if treated.workload is not None else None
        if test is not None and treated.build is None:
            place = ("workload", "go_test") if exp.build is None else ("factors",)
            yield place, 'it does not say which Go: add build: {go: "1.22.10"}', True
            return


def _traced(exp: Experiment) -> Iterator[Finding]:
    """Find system calls that nobody counts."""
    if exp.factors:  # a level may ask for them
        return
    counted = exp.workload.trace if exp.workload is not None else ()
    for name, metric in exp.metrics.items():
        family, _, call = (metric.source or "").partition(".")
        call = call.partition(".")[0]
        if family == "syscalls" and call not in (*counted, "total") and "all" not in counted:
            message = (
                f"`{metric.source}` is counted by nobody: say `trace: [{call}]` under workload"
            )
            yield ("metrics", name, "from"), message, False


def _faults(exp: Experiment, names: Names) -> Iterator[Finding]:
    if exp.load is None or exp.search is not None or exp.factors:
        return
    total = sum(step.warmup_s + step.duration_s for step in exp.load.expanded_steps())
    for index, fault in enumerate(exp.faults):
        if fault.at.seconds >= total:
            message = f"the load is over after {total:g}s: this fault would never happen"
            yield (*names.place("faults", index), "at"), message, False


def _braces(exp: Experiment, names: Names) -> Iterator[Finding]:
    """Find `{prot}` where `{port}` is meant; any other braces are the program's own."""
    searched = (exp.search.goal.variable,) if exp.search is not None else ()
    known = (*RUNTIME, *names.factors, *set_words(exp), *searched)

    def walk(value: object, path: Path) -> Iterator[Finding]:
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
                    hint = f"did you mean `{{{near}}}`?"
                    yield path, f"unknown placeholder `{{{name}}}`; {hint}", False

    for section in ("build", "workload", "load"):
        yield from walk(names.data.get(section), (section,))
