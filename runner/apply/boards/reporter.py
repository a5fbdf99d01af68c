"""What is told of one board among several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from runner.analysis.model import Trial
    from runner.apply.interface import Reporter
    from runner.planning.state import Change
    from runner.records.events import AnyEvent
    from runner.records.host_events import Result


class BoardReporter:
    """Tells of one board among several: lines with its name, and a live line of its own."""

    def __init__(self, board: str, reporter: Reporter, lock: threading.Lock) -> None:
        self._board, self._reporter, self._lock = board, reporter, lock

    def phase(self, text: str) -> None:
        """Say that a phase begins here."""
        self.note(text)

    def note(self, text: str) -> None:
        """Say something of this board."""
        with self._lock:
            self._reporter.note(f"{self._board}: {text}")

    def change(self, host: str, change: Change) -> None:
        """Hand on what would change."""
        with self._lock:
            self._reporter.change(host, change)

    def result(self, host: str, phase: str, result: Result, diff: str) -> None:
        """Hand on what was changed."""
        with self._lock:
            self._reporter.result(host, phase, result, diff)

    def trial_started(
        self, trial: str, levels: Mapping[str, str], number: int, of: int, duration_s: float
    ) -> None:
        """Say in one line which trial begins."""
        with self._lock:
            self._reporter.trial_started(self._named(trial), levels, number, of, duration_s)

    def event(self, trial: str, event: AnyEvent) -> None:
        """Hand on what the trial says."""
        with self._lock:
            self._reporter.event(self._named(trial), event)

    def _named(self, trial: str) -> str:
        return f"{self._board}: {trial}"

    def trial_ended(self, trial: Trial) -> None:
        """Say how it ended, then its steps."""
        with self._lock:
            self._reporter.note(f"{self._board}: {trial.id} {trial.outcome}")
            self._reporter.trial_ended(trial)
