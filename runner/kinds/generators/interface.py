"""What every load generator is to the rest: a description and a parser, no I/O."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol, Self

from runner.kinds.generators.request import PLAIN, Request
from runner.records.steps import LoadStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    # numpy and the events are needed by parsing alone, which is later
    from runner.kinds.generators.histogram import Histogram
    from runner.records.program import File
    from runner.records.trial_events import RequestLog, StepEnded

FIRST: Final = 3
LAST: Final = 2
LINE: Final = 200
"""Lines of a failure's text that are kept from both ends, and characters of each."""


@dataclass(frozen=True)
class Output:
    """What one run of a generator has left."""

    stdout: str
    stderr: str
    exit_code: int | None
    """None where a signal or the step's time limit ended it."""
    log: RequestLog | None = None
    """The host's sum of its log of single requests, where it writes one."""
    waiting: int | None = None
    """Connections without an answer for longer than the timeout, at the end; None: not counted."""
    signal: int | None = None
    timed_out_s: float | None = None
    """Seconds after which it was stopped, where it did not end by itself."""
    dropped: int = 0
    """Bytes in the middle of what it printed that were left out."""

    @classmethod
    def of(cls, ended: StepEnded) -> Self:
        """Take it from the end of a step."""
        stopped = ended.wall_s if ended.timed_out else None
        return cls(
            ended.stdout, ended.stderr, ended.exit, ended.log, ended.waiting, ended.signal, stopped,
            ended.dropped,
        )  # fmt: skip


@dataclass(frozen=True)
class Over:
    """Requests of an open model in each interval of a step, from its measurement's start on."""

    every_s: float
    planned: tuple[int, ...]
    sent: tuple[int, ...]
    answered: tuple[int, ...]


@dataclass(frozen=True)
class LoadNumbers:
    """What a generator reported of a step; base units, None with a reason in `why`."""

    numbers: dict[str, float | int | None] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    histogram: Histogram | None = None
    """Latencies of all requests, for adding up several generators; None: it gives none."""
    error: str = ""
    """Not empty: the generator itself failed, and the step is invalid."""
    own: Mapping[str, float | int | None] = field(default_factory=dict)
    """What has no place among the names of a load: `iperf3.received` without its family."""
    over: Over | None = None
    """Requests over time; None: it does not count them so."""


class Generator(Protocol):
    """One kind of load generator."""

    name: str
    doc: str
    """One line for `runner kinds`."""
    tool: str
    """Program that has to be on the host's PATH; empty: nothing has to be there."""
    package: str
    """Debian's package of it."""
    program: str
    """Folder of Go source beside the kind's file that runner builds and brings; mostly empty."""
    paced: bool
    """It can send at `LoadStep.rate`."""
    closed: bool
    """A closed loop: a connection asks again once it was answered, whatever the rate."""
    needs: tuple[str, ...]
    """Keys of `load` that it cannot do without: connections, rate, argv."""

    takes: tuple[str, ...]
    """Further keys that only some have: numbers, think; of a step ramp, spike, arrivals."""

    lacks: tuple[str, ...]
    """Numbers of a load that it never gives, such as planned; `*` stands for any text."""

    wall_clock: bool
    """It measures by the wall clock: where that is set in a step, its numbers say nothing."""

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what of this it cannot do, or nothing."""

    def threads(self, step: LoadStep) -> int:
        """Threads that the tool uses for this step: what it can saturate."""

    def files(self, request: Request = PLAIN) -> list[File]:
        """Files that the host needs in the trial's folder: name, and text or base64."""

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step; may hold {dir}, {port}, {step} and {generator}."""

    def log(self) -> str | None:
        """Name of the log of single requests in {dir}, may hold {step}; None: it writes none."""

    def opened(self, step: LoadStep) -> int:
        """Connections that the tool really opens for this step."""

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step. Pure."""


def fitted(kind: Generator, step: LoadStep) -> LoadStep:
    """Give the step with the threads that the generator really uses for it."""
    return replace(step, threads=kind.threads(step))


def heeds_threads(kind: Generator) -> bool:
    """Whether the number of threads says anything to a generator."""
    few = LoadStep("", connections=64, duration_s=1.0, threads=1)
    return kind.threads(few) != kind.threads(replace(few, threads=2))


def failed(tool: str, output: Output) -> LoadNumbers:
    """Give the numbers of a generator that failed: none, and what it said as the error."""
    text = excerpt(output.stderr) or excerpt(output.stdout) or "no output"
    return LoadNumbers(error=f"{ended(tool, output)}: {text}")


def ended(tool: str, output: Output) -> str:
    """Say how a generator ended."""
    if output.timed_out_s is not None:
        return f"{tool} did not end: stopped after {output.timed_out_s:.1f} s"
    if output.signal is not None:
        try:
            return f"{tool} was ended by {signal.Signals(output.signal).name}"
        except ValueError:
            return f"{tool} was ended by signal {output.signal}"
    return f"{tool} exited {output.exit_code}"


def excerpt(text: str) -> str:
    """Give the first and the last lines of what a program printed as it failed."""
    lines = [line.strip()[:LINE] for line in text.splitlines() if line.strip()]
    if len(lines) > FIRST + LAST:
        lines = [*lines[:FIRST], "…", *lines[-LAST:]]
    return " | ".join(lines)
