"""Facts have a time: as found, in force during the trials, after the restore. Pure.

`during` is what a measurement was made under; what `before` differs by is what the run
changed; what `after` differs from `before` by should be nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from runner.kinds import resources
from runner.kinds.resources.sysctl import dotted, relative
from runner.spec.sections.requires import split_role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.planning.layers import Declared
    from runner.spec.experiment import Experiment

SYSCTL: Final = "sysctl."
MOVING: Final = (
    *("clock.unix_s", "clock.synchronized", "uptime_s", "load.", "memory.available"),
    *("memory.free", "memory.swap_free", "cpu.now_khz", "thermal.", "board.throttled", "absent"),
)
"""Beginnings of facts that change by themselves: of what a run has done they say nothing."""


def counts_ports(experiment: Experiment) -> bool:
    """Whether a client's ports are counted: in a fresh network namespace nobody has any."""
    load, workload = experiment.load, experiment.workload
    loaded = load is not None and load.generator != "none"
    return loaded and (workload is None or workload.network == "host")


def sysctls_of(experiment: Experiment, declared: Declared) -> list[str]:
    """Name the kernel parameters that are to be facts: set, required, or named by a claim."""
    named = [
        *(split_role(name)[1] for name in experiment.requires),
        *(name for claim in experiment.claims for name in (*claim.must, *claim.declared)),
    ]
    parameters = [name.removeprefix(SYSCTL) for name in named if name.startswith(SYSCTL)]
    for system in declared.systems():
        payload = system.get("sysctl")
        for key, value in payload.root.items() if payload is not None else ():
            if not isinstance(value, SecretStr):  # a fact is shown
                parameters.append(dotted(relative(key)))
    return list(dict.fromkeys(parameters))


def set_by(declared: Declared, fact: str) -> bool:
    """Whether the declared state decides a fact, for all treatments or for some."""
    for system in declared.systems():
        for kind, payload in system.items():
            if kind == "sysctl" and fact.startswith(SYSCTL):
                keys = {dotted(relative(key)) for key in payload.root}
                if fact.removeprefix(SYSCTL) in keys:
                    return True
            elif any(_named(name, fact) for name in resources.kind(kind).sets):
                return True
    return False


def _named(name: str, fact: str) -> bool:
    return fact == name or (name.endswith((".", "_")) and fact.startswith(name)) or (
        fact.startswith(f"{name}.")
    )  # fmt: skip


def difference(facts: Mapping[str, object], base: Mapping[str, object]) -> dict[str, object]:
    """Give the facts that are not those of `base`, absent ones as None; moving ones left out."""
    return {
        name: facts.get(name)
        for name in sorted({*facts, *base})
        if facts.get(name) != base.get(name) and not name.startswith(MOVING)
    }
