"""Limits of the workload against what the host can give. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.spec.limits import UNBOUND, UNLIMITED, Limit, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from runner.spec.experiment import Experiment

NR_OPEN: Final = "sysctl.fs.nr_open"
MAY_RAISE: Final = "limits.may_raise"


def limits_of(experiment: Experiment) -> dict[str, Limit]:
    """Give the limits of the workload by name: its own, and the open files that `system` says."""
    workload, system = experiment.workload, experiment.system
    found = (workload.limits if workload is not None else Limits()).asked()
    if system.nofile is not None and "nofile" not in found:
        soft, hard = system.nofile.rlimit
        found["nofile"] = Limit(soft=soft, hard=hard)
    return found


def limits_part(experiment: Experiment) -> dict[str, list[int]]:
    """Give soft and hard limit by setrlimit's name; -1 is unlimited, as RLIM_INFINITY."""
    return {
        name: [-1 if number == UNBOUND else number for number in limit.numbers]
        for name, limit in limits_of(experiment).items()
    }


def beyond(experiment: Experiment, facts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give each limit that the host cannot give, with name, value and ceiling, and what to do.

    A host whose facts do not say its limits is not judged.
    """
    if experiment.workload is None:
        return
    own = experiment.system.nofile is not None
    for name, limit in limits_of(experiment).items():
        wanted = limit.numbers[1]
        if facts.get(MAY_RAISE) is False:
            ceiling, what = facts.get(f"limits.{name}_hard"), "the hard limit of its user"
            fix = "ask for less, or " + (
                "give root there CAP_SYS_RESOURCE (a container takes it away)"
                if facts.get("host.root")
                else "run as root there: become: true"
            )
        elif name == "nofile" and not own:
            ceiling, what = _nr_open(experiment, facts), "fs.nr_open"
            fix = f"add `nofile: {wanted}` under system, which raises it, or ask for less"
        else:
            continue
        if ceiling is not None and wanted > int(str(ceiling)):
            said = f"workload.limits.{name}: {_shown(wanted)} is above {_shown(int(str(ceiling)))}"
            yield f"{said}, {what}", fix


def _nr_open(experiment: Experiment, facts: Mapping[str, object]) -> object:
    """Give the most open files of a process: as the run sets it, or as it is."""
    declared = experiment.system.sysctl
    for key in ("fs.nr_open", "fs/nr_open"):
        if declared is not None and key in declared.root:
            return declared.root[key]
    return facts.get(NR_OPEN)


def _shown(number: int) -> str:
    return UNLIMITED if number >= UNBOUND else str(number)
