"""A board that died in the middle of a run: switched off and on, put back, brought up again.

The command of the inventory's `power` runs on this machine, so many times in a run. The
boot_id tells that it did something. Then the board's own journal is put back, the declared
state is brought about anew, and every value of both is in the record.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.apply.attach import refuse_elsewhere
from runner.apply.interface import StoppedError
from runner.errors import HostError, HostRebooted, RunnerError
from runner.executor.power import cycle
from runner.executor.reboot import back, booted
from runner.records.manifest import PowerCycle
from runner.specfile.inventory.power import Power

if TYPE_CHECKING:
    from runner.apply.interface import Options
    from runner.apply.trials import TrialRunner
    from runner.planning.layers import Declared


@dataclass
class Reviver:
    """Brings boards back, each within its bounds; the record says all that was done."""

    system: Declared
    options: Options
    stop: threading.Event
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, runner: TrialRunner, died: RunnerError) -> str:
        """Bring a board back; give why it stays away, nothing where it is as declared again."""
        host = runner.host
        before = str(host.facts.get("boot_id") or "")
        argv: tuple[str, ...] = ()
        after, restored, failed = "", 0, ""
        at = time.time()
        try:
            argv = self._asked(runner, died)
            after = self._booted(runner, argv, before)
            runner.reporter.note(f"is there again, in another boot; putting back: {died.message}")
            refuse_elsewhere(host, runner.folder)
            restored = sum(one.outcome == "restored" for one in host.restore(leave_kept=True))
            host.observe(self.system)
            host.apply(self.system, self.options)
        except RunnerError as fault:
            failed = fault.message
        runner.laid, runner.keeping = None, ""
        runner.uploaded.clear()
        done = PowerCycle(host.name, at, died.message, argv, before, after, restored, failed)
        with self._lock:
            runner.folder.update(power=(*runner.folder.manifest.power, done))
        return failed

    def _asked(self, runner: TrialRunner, died: RunnerError) -> tuple[str, ...]:
        """Give the command to run, none where it has booted; HostError where it may not be run."""
        name, power = runner.host.name, runner.host.entry.power
        times = (power or Power(())).times
        used = sum(one.board == name for one in runner.folder.manifest.power)
        if used >= times:
            raise HostError(f"it was brought back {used} times in this run, and no more is allowed")
        if isinstance(died, HostRebooted):
            return ()
        if power is None:
            raise HostError("the inventory does not say how to switch it off and on")
        return power.cycle

    def _booted(self, runner: TrialRunner, argv: tuple[str, ...], before: str) -> str:
        """Switch it off and on where that is asked; give its new boot_id."""
        agent, power = runner.host.agent, runner.host.entry.power
        if not argv or power is None:
            return booted(agent)
        runner.reporter.note(f"gone; switched off and on: {' '.join(argv)}")
        cycle(argv, runner.host.name)
        return back(agent, before, within_s=power.within_s, sleep=self._pause)

    def _pause(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise StoppedError("the run was stopped while a board came up")
