"""The load of a spec → what generators are told, here or on other hosts. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runner.compile.workload import cpu_list
from runner.errors import SpecError
from runner.kinds.generators import generator
from runner.kinds.generators.interface import fitted
from runner.records.steps import LoadStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.records import program
    from runner.spec.experiment import Experiment
    from runner.spec.load import Load
    from runner.spec.sections.cooldown import Cooldown
    from runner.spec.sections.steps import ExpandedStep


# a step may take this much longer than asked before the generator is stopped: connecting
# thousands of clients, and reading the last replies within the generator's own timeout
SLACK_S: Final = 15.0
# from the server's word to the load's start on other hosts: agents have to be started there
LEAD_S: Final = 5.0
LINGER_S: Final = 2.0
# how long before a step's end its unanswered connections are counted for the first time
COUNT_BEFORE_S: Final = 0.3
# between steps of several hosts, for those that end late
BETWEEN_S: Final = 3.0


def load_steps(
    experiment: Experiment, connections: int | None
) -> tuple[list[tuple[ExpandedStep, LoadStep]], list[program.File]]:
    """Give the steps of the load, at a level of a search where one is given, and their files."""
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
            # of a search the rate is the level's and not the step's
            most = count or replace(step, rate=rate).most_waiting(load.timeout.seconds)
        elif count is None:
            wanted = "rate" if "rate" in kind.needs else "connections"
            raise SpecError(
                f"step {step.name} of the load says no {wanted}",
                fix=f"say load.{wanted}, load.steps, or search",
            )
        else:
            most = count
        found.append(
            (
                replace(step, connections=count, rate=rate, name=name),
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
                        expect=load.expect.status,
                        numbers=load.asked_numbers,
                        think_s=load.think_s,
                        shape=step.shape,
                        arrivals=step.arrivals.name if step.arrivals else "",
                    ),
                ),
            )
        )
    times = {step.arrivals.name: step.arrivals.times or "" for step, _ in found if step.arrivals}
    sent: list[program.File] = [{"name": name, "text": text} for name, text in times.items()]
    return found, [*kind.files(load.request()), *sent]


def level_is_rate(experiment: Experiment) -> bool:
    """Whether a search varies the arrival rate and not the connections."""
    return experiment.search is not None and experiment.search.goal.variable == "rate"


def load_part(
    experiment: Experiment, steps: Sequence[tuple[ExpandedStep, LoadStep]]
) -> program.Load:
    """Give the `load` of a program whose generator runs beside the workload."""
    load = experiment.load
    assert load is not None  # noqa: S101 - the caller has looked
    kind = generator(load.generator)
    return {
        "steps": [
            {
                "index": step.index,
                "name": step.name,
                "connections": kind.opened(asked),
                "warmup": _warmup(load, step, asked),
                "argv": kind.argv(asked, load.request()),
                "log": {"name": log} if (log := kind.log()) else None,
                "measure_s": step.duration_s,
                "waiting": _waiting(load, step),
                "timeout_s": step.duration_s + step.warmup_s + load.timeout.seconds + SLACK_S,
                "cooldown": cooldown_part(load.cooldown),
            }
            for step, asked in steps
        ],
        "between": load.between_steps,
        "cpus": cpu_list(load.cpus),
        # both ends need the descriptors: 20 % and a few hundred above the connections
        "nofile": max(
            nofile_needed(max(asked.connections for _, asked in steps)),
            experiment.system.nofile.rlimit[1] if experiment.system.nofile else 0,
        ),
    }


def reachable(experiment: Experiment) -> None:
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


def schedule(experiment: Experiment, steps: Sequence[ExpandedStep]) -> list[float]:
    """Seconds after the common start at which each step begins on every host."""
    load = experiment.load
    pause = load.cooldown.at_most.seconds if load and load.cooldown else 0.0
    workload = experiment.workload
    if workload is not None and load is not None and load.between_steps == "fresh":
        # hosts that go by the clock have to give it all the time that a restart may take
        pause += workload.stop.grace.seconds
        pause += workload.ready.within.seconds if workload.ready else 0.0
    found, at = [], 0.0
    for step in steps:
        found.append(at)
        at += step.warmup_s + step.duration_s + pause + BETWEEN_S
    return found


def looked_on(
    experiment: Experiment, steps: Sequence[tuple[ExpandedStep, LoadStep]]
) -> program.Load:
    """Steps that only watch: the generators run elsewhere."""
    load = experiment.load
    assert load is not None  # noqa: S101 - the caller has looked
    times = schedule(experiment, [step for step, _ in steps])
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
                "waiting": _waiting(load, step),
                "timeout_s": step.duration_s,
                "linger_s": LINGER_S,
                "cooldown": cooldown_part(load.cooldown),
            }
            for (step, asked), at in zip(steps, times, strict=True)
        ],
        "between": load.between_steps,
    }


def nofile_needed(connections: int) -> int:
    """Open files that one end needs for so many connections."""
    return math.ceil(1.2 * connections) + 512


def _waiting(load: Load, step: ExpandedStep) -> program.Waiting | None:
    """Say when unanswered connections are counted: in a closed loop every one waits for one.

    One that pauses before it asks has sent nothing for that long, and waits for nothing.
    """
    if not generator(load.generator).closed:
        return None
    longer_s = load.timeout.seconds + load.think_s[1]
    return {"at_s": max(0.0, step.duration_s - COUNT_BEFORE_S), "longer_s": longer_s}


def _warmup(load: Load, step: ExpandedStep, asked: LoadStep) -> list[str] | None:
    if step.warmup_s <= 0:
        return None
    # a ramp or a spike is warmed up at the rate that it begins with
    rate = asked.shape[0][1] if asked.shape else asked.rate
    shorter = replace(asked, duration_s=step.warmup_s, rate=rate, shape=())
    return generator(load.generator).argv(shorter, load.request())


def cooldown_part(asked: Cooldown | None) -> program.Cooldown | None:
    """Give a pause and what it waits for; None where the spec asks for none."""
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
