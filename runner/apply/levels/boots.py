"""A board is started anew: once for what only a boot puts in force, or before each block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import HostError
from runner.executor.reboot import reboot
from runner.planning.ids import treatment_id
from runner.planning.layers import booted_with
from runner.planning.state import StatePlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.apply.interface import Options
    from runner.apply.state import HostRun
    from runner.planning.layers import Declared
    from runner.spec.experiment import Experiment


def edit_and_reboot(host: HostRun, declared: Declared) -> None:
    """Edit the kernel's command line, reboot, wait, and observe what came up.

    The run's hold outlives the boot; HostError where the words are not in force then.
    """
    refuse_local(host, f"edit {host.reboots[0].path} and reboot it by hand")
    StatePlan(needs_root=[cell.id for cell in host.reboots]).check(root=host.host.root)
    host.bring(host.reboots, "reboot")
    _again(host, declared)
    if host.reboots:
        raise _as_before(host, host.reboots[0].path)


def refuse_local(host: HostRun, fix: str) -> None:
    """Raise HostError for the controller's own machine."""
    if host.entry.local:
        raise HostError(f"{host.name} is this machine: a reboot would end the run with it", fix=fix)


def _again(host: HostRun, declared: Declared) -> None:
    host.reporter.phase(f"reboot {host.name}")
    reboot(host.agent)
    host.observe(declared)


def _as_before(host: HostRun, path: str) -> HostError:
    return HostError(
        f"{host.name} was rebooted, but its kernel came up as before: "
        f"{host.facts.get('kernel.cmdline')}",
        fix=f"see whether its boot loader reads {path}",
    )


def boots_of(
    host: HostRun, declared: Declared, options: Options, experiment: Experiment
) -> Boots | None:
    """Give what starts a board anew before its blocks; None where nothing asks for it."""
    levels = experiment.repeat.levels
    if levels is None or levels.boot is None:
        return None
    refuse_local(host, "leave out `repeat.levels.boot`, or name a board with -H")
    return Boots(host, declared, options)


@dataclass
class Boots:
    """Which boot of the run a board is in, and what its kernel was booted with."""

    host: HostRun
    declared: Declared
    options: Options
    number: int | None = None
    kernel: str | None = None
    """What is declared of the kernel's command line of the boot in force."""

    def enter(self, number: int | None, levels: Mapping[str, str]) -> bool:
        """Reboot where a block is of another boot, or a treatment of another command line.

        Afterwards the base is in force anew, and nothing of a treatment is; say whether that was.
        """
        if number is None:
            return False
        treatment = treatment_id(levels)
        kernel = booted_with(self.declared, treatment)
        if (number, kernel) == (self.number, self.kernel):
            return False
        self.number = self.kernel = None
        layer = self.host.layers.get(treatment)
        if layer is not None:
            # puts back what the treatment before has edited, and edits for this one
            edits = [cell for cell in layer.cells if cell.reboot]
            self.host.bring(edits, "treatment", layer)
        _again(self.host, self.declared)
        layer = self.host.layers.get(treatment)
        left = [cell for cell in layer.cells if cell.reboot] if layer is not None else []
        if left:
            raise _as_before(self.host, left[0].path)
        self.host.apply(self.declared, self.options)
        self.number, self.kernel = number, kernel
        return True
