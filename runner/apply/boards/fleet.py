"""Blocks on several boards at once: one trial at a time on each, one record of all.

A thread drives each board. A board whose link or power is gone, that was started anew, or that
cannot do what is asked of it (a full disk, a value that its kernel refuses) costs the block
that it was in: what it had finished of it stays in the record, and the block is run anew,
under a number of its own: there, where the board comes back, or on another one. What is not
a board's fault ends the run.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runner.errors import (
    HostError,
    HostRebooted,
    HostUnreachable,
    LeftRunning,
    RunnerError,
)
from runner.executor.trial import Backoff, stop_trial
from runner.planning.boards import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runner.apply.trials import TrialRunner

PATIENCE: Final = Backoff(attempts=6)
"""Half a minute: others can take over the blocks of a board that is gone."""
LOOK_S: Final = 0.5
"""How often the thread that Ctrl-C reaches looks up."""


@dataclass
class Boards:
    """Runs blocks on boards until all are done."""

    runners: Mapping[str, TrialRunner]
    """By the board's name."""
    block: Callable[[TrialRunner, int], None]
    """Run one block on one board; it looks at `stop` between trials."""
    stop: threading.Event
    renumbered: Callable[[int], int]
    """Give a new number for a block that a dead board did not finish."""
    told: Callable[[int, int, str, str, str], None]
    """Record a move: old number, new number, from, to, why."""
    revive: Callable[[TrialRunner, RunnerError], str]
    """Bring a board back as declared; gives why it stays away, nothing where it is back."""
    dead: dict[str, str] = field(default_factory=dict)
    """Boards that are gone, and why; also those that were left out before."""
    died: Callable[[str, RunnerError], None] = lambda _, __: None
    """Is told of a board that is gone for good."""
    _faults: list[RunnerError] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _left: dict[str, list[int]] = field(default_factory=dict)

    def run(self, blocks: Mapping[int, str]) -> None:
        """Run blocks, each on its board; raise what ended them early.

        Blocks of a dead board are moved. The error of the last board that died is raised
        where none is left.
        """
        for number, board in blocks.items():
            self._left.setdefault(board, []).append(number)
        self._move_from_dead()
        while any(self._left.values()):
            self._at_once([name for name, left in self._left.items() if left])
            self._move_from_dead()

    def _at_once(self, boards: Sequence[str]) -> None:
        """Let every board work through what it has; raise the first error that is not its own."""
        with ThreadPoolExecutor(len(boards), thread_name_prefix="board") as pool:
            futures = [pool.submit(self._drive, board) for board in boards]
            try:
                _watched(futures)
            except KeyboardInterrupt:
                self._interrupt(futures)
                raise
            except BaseException:
                self.stop.set()
                raise

    def _drive(self, board: str) -> None:
        """Work through the blocks of one board, in their order."""
        runner, left = self.runners[board], self._left[board]
        while left and not self.stop.is_set():
            try:
                self.block(runner, left[0])
            except (HostUnreachable, HostError) as error:
                # with no other board to go on with, its own error says most
                boots = isinstance(error, HostUnreachable | HostRebooted)
                if self.stop.is_set() or not (boots or len(self.runners) > 1):
                    raise
                runner.current = ""
                why = self.revive(runner, error) if boots else "it is there, and cannot go on"
                with self._lock:
                    if why:
                        self.dead[board] = f"{error.message}; {why}"
                        self._faults.append(error)
                        self.died(board, error)
                        return
                    number, left[0] = left[0], self.renumbered(left[0])
                    self.told(number, left[0], board, board, error.message)
            else:
                with self._lock:
                    left.pop(0)

    def _move_from_dead(self) -> None:
        """Give the blocks of dead boards to others; the block that one died in is begun anew."""
        for board in [name for name in self.dead if self._left.get(name)]:
            numbers, self._left[board] = self._left[board], []
            for number in numbers:
                alive = [name for name in self.runners if name not in self.dead]
                if not alive:
                    gone = any(isinstance(one, HostUnreachable) for one in self._faults)
                    raise (HostUnreachable if gone else HostError)(
                        f"no board is left: {'; '.join(self.dead.values())}",
                        fix="bring one up, then: runner apply --resume; the trials are kept",
                    )
                to = moved(number, alive, {name: len(own) for name, own in self._left.items()})
                new = self.renumbered(number)
                self.told(number, new, board, to, self.dead[board])
                self._left.setdefault(to, []).append(new)

    def _interrupt(self, futures: Sequence[Future[None]]) -> None:
        """Stop the running trial of every board; a second Ctrl-C leaves them running."""
        self.stop.set()
        try:
            for runner in self.runners.values():
                if runner.current:
                    with contextlib.suppress(RunnerError):
                        stop_trial(runner.host.agent, runner.current)
            while not all(future.done() for future in futures):
                wait(futures, timeout=LOOK_S)
        except KeyboardInterrupt:
            running = [f"{r.current} on {name}" for name, r in self.runners.items() if r.current]
            folder = next(iter(self.runners.values())).folder
            raise LeftRunning(
                f"left running: {', '.join(running) or 'no trial'}",
                fix=f"follow them and put the hosts back: runner attach {folder.id}",
            ) from None


def _watched(futures: Sequence[Future[None]]) -> None:
    """Wait for all; raise the first error. Short waits, so that Ctrl-C gets in."""
    pending: set[Future[None]] = set(futures)
    while pending:
        done, pending = wait(pending, timeout=LOOK_S, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
