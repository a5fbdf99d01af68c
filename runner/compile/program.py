"""One treatment of an experiment → the `trial` program of a host. Pure.

The program is plain data (docs/design/001-contracts.md); beside it stands what
the analysis needs to read its events: one StepPlan per step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runner.compile.faults import fault_part
from runner.compile.limits import limits_part
from runner.compile.load import (
    cooldown_part,
    load_part,
    load_steps,
    looked_on,
    reachable,
    schedule,
)
from runner.compile.ports import knows_port, listen_part
from runner.compile.workload import Binary, fetch_part, workload_part
from runner.errors import SpecError
from runner.kinds.generators import generator
from runner.kinds.generators.interface import fitted
from runner.kinds.resources.interface import UNSET
from runner.kinds.sources import reads
from runner.records.facts import emulated
from runner.records.program import frozen
from runner.records.steps import LoadStep, StepPlan
from runner.spec.sections.abort import watched
from runner.spec.sections.replication import PADDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.kinds.resources.interface import Cell
    from runner.records.cells import Hold
    from runner.records.program import Abort, Blob, Program, TrialAsked
    from runner.spec.experiment import Experiment
    from runner.spec.sections.steps import ExpandedStep


KEEP_S: Final = 300.0
"""How long a kept workload waits for its next trial: as long as a lost link is tried again."""
EMULATED_HZ: Final = 2.0
"""The most that is sampled where a tick costs 80 ms of a processor: 10 Hz would be most of one."""


@dataclass(frozen=True)
class TrialProgram:
    """A trial ready to be sent, and how its events are to be read."""

    program: Program
    steps: tuple[StepPlan, ...]
    duration_s: float
    """What it takes if nothing is slow: for progress and plan."""
    keeps: bool = False
    """Its workload waits for the next trial."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a program is compiled for, beside the experiment and the facts of its host."""

    trial: str
    """Id of the trial."""
    hold: Hold | None = None
    """The hold of the host that the program runs under."""
    connections: int | None = None
    """The level of a search."""
    tool: Binary | None = None
    """The load generator, where runner has built it itself."""


@dataclass(frozen=True, kw_only=True)
class TrialRequest(Request):
    """One trial on the host of the server."""

    run: str = ""
    """Id of the run."""
    binary: Binary | None = None
    """The workload, where runner has built it."""
    network_cells: Sequence[Cell] = ()
    """Sysctls that are set inside the network namespace of the workload."""
    declared: Sequence[Cell] = ()
    """The state that the host is compared with after each step."""
    settle: bool = False
    """Begins with the pause between trials that the spec asks for."""
    remote: bool = False
    """The load comes from other hosts (see `load_program`)."""
    padding: int = 0
    """Bytes of environment that move the workload's stack."""
    after: str = ""
    """Id of the trial before it, in a search that keeps its workload."""


@dataclass(frozen=True, kw_only=True)
class LoadRequest(Request):
    """The part of one load host in a trial."""

    share: tuple[int, int]
    """Its number, from 0, and how many load hosts there are."""
    server: str
    """Address of the server."""
    port: int | None
    """Port of the workload; None as long as it is not known."""
    at: float
    """When the load begins, in Unix seconds of the load host's clock."""


def trial_program(
    experiment: Experiment, facts: Mapping[str, object], request: TrialRequest
) -> TrialProgram:
    """Compile one trial; HostError where the host cannot give the cgroup that it needs."""
    steps, files = load_steps(experiment, request.connections)
    if request.remote and steps:
        files = []
        reachable(experiment)
    idle = experiment.watched_s if not steps else 0.0
    workload = experiment.workload
    if workload and workload.ready and workload.ready.listening and not knows_port(experiment):
        raise SpecError(
            "ready: {listening: true}, and nothing says the workload's port",
            fix="say {port} in workload.argv or env, or workload.port",
        )
    hz = _hz(experiment, facts)
    program: TrialAsked = {
        "program": "trial",
        "trial": request.trial,
        "boot_id": _boot(facts),
        "hold": request.hold or {},
        "network": workload.network if workload else "host",
        "network_cells": [cell.to_json() for cell in request.network_cells],
        "files": files,
        "upload": _uploads(binary=request.binary, generator=request.tool),
        "workload": workload_part(
            workload,
            facts,
            request.trial,
            request.binary,
            request.run,
            limits_part(experiment),
            listen_part(experiment),
            {PADDING: "x" * request.padding} if request.padding else {},
        )
        if workload
        else None,
        "sample": {"hz": hz, "reads": reads(facts, hz=hz, asked=experiment.families)},
        "keep": {"after": request.after or None, "for_s": KEEP_S} if _keeps(experiment) else None,
        "load": (looked_on if request.remote else load_part)(experiment, steps) if steps else None,
        "idle_s": idle,
        "faults": [fault_part(index, fault) for index, fault in enumerate(experiment.faults)],
        "settle": cooldown_part(experiment.repeat.cooldown) if request.settle else None,
        "abort": _abort(experiment),
        "declared": [cell.to_json() for cell in request.declared if cell.want is not UNSET],
        "fetch": [fetch_part(fetch) for fetch in workload.fetch] if workload else [],
        "stop": {
            "signal": workload.stop.signal if workload else "TERM",
            "grace_s": workload.stop.grace.seconds if workload else 5.0,
        },
    }
    planned = tuple(
        StepPlan(
            step.index,
            step.name,
            step.connections,
            experiment.load.generator if experiment.load and not request.remote else None,
            None if request.remote else load,
            step.warmup_s,
        )
        for step, load in steps
    )
    seconds = sum(step.duration_s + step.warmup_s for step, _ in steps) + idle
    return TrialProgram(frozen(program), planned, seconds, keeps=_keeps(experiment))


