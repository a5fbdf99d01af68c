"""The reporter of a terminal: what a run tells, as lines and one live status."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.cli.console import Progress, colour, result_line, say
from runner.planning.ids import is_plain, shown
from runner.records.amounts import planned
from runner.records.trial_events import (
    Absent,
    Columns,
    Failed,
    MeasureStarted,
    Sample,
    StepStarted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.analysis.model import Trial
    from runner.cli.sparklines import Sparklines
    from runner.planning.state import Change
    from runner.records.events import AnyEvent
    from runner.records.host_events import Result

MIB = 2**20
TOLD = {"load.rps": "", "load.latency_p99": "p99", "procfs.rss": "rss"}
"""Numbers in the line of a step."""


@dataclass
class Live:
    """What is shown of one running trial."""

    label: str
    """The board, where there are several."""
    began: float
    duration_s: float
    columns: list[str] = field(default_factory=list)
    step: str = ""
    name: str = ""
    text: str = ""

    def status(self, values: list[int | float | None]) -> str:
        """Give its line: step, elapsed of total, resident memory, connections."""
        seen = dict(zip(self.columns, values, strict=False))
        elapsed = time.monotonic() - self.began
        text = f"   {self.label}{self.step}  {elapsed:.0f}/{self.duration_s:.0f} s"
        rss, open_now = seen.get("procfs.status.VmRSS"), seen.get("net.sockets")
        used = seen.get("cgroup.usage")
        if rss is not None:
            text += f"  rss {rss / 1024:.1f} MiB"
        if used is not None:
            text += f"  cgroup {used / MIB:.1f} MiB"
        if open_now is not None:
            text += f"  {open_now:.0f} connections"
        return text


@dataclass
class Terminal:
    """Tells on stderr; stdout is for results."""

    quiet: bool = False
    verbose: bool = False
    diff: bool = False
    progress: Progress = field(default_factory=Progress)
    lines: Sparklines | None = None
    """Of the declared metrics, where they can be shown."""
    _live: dict[str, Live] = field(default_factory=dict)
    """Running trials by the board; by an empty name where there is one board."""
    _unguarded: set[str] = field(default_factory=set)

    def phase(self, text: str) -> None:
        """Head of a phase, as Ansible's tasks."""
        if not self.quiet:
            self.progress.line(colour(f"== {text}", "bold"))

    def note(self, text: str) -> None:
        """A note."""
        self.progress.clear()
        if not self.quiet:
            say(colour("   ", "dim") + text)

    def change(self, host: str, change: Change) -> None:
        """`--check`."""
        del host
        self.progress.clear()
        told = f"  ({change.treatment})" if change.treatment else ""
        say(f"  {colour(str(change), change.outcome)}  {change.id}{told}")
        if self.diff and change.diff:
            say(change.diff.rstrip("\n"))

    def result(self, host: str, phase: str, result: Result, diff: str) -> None:
        """One resource."""
        del host, phase
        if self.quiet or (result.outcome.startswith("ok") and not self.verbose):
            return
        shown = {
            "id": result.id,
            "outcome": result.outcome,
            "before": _brief(result.before),
            "after": _brief(result.after),
            "why": result.why,
        }
        self.progress.line(result_line(shown, diff.rstrip("\n") if self.diff else ""))

    def trial_started(
        self, trial: str, levels: Mapping[str, str], number: int, of: int, duration_s: float
    ) -> None:
        """A trial of the treatment `levels` begins; of several boards it is `BOARD: TRIAL`."""
        board, _, _ = trial.rpartition(": ")
        label = f"{board}: " if board else ""
        self._live[board] = Live(label, time.monotonic(), duration_s)
        if not self.quiet:
            which = f"{number} of {of}" if of else f"number {number}"
            told = "" if is_plain(levels) else f" {shown(levels)}"
            name = trial.removeprefix(label)
            self.progress.line(f"   {label}trial {name}{told} ({which}, {planned(duration_s)})")

    def event(self, trial: str, event: AnyEvent) -> None:
        """Live lines: one for each board that runs a trial."""
        board, _, _ = trial.rpartition(": ")
        live = self._live.setdefault(board, Live("", time.monotonic(), 0.0))
        match event:
            case Columns():
                live.columns = list(event.names)
                if self.lines is not None:
                    self.lines.begin(board, event.names)
            case StepStarted():
                live.name = event.name or str(event.index)
                live.step = f"step {live.name} warm-up"
            case MeasureStarted():
                live.step = f"step {live.name} measure"
            case Sample() if self.progress.live:
                live.text = live.status(event.v)
                if self.lines is not None:
                    self.lines.sample(board, event.t, event.v)
                if self.progress.due():
                    self.progress.status(*self._status())
            case Absent() if self.verbose:
                self.progress.line(f"   absent: {event.id} ({event.reason})")
            case Failed():
                self.progress.line(f"   {colour('error', 'failed')} {event.message}")

    def _status(self) -> list[str]:
        """Every board's line, then the metrics as far as they are known."""
        live = {board: one for board, one in self._live.items() if one.text}
        found = [one.text for one in live.values()]
        if self.lines is not None:
            for board, one in live.items():
                found += self.lines.lines(board, one.label)
            found += self.lines.of_trials()
        return found

    def trial_ended(self, trial: Trial) -> None:
        """A trial was judged: a line per step."""
        self.progress.clear()
        self._over(trial)
        if self.quiet:
            return
        from runner.analysis.trial.rules import shown

        if trial.outcome == "error" or not trial.steps:
            say(f"   {colour(trial.outcome.ljust(9), trial.outcome)} {trial.why}")
        for step in trial.steps:
            parts = [f"{colour(step.outcome.ljust(9), step.outcome)} {step.name:>6}"]
            for name, label in TOLD.items():
                number = step.numbers.get(name)
                if isinstance(number, int | float):
                    parts.append(f"{label} {shown(number, name)}".lstrip())
            say("   " + "  ".join(parts))
            for rule in step.rules:
                if not rule.held:
                    say(f"             {rule.rule} — was {rule.seen}")
        for guard in trial.guards:
            if guard.held is None and guard.rule not in self._unguarded:
                self._unguarded.add(guard.rule)
                say(f"             {guard.rule} — unguarded: {guard.why}")

    def _over(self, trial: Trial) -> None:
        board = trial.host if trial.host in self._live else ""
        self._live.pop(board, None)
        if self.lines is not None:
            self.lines.ended(board, trial)


def _brief(value: object) -> str:
    if value is None:
        return "absent"
    if isinstance(value, dict):
        return str(value.get("type", "present"))
    return str(value).replace("\t", " ")
