"""What the hosts lack for a load, with the exact fix, before a trial begins. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from runner.compile.limits import limits_of
from runner.compile.load import nofile_needed
from runner.errors import HostError
from runner.kinds.generators import generator, in_flight
from runner.kinds.generators.interface import heeds_threads
from runner.records.facts import table
from runner.records.steps import LoadStep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from runner.kinds.resources.interface import Cell
    from runner.records.cells import PortsTried
    from runner.spec.experiment import Experiment
    from runner.spec.load import Load

SOMAXCONN: Final = "net.core.somaxconn"
PORTS: Final = "net.ipv4.ip_local_port_range"
# what a fresh network namespace begins with (Linux 5.4 and later)
FRESH: Final = {SOMAXCONN: "4096", PORTS: "32768 60999"}
WIDEST: Final = (1024, 65535)


def most_connections(experiment: Experiment) -> int:
    """Give the connections of the largest step, or of the search's upper end."""
    load = experiment.load
    if load is None:
        return 0
    search = experiment.search
    timeout = load.timeout.seconds
    paced = [step for step in load.expanded_steps() if step.rate and not step.connections]
    waiting = [step.most_waiting(timeout) for step in paced]
    if search is not None and search.goal.variable == "rate" and not load.connections:
        waiting.append(in_flight(float(search.high), timeout))
    most = max((step.connections or 0 for step in load.expanded_steps()), default=0)
    if search is not None and search.goal.variable == "connections":
        most = max(most, search.high)
    return max(most, *waiting, 0)


def check(
    experiment: Experiment,
    server: tuple[str, Mapping[str, object]],
    loads: Sequence[tuple[str, Mapping[str, object]]],
    cells: Sequence[Cell] = (),
    tried: Mapping[str, PortsTried] | None = None,
) -> None:
    """HostError with every lack and its fix; `cells` are what the run itself sets.

    `tried` says for load hosts how many of their ports others had as the run began.
    """
    load = experiment.load
    lacks = [*_tracer(experiment, server)]
    if load is not None and load.generator != "none":
        lacks += _of_load(experiment, load, server, loads, cells)
        lacks += _ports(experiment, loads, cells, tried or {})
    if lacks:
        raise HostError(
            "\n".join(lack for lack, _ in lacks), fix="\n".join(dict.fromkeys(f for _, f in lacks))
        )


