"""sysbench as a load: of a database by its oltp tests, or of a board beside the workload.

`connections` are its threads, of which each is one client. sysbench stops at an error that it
does not ignore, and exits with it; those that it ignores it counts. To measure a board with it
and nothing else, make it the workload: `run: once` and the source `sysbench`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runner.kinds.generators._words import no_http, taken
from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import DEFAULT_URL, PLAIN, Request
from runner.kinds.sources.sysbench import read

if TYPE_CHECKING:
    from runner.records.program import File
    from runner.records.steps import LoadStep

OWN: Final = {
    "--time": "load.measure", "--threads": "load.connections", "--num-threads": "load.connections",
    "--max-time": "load.measure", "--warmup-time": "load.warmup",
}  # fmt: skip
LATENCIES: Final = ("min", "mean", "max", "p95", "p99")


class Sysbench:
    """sysbench 1.0."""

    name = "sysbench"
    doc = "sysbench: a database's clients, or a load of the board itself; argv names the test"
    tool = "sysbench"
    package = "sysbench"
    program = ""
    paced = False
    closed = False  # where it asks nobody, nothing waits for an answer
    needs = ("connections", "argv")
    takes = ()
    lacks: tuple[str, ...] = (
        "planned", "dropped", "behind", "rate",
        "bytes", "errors.*", "latency_corrected_*", "latency_raw_*",
        "latency_stdev", "latency_p50", "latency_p75", "latency_p90", "latency_p999*",
        "littles_law*",
    )  # fmt: skip
    wall_clock = False  # sb_timer is of CLOCK_MONOTONIC

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what it cannot: HTTP, an URL, parts of a second, anything but `run`."""
        if step.url != DEFAULT_URL:
            return "sysbench is told its server in argv, as --mysql-port={port}: leave out url"
        if step.duration_s != int(step.duration_s):
            return f"sysbench takes whole seconds, and a step is {step.duration_s:g} s"
        if step.argv[-1:] != ("run",):
            return "sysbench needs a test, its options and `run`: argv: [memory, run]"
        return no_http(self.name, request, step) or taken(step.argv, OWN)

    def threads(self, step: LoadStep) -> int:
        """Each client is a thread."""
        return step.connections

    def files(self, request: Request = PLAIN) -> list[File]:
        """Nothing is sent beside it."""
        del request
        return []

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step."""
        del request
        seconds = max(1, round(step.duration_s))
        own = [f"--time={seconds}", f"--threads={step.connections}"]
        return ["sysbench", *own, *step.argv]

    def log(self) -> str | None:
        """None: it keeps no log."""
        return None

    def opened(self, step: LoadStep) -> int:
        """Give its threads: of a database's tests each has one connection."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step: events are requests, ignored errors and reconnects errors."""
        printed, reasons = read(output.stdout)
        if output.exit_code != 0 or not printed:
            return failed(self.name, output)
        events, seconds = printed["events"], printed["duration_s"]
        errors = int((printed["ignored_errors"] or 0) + (printed["reconnects"] or 0))
        attempts = (events or 0) + errors
        numbers: dict[str, float | int | None] = {
            "requests": events, "good": events, "duration_s": seconds,
            "rps": printed["events_per_s"], "good_rps": printed["events_per_s"],
            "opened": self.opened(step), "errors": errors,
            "error_ratio": errors / attempts if attempts else 1.0,
        }  # fmt: skip
        numbers |= {f"latency_{name}": printed[f"latency_{name}"] for name in LATENCIES}
        return LoadNumbers(numbers, reasons, own=printed)


KIND = Sysbench()