def load_program(
    experiment: Experiment, facts: Mapping[str, object], request: LoadRequest
) -> TrialProgram:
    """Compile the part of a load host; SpecError where it would have no connection."""
    steps, files = load_steps(experiment, request.connections)
    number, of = request.share
    server, port = request.server, request.port
    kind = generator(experiment.load.generator if experiment.load else "wrk")
    parts: list[tuple[ExpandedStep, LoadStep]] = []
    for step, asked in steps:
        many = asked.connections // of + (number < asked.connections % of)
        url = asked.url.replace("{server_address}", server).replace("{port}", str(port))
        rate = None if asked.rate is None else asked.rate / of
        if many < 1:
            raise SpecError(
                f"step {step.name}: {asked.connections} connections for {of} load hosts",
                fix="ask for at least one per load host",
            )
        # of the threads asked for: those of all connections together may not fit a share
        own = replace(
            asked, connections=many, url=url, rate=rate, threads=step.threads, share=(number, of),
            shape=tuple((at, one / of) for at, one in asked.shape),
        )  # fmt: skip
        parts.append((step, fitted(kind, own)))
    load = load_part(experiment, parts)
    times = schedule(experiment, [step for step, _ in parts])

    def aimed(argv: Sequence[str] | None) -> list[str] | None:
        # of several urls each names the server
        words = [word.replace("{server_address}", server) for word in argv or ()]
        return [word.replace("{port}", str(port)) for word in words] or None

    load = {
        **load,
        "steps": [
            {
                **step,
                "argv": aimed(step["argv"]),
                "warmup": aimed(step["warmup"]),
                "at_s": moment,
                "cooldown": None,
            }
            for step, moment in zip(load["steps"], times, strict=True)
        ],
        "start": {"at": request.at},
        "between": "keep",
    }
    hz = _hz(experiment, facts)
    program: TrialAsked = {
        "program": "trial",
        "trial": request.trial,
        "hold": request.hold or {},
        "network": "host",
        "files": files,
        "upload": _uploads(generator=request.tool),
        "workload": None,
        # what is the workload's is not on this host
        "sample": {
            "hz": hz,
            "reads": [
                read
                for read in reads(facts, hz=hz, asked=experiment.families)
                if "{" not in str(read["path"]) and "established" not in read["pick"]
            ],
        },
        "load": load,
        "idle_s": 0.0,
        "abort": {},
        "stop": {"signal": "TERM", "grace_s": 5.0},
    }
    name = experiment.load.generator if experiment.load else None
    planned = tuple(
        StepPlan(step.index, step.name, asked.connections, name, asked, step.warmup_s)
        for step, asked in parts
    )
    seconds = sum(step.duration_s + step.warmup_s for step, _ in parts)
    return TrialProgram(frozen(program), planned, seconds)


def _boot(facts: Mapping[str, object]) -> str | None:
    found = facts.get("boot_id")
    return None if found is None else str(found)


def _keeps(experiment: Experiment) -> bool:
    return experiment.search is not None and experiment.search.workload == "keep"


def _hz(experiment: Experiment, facts: Mapping[str, object]) -> float:
    asked = experiment.sample.hz
    return min(asked, EMULATED_HZ) if emulated(facts) else asked


def _uploads(**programs: Binary | None) -> dict[str, Blob]:
    return {
        name: {"sha256": made.sha256, "size": made.size}
        for name, made in programs.items()
        if made is not None
    }


def _abort(experiment: Experiment) -> Abort:
    """Conditions that the agent itself watches."""
    found = watched(experiment.abort_when)
    return {
        "workload_dead_s": found.dead_s,
        "oom_kills": found.oom_kills,
        "printed": found.printed,
    }