def _tracer(
    experiment: Experiment, server: tuple[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    name, facts = server
    traces = experiment.workload is not None and experiment.workload.trace
    if traces and not table(facts, "tools").get("strace"):
        yield (
            f"{name} has no strace, which counts system calls",
            "add `packages: [strace]` under system, or: sudo apt install strace",
        )


def _of_load(
    experiment: Experiment,
    load: Load,
    server: tuple[str, Mapping[str, object]],
    loads: Sequence[tuple[str, Mapping[str, object]]],
    cells: Sequence[Cell],
) -> list[tuple[str, str]]:
    return [
        *_tools(load.generator, loads),
        *_nofile(experiment, server, loads),
        *_backlog(experiment, server, cells),
    ]


def _tools(name: str, loads: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    kind = generator(name)
    for host, facts in loads:
        tools = table(facts, "tools")
        if kind.tool and not (tools.get(kind.tool) or facts.get(f"tools.{kind.tool}")):
            yield (
                f"{host} has no {kind.tool}",
                (
                    f"add `packages: [{kind.package}]` under system, "
                    f"or: sudo apt install {kind.package}"
                ),
            )


def _share(experiment: Experiment, loads: Sequence[object]) -> int:
    """Connections that one load host has to open."""
    return math.ceil(most_connections(experiment) / max(1, len(loads)))


def _nofile(
    experiment: Experiment,
    server: tuple[str, Mapping[str, Any]],
    loads: Sequence[tuple[str, Mapping[str, Any]]],
) -> Iterator[tuple[str, str]]:
    share, most = _share(experiment, loads), most_connections(experiment)
    for host, facts in loads:
        hard = facts.get("limits.nofile_hard")
        if hard is not None and nofile_needed(share) > int(hard):
            yield (
                (
                    f"{host}: {share} connections need {nofile_needed(share)} open files, "
                    f"the hard limit is {hard}"
                ),
                (
                    f"raise it: echo '* hard nofile {nofile_needed(share)}' | "
                    "sudo tee /etc/security/limits.d/runner.conf, and log in anew"
                ),
            )
    workload = experiment.workload
    if workload is None:
        return
    need = nofile_needed(most)
    limit = limits_of(experiment).get("nofile")
    if limit is not None:
        if isinstance(limit.soft, int) and limit.soft < need:
            yield (
                (
                    f"the workload: {most} connections need {need} open files, its limit is "
                    f"{limit.soft}"
                ),
                f"say under workload: limits: {{nofile: {need}}}",
            )
        return
    name, facts = server
    # a Go program raises its own soft limit to the hard one (since 1.19)
    kind = "hard" if experiment.build is not None else "soft"
    has = facts.get(f"limits.nofile_{kind}")
    if has is not None and most >= int(has):
        yield (
            f"{name}: the workload would have {has} open files for {most} connections",
            f"say under workload: limits: {{nofile: {need}}}",
        )


def _setting(
    key: str, experiment: Experiment, facts: Mapping[str, object], cells: Sequence[Cell]
) -> str | None:
    """Give a sysctl as it is in the trial: what the run sets, then what there is."""
    path = "/proc/sys/" + key.replace(".", "/")
    for cell in cells:
        if cell.path == path:
            return str(cell.want)
    if experiment.workload is not None and experiment.workload.network == "isolated":
        return FRESH[key]
    value = facts.get(f"sysctl.{key}")
    return None if value is None else str(value)


def _ports(
    experiment: Experiment,
    loads: Sequence[tuple[str, Mapping[str, object]]],
    cells: Sequence[Cell],
    tried: Mapping[str, PortsTried],
) -> Iterator[tuple[str, str]]:
    share = _share(experiment, loads)
    for host, facts in loads:
        words = (_setting(PORTS, experiment, facts, cells) or "").split()
        if len(words) != 2:
            continue
        there = int(words[1]) - int(words[0]) + 1
        taken = _taken(tried[host]) if host in tried else 0
        if share > there - taken:
            low, high = WIDEST
            fix = f'add under system: sysctl: {{{PORTS}: "{low} {high}"}}'
            if share > high - low:
                fix = f"at most {high - low} connections per load host: add load hosts"
            others = f", {taken} of which others have" if taken else ""
            yield f"{host}: {share} connections, and {there} ports to open them from{others}", fix


def _taken(tried: PortsTried) -> int:
    """Give the ports that others have; of a range that was tried in part, what is sure of it.

    That is three standard errors of the share below what the part says.
    """
    there, many, taken = tried["high"] - tried["low"] + 1, tried["tried"], tried["taken"]
    if not taken or many >= there:
        return taken
    share = taken / many
    return max(0, math.floor(there * (share - 3 * math.sqrt(share * (1 - share) / many))))


def _backlog(
    experiment: Experiment, server: tuple[str, Mapping[str, object]], cells: Sequence[Cell]
) -> Iterator[tuple[str, str]]:
    """All connections are opened at once: a full queue drops some for a second or more."""
    name, facts = server
    load = experiment.load
    # an open model opens a connection when one is due, not all at once
    if experiment.workload is None or load is None or generator(load.generator).paced:
        return
    has, most = _setting(SOMAXCONN, experiment, facts, cells), most_connections(experiment)
    if has is not None and int(has) < most:
        yield (
            f"{name}: {most} connections at once, and a listen queue of {has} at most",
            f"add under system: sysctl: {{{SOMAXCONN}: {1 << (most - 1).bit_length()}}}",
        )


def fewer_threads(experiment: Experiment) -> list[str]:
    """Say where the generator uses fewer threads than asked, so that it opens every connection."""
    load = experiment.load
    if load is None or load.generator == "none":
        return []
    kind, notes = generator(load.generator), []
    if experiment.search is not None and load.generator == "wrk" and load.threads > 1:
        notes.append(
            f"wrk opens every level's connections with the most threads up to {load.threads} "
            "that divide them; threads: 1 loads all levels alike"
        )
    for step in load.expanded_steps():
        if step.connections is None or not heeds_threads(kind):
            continue
        used = kind.threads(LoadStep(step.url, step.connections, step.duration_s, step.threads))
        if used < step.threads:
            notes.append(
                f"step {step.name}: {load.generator} uses {used} of {step.threads} threads, "
                f"which is how it opens all {step.connections} connections"
            )
    return notes
