"""One treatment of an experiment → the `trial` program of a host. Pure.

The program is plain data (docs/design/001-contracts.md); beside it stands what
the analysis needs to read its events: one StepPlan per step.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from runner.errors import SpecError
from runner.generators import generator
from runner.generators.interface import LoadStep, fitted
from runner.generators.vegeta import in_flight
from runner.resources.cgroup import base, limits_to_cells, mounted
from runner.sources import reads
from runner.sources.syscalls import FILE, traced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.resources.interface import Cell
    from runner.spec.experiment import Experiment
    from runner.spec.faults import Fault
    from runner.spec.load import Cooldown, ExpandedStep
    from runner.spec.workload import Fetch, Workload

# a step may take this much longer than asked before the generator is stopped: connecting
# thousands of clients, and reading the last replies within the generator's own timeout
SLACK_S: Final = 15.0
IDLE_S: Final = 5.0
# from the server's word to the load's start on other hosts: agents have to be started there
LEAD_S: Final = 5.0
LINGER_S: Final = 2.0
# between steps of several hosts, for those that end late
BETWEEN_S: Final = 3.0
EMULATED_HZ: Final = 2.0
"""The most that is sampled where a tick costs 80 ms of a processor: 10 Hz would be most of one."""


@dataclass(frozen=True)
class Binary:
    """What was built, as the host knows it."""

    sha256: str
    size: int


@dataclass(frozen=True)
class PlannedStep:
    """What was asked of one step, for the analysis."""

    index: int
    name: str
    connections: int | None
    generator: str | None
    load: LoadStep | None


@dataclass(frozen=True)
class TrialProgram:
    """A trial ready to be sent, and how its events are to be read."""

    program: dict[str, Any]
    steps: tuple[PlannedStep, ...]
    duration_s: float
    """What it takes if nothing is slow: for progress and plan."""


def trial_program(
    experiment: Experiment,
    facts: Mapping[str, Any],
    trial_id: str,
    *,
    binary: Binary | None,
    tool: Binary | None = None,
    network_cells: Sequence[Cell] = (),
    hold: Mapping[str, Any] | None = None,
    connections: int | None = None,
    run: str = "",
    settle: bool = False,
    remote: bool = False,
) -> TrialProgram:
    """Compile one trial; `connections` is the level of a search, `run` the run's id.

    `tool` is the load generator where runner has built it itself.

    With `settle` it begins with the pause between trials that the spec asks for.
    With `remote` the load comes from other hosts (see `load_program`).

    HostError where the host cannot give the cgroup that the workload needs.
    """
    steps, files = _steps(experiment, connections)
    if remote and steps:
        files = []
        _reachable(experiment)
    idle = _idle_s(experiment) if not steps else 0.0
    workload = experiment.workload
    hz = _hz(experiment, facts)
    program: dict[str, Any] = {
        "program": "trial",
        "trial": trial_id,
        "boot_id": facts.get("boot_id"),
        "hold": dict(hold or {}),
        "network": workload.network if workload else "host",
        "network_cells": [cell.to_json() for cell in network_cells],
        "files": files,
        "upload": _uploads(binary=binary, generator=tool),
        "workload": _workload(workload, facts, trial_id, binary, run) if workload else None,
        "sample": {"hz": hz, "reads": reads(facts, hz=hz, asked=experiment.families)},
        "load": (_looked_on if remote else _load)(experiment, steps) if steps else None,
        "idle_s": idle,
        "faults": [_fault(index, fault) for index, fault in enumerate(experiment.faults)],
        "settle": _cooldown(experiment.repeat.cooldown) if settle else None,
        "abort": _abort(experiment),
        "fetch": [_fetch(fetch) for fetch in workload.fetch] if workload else [],
        "stop": {
            "signal": workload.stop.signal if workload else "TERM",
            "grace_s": workload.stop.grace.seconds if workload else 5.0,
        },
    }
    planned = tuple(
        PlannedStep(
            step.index,
            step.name,
            step.connections,
            experiment.load.generator if experiment.load and not remote else None,
            None if remote else load,
        )
        for step, load in steps
    )
    seconds = sum(step.duration_s + step.warmup_s for step, _ in steps) + idle
    return TrialProgram(program, planned, seconds)


def _hz(experiment: Experiment, facts: Mapping[str, Any]) -> float:
    asked = experiment.sample.hz
    return min(asked, EMULATED_HZ) if facts.get("emulated") else asked


def _uploads(**programs: Binary | None) -> dict[str, Any]:
    return {
        name: {"sha256": made.sha256, "size": made.size}
        for name, made in programs.items()
        if made is not None
    }


def _fetch(asked: Fetch) -> dict[str, Any]:
    after_s = asked.after.seconds if asked.after else None
    return {**asked.model_dump(exclude={"after"}), "after_s": after_s}


def _steps(
    experiment: Experiment, connections: int | None
) -> tuple[list[tuple[ExpandedStep, LoadStep]], list[dict[str, str]]]:
    load = experiment.load
    if load is None or load.generator == "none":
        return [], []
    kind = generator(load.generator)
    found: list[tuple[ExpandedStep, LoadStep]] = []
    for step in load.expanded_steps():
        count, rate, name = step.connections, step.rate, step.name
        if connections is not None and level_is_rate(experiment):
            rate, name = float(connections), f"{connections}/s"
        elif connections is not None:
            count, name = connections, str(connections)
        if kind.paced and rate is not None:
            most = count or in_flight(rate, load.timeout.seconds)
        elif count is None:
            raise SpecError(
                f"step {step.name} of the load says no {_wanted(load.generator)}",
                fix=f"say load.{_wanted(load.generator)}, load.steps, or search",
            )
        else:
            most = count
        found.append(
            (
                type(step)(**{**vars(step), "connections": count, "rate": rate, "name": name}),
                fitted(
                    kind,
                    LoadStep(
                        url=step.url,
                        connections=most,
                        duration_s=step.duration_s,
                        threads=step.threads,
                        timeout_s=load.timeout.seconds,
                        rate=rate,
                        argv=tuple(load.argv),
                    ),
                ),
            )
        )
    return found, kind.files()


def level_is_rate(experiment: Experiment) -> bool:
    """Whether a search varies the arrival rate and not the connections."""
    return experiment.search is not None and experiment.search.goal.variable == "rate"


def _wanted(name: str) -> str:
    return "rate" if name == "vegeta" else "connections"


def _load(experiment: Experiment, steps: Sequence[tuple[ExpandedStep, LoadStep]]) -> dict[str, Any]:
    load = experiment.load
    assert load is not None  # noqa: S101 - the caller has looked
    kind = generator(load.generator)
    return {
        "steps": [
            {
                "index": step.index,
                "name": step.name,
                "connections": kind.opened(asked),
                "warmup": _warmup(load.generator, step, asked),
                "argv": kind.argv(asked),
                "log": {"name": kind.log()} if kind.log() else None,
                "measure_s": step.duration_s,
                "timeout_s": step.duration_s + step.warmup_s + load.timeout.seconds + SLACK_S,
                "cooldown": _cooldown(load.cooldown),
            }
            for step, asked in steps
        ],
        "between": load.between_steps,
        "cpus": cpu_list(load.cpus),
        # both ends need the descriptors: 20 % and a few hundred above the connections
        "nofile": nofile_needed(max(asked.connections for _, asked in steps)),
    }


def _reachable(experiment: Experiment) -> None:
    """SpecError where no other host could reach the server as the spec has it."""
    load, workload = experiment.load, experiment.workload
    if workload is not None and workload.network == "isolated":
        raise SpecError(
            "the load comes from another host, and the workload has a network of its own",
            fix="say network: host under workload",
        )
    for step in load.expanded_steps() if load else ():
        if re.search(r"//(127\.|localhost|\[::1\])", step.url):
            raise SpecError(
                f"the load comes from another host, and its url is {step.url}",
                fix='say url: "http://{server_address}:{port}/", and let the workload listen there',
            )


def _schedule(experiment: Experiment, steps: Sequence[ExpandedStep]) -> list[float]:
    """Seconds after the common start at which each step begins on every host."""
    load = experiment.load
    pause = load.cooldown.at_most.seconds if load and load.cooldown else 0.0
    found, at = [], 0.0
    for step in steps:
        found.append(at)
        at += step.warmup_s + step.duration_s + pause + BETWEEN_S
    return found


def _looked_on(
    experiment: Experiment, steps: Sequence[tuple[ExpandedStep, LoadStep]]
) -> dict[str, Any]:
    """Steps that only watch: the generators run elsewhere."""
    load = experiment.load
    assert load is not None  # noqa: S101 - the caller has looked
    times = _schedule(experiment, [step for step, _ in steps])
    return {
        "start": {"lead_s": LEAD_S},
        "steps": [
            {
                "index": step.index,
                "name": step.name,
                "connections": asked.connections,
                "at_s": at,
                "argv": None,
                "warmup_s": step.warmup_s,
                "measure_s": step.duration_s,
                "timeout_s": step.duration_s,
                "linger_s": LINGER_S,
                "cooldown": _cooldown(load.cooldown),
            }
            for (step, asked), at in zip(steps, times, strict=True)
        ],
        "between": "keep",
    }


def load_program(
    experiment: Experiment,
    facts: Mapping[str, Any],
    trial_id: str,
    *,
    share: tuple[int, int],
    server: str,
    port: int | None,
    at: float,
    hold: Mapping[str, Any] | None = None,
    connections: int | None = None,
    tool: Binary | None = None,
) -> TrialProgram:
    """Compile the part of a load host: number `share[0]` of `share[1]`, from `at` on its clock."""
    steps, files = _steps(experiment, connections)
    number, of = share
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
        own = replace(asked, connections=many, url=url, rate=rate, threads=step.threads)
        parts.append((step, fitted(kind, own)))
    load = _load(experiment, parts)
    times = _schedule(experiment, [step for step, _ in parts])
    for item, moment in zip(load["steps"], times, strict=True):
        item["at_s"] = moment
        item["cooldown"] = None
    load |= {"start": {"at": at}, "between": "keep"}
    hz = _hz(experiment, facts)
    program: dict[str, Any] = {
        "program": "trial",
        "trial": trial_id,
        "hold": dict(hold or {}),
        "network": "host",
        "files": files,
        "upload": _uploads(generator=tool),
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
        PlannedStep(step.index, step.name, asked.connections, name, asked) for step, asked in parts
    )
    seconds = sum(step.duration_s + step.warmup_s for step, _ in parts)
    return TrialProgram(program, planned, seconds)


def nofile_needed(connections: int) -> int:
    """Open files that one end needs for so many connections."""
    return math.ceil(1.2 * connections) + 512


def _warmup(name: str, step: ExpandedStep, asked: LoadStep) -> list[str] | None:
    if step.warmup_s <= 0:
        return None
    shorter = LoadStep(**{**vars(asked), "duration_s": step.warmup_s})
    return generator(name).argv(shorter)


def _cooldown(asked: Cooldown | None) -> dict[str, Any] | None:
    if asked is None:
        return None
    until = asked.until
    return {
        "at_least_s": asked.at_least.seconds,
        "at_most_s": asked.at_most.seconds,
        "time_wait_below": until.time_wait_below,
        "temperature_below": float(until.temperature_below.exact)
        if until.temperature_below
        else None,
        "load_below": until.load_below,
    }


def _fault(index: int, fault: Fault) -> dict[str, Any]:
    """Give one fault as the agent takes it."""
    found: dict[str, Any] = {
        "index": index,
        "kind": fault.kind,
        "at_s": fault.at.seconds,
        "for_s": fault.for_.seconds if fault.for_ else None,
    }
    if fault.network is not None:
        asked = fault.network
        if asked.down is not None:
            return {**found, "link": asked.down, "down": True}
        words: list[str] = []
        if asked.delay is not None:
            words += ["delay", f"{asked.delay.seconds * 1e3:g}ms"]
            words += [f"{asked.jitter.seconds * 1e3:g}ms"] if asked.jitter else []
        if asked.loss is not None:
            words += ["loss", f"{asked.loss.ratio * 100:g}%"]
        if asked.rate is not None:
            words += ["rate", asked.rate]
        return {**found, "link": asked.link, "netem": words}
    if fault.process is not None:
        return {**found, "do": "pause" if fault.process.pause else "kill"}
    assert fault.memory is not None  # noqa: S101 - the model has exactly one of the three
    return {**found, "bytes": int(fault.memory.pressure.exact)}


def _idle_s(experiment: Experiment) -> float:
    """Seconds to watch a workload without load: as long as the latest metric wants, and more."""
    latest = [metric.after.seconds for metric in experiment.metrics.values() if metric.after]
    workload = experiment.workload
    if not latest and (workload is None or workload.go_test or workload.run == "once"):
        return 0.0  # it ends by itself, and there is nothing to watch before
    return max(latest, default=0.0) + IDLE_S


def _workload(
    workload: Workload, facts: Mapping[str, Any], trial_id: str, binary: Binary | None, run: str
) -> dict[str, Any]:
    if workload.argv is None:
        argv = ["{binary}", *_go_test(workload)]
    else:
        argv = [str(word) for word in workload.argv]
    if workload.trace:
        argv = traced(argv, workload.trace)
    nofile = workload.limits.nofile
    ready: dict[str, Any] | None = None
    within = 10.0
    if workload.ready is not None:
        within = workload.ready.within.seconds
        ready = {
            kind: value
            for kind in ("http", "tcp", "stdout")
            if (value := getattr(workload.ready, kind)) is not None
        }
    return {
        "argv": argv,
        "traced": {"path": f"{{dir}}/{FILE}", "calls": list(workload.trace)}
        if workload.trace
        else None,
        "env": {key: str(value) for key, value in workload.env.items()},
        "cwd": workload.cwd,
        "nofile": [nofile.soft, nofile.hard] if nofile else None,
        "cpus": cpu_list(workload.cpus),
        "aslr": True if workload.aslr is None else workload.aslr,
        "run": "once" if workload.go_test is not None else workload.run,
        "within_s": within if workload.run == "server" else workload.within.seconds,
        "cgroup": _cgroup(workload, facts, trial_id, run),
        "warm": ["{binary}"] if binary else [],
        "listen": {"port": workload.port},
        "ready": ready,
    }


def _go_test(workload: Workload) -> list[str]:
    test = workload.go_test
    assert test is not None  # noqa: S101 - the model has exactly one of argv and go_test
    words = ["-test.run=^$", f"-test.bench={test.bench}", f"-test.count={test.count}"]
    if test.benchmem:
        words.append("-test.benchmem")
    if test.benchtime:
        words.append(f"-test.benchtime={test.benchtime}")
    if test.cpu:
        words.append("-test.cpu=" + ",".join(test.cpu))
    words.append(f"-test.timeout={test.timeout.seconds:g}s")
    return words


def _cgroup(
    workload: Workload, facts: Mapping[str, Any], trial_id: str, run: str
) -> dict[str, Any] | None:
    if workload.cgroup is None:
        return None
    limits = workload.cgroup.knobs()
    needed = list(dict.fromkeys(name.partition(".")[0] for name in limits))
    version, mounts = mounted(facts, needed or ["memory"])
    if version is None:
        raise SpecError("the host has no cgroups", fix="leave workload.cgroup out for this host")
    # a fresh group per trial: its peak and its counters begin at zero
    name = re.sub(r"[^A-Za-z0-9_-]", "-", trial_id)
    # and a folder per run: undoing one run must not end what another has in its groups
    parent = base(facts) + (f"-{run[-6:]}" if run else "")
    join, cells = limits_to_cells(version, mounts, f"{parent}/{name}", limits, facts=facts)
    return {"version": version, "join": join, "cells": [cell.to_json() for cell in cells]}


def _abort(experiment: Experiment) -> dict[str, Any]:
    """Conditions that the agent itself watches; the others are judged afterwards."""
    found: dict[str, Any] = {"workload_dead_s": 1.0, "oom_kills": None}
    for rule in experiment.abort_when:
        if rule.subject == "workload.dead":
            found["workload_dead_s"] = rule.for_s
        elif rule.subject == "cgroup.oom_kills":
            found["oom_kills"] = 1
    return found


def cpu_list(text: str | None) -> list[int] | None:
    """`0-1,3` → [0, 1, 3]."""
    if text is None:
        return None
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found
