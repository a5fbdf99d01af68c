"""iperf3: as many bytes as the network takes, over N parallel streams, or at a rate (-b).

The workload is `iperf3 -s -p {port}`. A server serves one client at a time and takes a probe
for one: `ready: {listening: true}` asks nothing of it. What was moved is `iperf3.received`
and the like; there are no requests. iperf3 exits 0 also where nobody listens, with the
reason in its JSON. Up to 3.15 (Debian 12) it has one thread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runner.kinds.generators._words import address, no_address, no_http, taken
from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import PLAIN, Request
from runner.kinds.sources.iperf3 import read

if TYPE_CHECKING:
    from runner.records.program import File
    from runner.records.steps import LoadStep

OWN: Final = {
    "-c": "load.url", "--client": "load.url", "-p": "load.url", "--port": "load.url",
    "-s": "the workload is the server", "--server": "the workload is the server",
    "-t": "load.measure", "--time": "load.measure", "-n": "load.measure",
    "--bytes": "load.measure", "-k": "load.measure", "--blockcount": "load.measure",
    "-P": "load.connections", "--parallel": "load.connections", "-J": "it reads that",
    "--json": "it reads that", "-i": "it reads the sums alone",
    "--interval": "it reads the sums alone", "-O": "load.warmup", "--omit": "load.warmup",
}  # fmt: skip
REFUSED: Final = re.compile(r"unable to connect to server")
BROKEN: Final = re.compile(
    r"[Bb]roken pipe|reset by peer|closed unexpectedly|server has terminated"
    r"|unable to (?:receive|read|write)"
)


class Iperf3:
    """iperf3 as a client."""

    name = "iperf3"
    doc = "iperf3: as many bytes as the network takes over parallel streams, or -b in argv"
    tool = "iperf3"
    package = "iperf3"
    program = ""
    paced = False
    closed = False  # nothing is asked, and nothing answered
    needs = ("connections",)
    takes = ()
    lacks: tuple[str, ...] = (
        "planned", "dropped", "behind", "rate", "requests", "rps", "good", "good_rps", "latency_*",
        "littles_law*", "errors.write", "errors.timeout", "errors.status",
    )  # fmt: skip
    wall_clock = False

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what it cannot: HTTP, more than 128 streams, parts of a second."""
        if step.connections > 128:
            return f"iperf3 opens at most 128 streams, and connections is {step.connections}"
        if step.duration_s != int(step.duration_s):
            return f"iperf3 takes whole seconds, and a step is {step.duration_s:g} s"
        return (
            no_http(self.name, request, step)
            or no_address(self.name, step.url)
            or taken(step.argv, OWN)
        )

    def threads(self, step: LoadStep) -> int:
        """Give one, which it has."""
        del step
        return 1

    def files(self, request: Request = PLAIN) -> list[File]:
        """Nothing is sent beside it."""
        del request
        return []

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step; without reports of its intervals, which nothing reads."""
        del request
        host, port = address(step.url)
        seconds = max(1, round(step.duration_s))
        return [
            *("iperf3", "-c", host, "-p", port, "-t", str(seconds)),
            *("-P", str(step.connections), "-i", "0", "-J"),
            *step.argv,
        ]

    def log(self) -> str | None:
        """None: it keeps no log."""
        return None

    def opened(self, step: LoadStep) -> int:
        """Give its streams: beside them it has one connection for control."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step. A server that refuses or breaks off is not iperf3's failure."""
        printed, why, error = read(output.stdout)
        if output.exit_code is None or "{" not in output.stdout:
            return failed(self.name, output)
        numbers: dict[str, float | int | None] = {"opened": self.opened(step)}
        if error:
            kind = "connect" if REFUSED.search(error) else "read" if BROKEN.search(error) else ""
            if not kind:
                return LoadNumbers(error=error)
            numbers |= {f"errors.{kind}": 1, "errors": 1, "error_ratio": 1.0, "bytes": 0}
            return LoadNumbers(numbers, {"errors": error, "error_ratio": error})
        moved = printed["bytes"]
        numbers |= {
            "bytes": moved, "duration_s": printed["duration_s"], "errors": 0,
            "error_ratio": 0.0 if moved else 1.0,
        }  # fmt: skip
        own_why = dict(why)
        if not moved:
            own_why["error_ratio"] = "not a byte arrived"
        return LoadNumbers(numbers, own_why, own=printed)


KIND = Iperf3()
