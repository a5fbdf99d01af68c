"""h2load --h1: the true latency of every request, from its log file.

The log has one line a request: start (µs since the epoch), status (−1: failed),
latency (µs). Nothing in it is back-filled, so percentiles of it are what the
clients saw ("raw"); see `histogram` for the corrected view. The host sums the log
up. Source: nghttp2 1.52 `src/h2load.cc`, `--log-file`.
"""

from __future__ import annotations

import re

from runner.kinds.generators.interface import LoadNumbers, LoadStep, Output, failed

REQUESTS = re.compile(
    r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
    r"(\d+) failed, (\d+) errored, (\d+) timeout",
    re.MULTILINE,
)
STATUS = re.compile(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", re.MULTILINE)
FINISHED = re.compile(r"^finished in ([\d.]+)(us|ms|s|m|h)?, ", re.MULTILINE)
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class H2load:
    """h2load of nghttp2, speaking HTTP/1.1."""

    name = "h2load"
    doc = "a closed loop over HTTP/1.1; the true latency of every request"
    tool = "h2load"
    package = "nghttp2-client"
    program = ""
    paced = False
    closed = True
    needs = ("connections",)

    def files(self) -> list[dict[str, str]]:
        """Nothing is sent beside the program."""
        return []

    def threads(self, step: LoadStep) -> int:
        """Give the threads used: h2load refuses more than connections."""
        return max(1, min(step.threads, step.connections))

    def argv(self, step: LoadStep) -> list[str]:
        """Command line of one step."""
        return [
            "h2load",
            "--h1",
            f"-c{step.connections}",
            f"-t{self.threads(step)}",
            f"-D{max(1, round(step.duration_s))}",
            f"--connection-active-timeout={max(1, round(step.duration_s + step.timeout_s))}",
            f"--connection-inactivity-timeout={max(1, round(step.timeout_s))}",
            "--log-file={dir}/" + self.log(),
            step.url,
        ]

    def log(self) -> str:
        """One log per step."""
        return "h2load-{step}.tsv"

    def opened(self, step: LoadStep) -> int:
        """Every connection asked for: h2load spreads the remainder over its threads."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step; latency only from the log of every request."""
        from runner.kinds.generators.histogram import QUANTILES, decode, latency_numbers

        total = REQUESTS.search(output.stdout)
        if output.exit_code != 0 or total is None:
            return failed(self.name, output)
        _, _, done, _, _, errored, timeout = (int(word) for word in total.groups())
        status = STATUS.search(output.stdout)
        refused = sum(int(word) for word in status.groups()[1:]) if status else 0
        # errored counts timed-out and reset requests alike; timeouts are told apart
        seconds = self.seconds(output.stdout) or step.duration_s
        # a reply whose body was cut by the end has a status and is not "done"
        seen = sum(int(word) for word in status.groups()) if status else 0
        attempts = max(done, seen) + errored
        numbers: dict[str, float | int | None] = {
            "requests": done,
            "duration_s": seconds,
            "rps": done / seconds if seconds else None,
            "opened": self.opened(step),
            "errors.timeout": timeout,
            "errors.read": max(0, errored - timeout),
            "errors.status": refused,
            "errors": errored + refused,
            "error_ratio": (errored + refused) / attempts if attempts else 1.0,
        }
        why: dict[str, str] = {}
        found = decode(output.log)
        if found is not None:
            numbers |= latency_numbers(found, step.connections, seconds)
            return LoadNumbers(numbers, why, found)
        reason = (output.log.why if output.log else None) or "no request was answered"
        for name in (*QUANTILES, "mean", "min", "max"):
            for view in ("latency_", "latency_raw_", "latency_corrected_"):
                numbers[view + name], why[view + name] = None, reason
        for name in ("littles_law", "littles_law_corrected"):
            numbers[name], why[name] = None, reason
        return LoadNumbers(numbers, why)

    @staticmethod
    def seconds(stdout: str) -> float | None:
        """Length of the measurement as h2load says it."""
        found = FINISHED.search(stdout)
        return float(found[1]) * SECONDS[found[2] or "s"] if found else None


KIND = H2load()
