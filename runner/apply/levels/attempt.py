"""What one attempt at a trial is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.kinds.resources.sysctl import split_network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.compile.workload import Binary
    from runner.kinds.resources.interface import Cell
    from runner.planning.replication import Layout
    from runner.spec.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try at one repetition of a treatment."""

    trial: str
    """Id of the trial."""
    experiment: Experiment
    """With the levels of the treatment in their places."""
    levels: Mapping[str, str]
    repetition: int
    number: int
    """Which attempt at this repetition it is, from 1."""
    connections: int | None
    """The level of a search that the load is told."""
    binary: Binary | None
    built: Mapping[str, object]
    """Numbers of the build: size of the binary, and others."""
    layout: Layout | None = None
    """Of the program, where blocks have a fresh one."""

    @property
    def padding(self) -> int:
        """Bytes of environment that move the stack."""
        return self.layout.padding if self.layout is not None else 0


def network_cells(experiment: Experiment, cells: Sequence[Cell]) -> list[Cell]:
    """Sysctls of a network namespace, for an isolated workload: its own begins with defaults.

    Any others, `net.core.rmem_max` too, are of the machine: set on the host, in force inside.
    """
    if experiment.workload is None or experiment.workload.network != "isolated":
        return []
    return split_network(cells)[1]
