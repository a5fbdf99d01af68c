"""redis-benchmark: a closed loop of N clients against a server that speaks Redis' protocol.

It ends after a number of requests (`-n`) and not after a time: `measure` is what a step may
take, and one that takes much longer is stopped and named. From 7.0 on it stops at the first
error answer; before, `-e` has it print them. Where nobody listens it never ends.
Latency is of every request, from its sending on; nothing is back-filled.
Source: redis 7.0.15, src/redis-benchmark.c (readHandler, showLatencyReport).
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from runner.kinds.generators._words import address, no_address, no_http, taken, value_of
from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import PLAIN, Request

if TYPE_CHECKING:
    from runner.records.program import File
    from runner.records.steps import LoadStep

OWN: Final = {
    "-h": "load.url", "-p": "load.url", "-u": "load.url", "-s": "load.url",
    "-c": "load.connections", "--threads": "load.threads", "--csv": "it reads that",
    "-e": "it reads that", "-q": "it reads --csv", "-l": "it would never end",
    "-I": "it would never end",
}  # fmt: skip
FLAGS: Final = ("--tls", "--insecure", "--cluster", "--enable-tracking", "--precision", "-3")
"""Options without a value, beside those of OWN; a word behind any other one is its value."""
COLUMNS: Final = {
    "mean": "avg_latency_ms", "min": "min_latency_ms", "p50": "p50_latency_ms",
    "p95": "p95_latency_ms", "p99": "p99_latency_ms", "max": "max_latency_ms",
}  # fmt: skip
ANSWERED: Final = re.compile(r"Error from server: (.{1,200})")
BROKEN: Final = re.compile(r"^Error: (.{1,200})", re.MULTILINE)
NOT_CORRECTED: Final = "redis-benchmark's latency is of what was sent: nothing is corrected"
SEVERAL: Final = (
    "{} tests ran ({}): one a step has percentiles, say -t with one and make it a factor"
)
STOPPED: Final = "redis-benchmark stops at the first error, and says nothing of the other answers: "


class RedisBenchmark:
    """redis-benchmark 6 and later."""

    name = "redis_benchmark"
    doc = "redis-benchmark: a closed loop of clients; argv names the test and the requests"
    tool = "redis-benchmark"
    package = "redis-tools"
    program = ""
    paced = False
    closed = True
    needs = ("connections", "argv")
    takes = ()
    lacks: tuple[str, ...] = (
        "planned", "dropped", "behind", "rate",
        "bytes", "errors.connect", "errors.write", "errors.timeout",
        "latency_corrected_*", "latency_*stdev", "latency_*p75", "latency_*p90",
        "latency_*p999*", "littles_law_corrected",
    )  # fmt: skip
    wall_clock = False  # ustime() is of CLOCK_MONOTONIC where it reckons latency and duration

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what it cannot: a time, HTTP, or a step of all its twenty tests."""
        refusal = (
            no_http(self.name, request, step)
            or no_address(self.name, step.url)
            or taken(step.argv, OWN)
        )
        if refusal:
            return refusal
        if not (value_of(step.argv, "-n") or "").isdigit():
            return "redis_benchmark ends after a number of requests: say -n and it in argv"
        if value_of(step.argv, "-t") is None and not self._command(step):
            return "redis_benchmark would run all its tests: say -t and one, or a command, in argv"
        return ""

    @staticmethod
    def _command(step: LoadStep) -> bool:
        """Whether argv ends in a command of its own: a word that is not an option's."""
        before = ""
        for word in step.argv:
            if not word.startswith("-") and (not before.startswith("-") or before in FLAGS):
                return True
            before = word
        return False

    def threads(self, step: LoadStep) -> int:
        """Give the threads used: more than clients have nothing to do."""
        return max(1, min(step.threads, step.connections))

    def files(self, request: Request = PLAIN) -> list[File]:
        """Nothing is sent beside it."""
        del request
        return []

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step."""
        del request
        host, port = address(step.url)
        threads = self.threads(step)
        return [
            "redis-benchmark",
            *("-h", host, "-p", port, "-c", str(step.connections)),
            *(("--threads", str(threads)) if threads > 1 else ()),
            *("--csv", "-e"),
            *step.argv,
        ]

    def log(self) -> str | None:
        """None: it keeps no log of single requests."""
        return None

    def opened(self, step: LoadStep) -> int:
        """Every client asked for is one connection."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step; one that it stopped at an error has that error alone."""
        text = f"{output.stdout}\n{output.stderr}"
        answered, broken = ANSWERED.search(text), BROKEN.search(output.stderr)
        if answered or (output.exit_code == 1 and broken):
            return self._stopped(step, answered, broken)
        rows = self._rows(output.stdout)
        if output.exit_code != 0 or not rows:
            return failed("redis-benchmark", output)
        asked = int(value_of(step.argv, "-n") or 0)
        rates = [float(row["rps"]) for row in rows]
        many = asked * len(rows)
        seconds = sum(asked / rate for rate in rates if rate > 0)
        rps = many / seconds if seconds else None
        numbers: dict[str, float | int | None] = {
            "requests": many, "good": many, "duration_s": seconds or None, "rps": rps,
            "good_rps": rps, "opened": self.opened(step), "errors": 0, "error_ratio": 0.0,
        }  # fmt: skip
        why: dict[str, str] = {}
        for name, column in COLUMNS.items():
            self._latency(name, [float(row[column]) / 1e3 for row in rows], numbers)
            for view in ("", "raw_"):
                if numbers[f"latency_{view}{name}"] is None:
                    tests = ", ".join(row["test"] for row in rows)
                    why[f"latency_{view}{name}"] = SEVERAL.format(len(rows), tests[:200])
            numbers[f"latency_corrected_{name}"] = None
            why[f"latency_corrected_{name}"] = NOT_CORRECTED
        mean, pipeline = numbers["latency_mean"], value_of(step.argv, "-P") or "1"
        in_flight = self.opened(step) * int(pipeline if pipeline.isdigit() else 1)
        numbers["littles_law"] = mean / (in_flight / rps) if mean and rps else None
        if numbers["littles_law"] is None:
            why["littles_law"] = "no latency is known"
        return LoadNumbers(numbers, why)

    @staticmethod
    def _latency(name: str, values: list[float], numbers: dict[str, float | int | None]) -> None:
        """Put one statistic of all tests: each sent as many requests; percentiles do not add up."""
        value: float | None = None
        if len(values) == 1 or name in ("mean", "min", "max"):
            pick = {"min": min, "max": max}.get(name)
            value = pick(values) if pick else sum(values) / len(values)
        numbers[f"latency_{name}"] = numbers[f"latency_raw_{name}"] = value

    def _stopped(
        self, step: LoadStep, answered: re.Match[str] | None, broken: re.Match[str] | None
    ) -> LoadNumbers:
        why = STOPPED + (answered or broken or ("", ""))[1]
        numbers: dict[str, float | int | None] = dict.fromkeys(("requests", "rps", "duration_s"))
        numbers |= {
            "good": 0, "good_rps": 0.0, "opened": self.opened(step), "errors": 1,
            "error_ratio": 1.0, "errors.status" if answered else "errors.read": 1,
        }  # fmt: skip
        return LoadNumbers(numbers, dict.fromkeys(numbers, why))

    @staticmethod
    def _rows(text: str) -> list[dict[str, str]]:
        lines = text.splitlines()
        begin = next((i for i, line in enumerate(lines) if line.startswith('"test","rps"')), None)
        if begin is None:
            return []
        return [row for row in csv.DictReader(lines[begin:]) if None not in row.values()]


KIND = RedisBenchmark()
