"""h2load --h1: the true latency of every request, from its log file.

The log has one line a request: start (µs since the epoch), status (−1: failed),
latency (µs). Nothing in it is back-filled, so percentiles of it are what the
clients saw ("raw"). The corrected view adds, for a request slower than the mean
interval of its connection, the requests that a steady client would have sent in
that time (HdrHistogram's rule, `recordValueWithExpectedInterval`). Both are
given. Source: nghttp2 1.52 `src/h2load.cc`, `--log-file`.
"""

from __future__ import annotations

import re

import numpy as np

from runner.generators.interface import LoadNumbers, LoadStep

QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p99": 0.99, "p999": 0.999}
REQUESTS = re.compile(
    r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
    r"(\d+) failed, (\d+) errored, (\d+) timeout",
    re.MULTILINE,
)
STATUS = re.compile(
    r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", re.MULTILINE
)
FINISHED = re.compile(r"^finished in ([\d.]+)(us|ms|s|m|h)?, ", re.MULTILINE)
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def corrected(latencies_s: np.ndarray, interval_s: float) -> np.ndarray:
    """Back-fill a closed loop's pauses; shape (n,) → (m,), m ≥ n."""
    if interval_s <= 0:
        return latencies_s
    slow = latencies_s[latencies_s > 2 * interval_s]
    filled = [np.arange(value - interval_s, interval_s, -interval_s) for value in slow]
    return np.concatenate([latencies_s, *filled])


class H2load:
    """h2load of nghttp2, speaking HTTP/1.1."""

    name = "h2load"
    tool = "h2load"
    package = "nghttp2-client"
    log = "h2load.tsv"

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
            "--log-file={dir}/" + self.log,
            step.url,
        ]

    def opened(self, step: LoadStep) -> int:
        """Every connection asked for: h2load spreads the remainder over its threads."""
        return step.connections

    def parse(
        self, stdout: str, stderr: str, exit_code: int | None, step: LoadStep, log: str = ""
    ) -> LoadNumbers:
        """Numbers of one step; latency only from the log of every request."""
        total = REQUESTS.search(stdout)
        if exit_code != 0 or total is None:
            said = (stderr.strip() or stdout.strip()).splitlines()
            return LoadNumbers(
                error=f"h2load exited {exit_code}: {said[-1] if said else 'no output'}"
            )
        _, _, done, _, _, errored, timeout = (int(word) for word in total.groups())
        status = STATUS.search(stdout)
        refused = sum(int(word) for word in status.groups()[1:]) if status else 0
        # errored counts timed-out and reset requests alike; timeouts are told apart
        seconds = self.seconds(stdout) or step.duration_s
        attempts = done + errored
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
        self._latency(log, step, seconds, numbers, why)
        return LoadNumbers(numbers, why)

    @staticmethod
    def seconds(stdout: str) -> float | None:
        """Length of the measurement as h2load says it."""
        found = FINISHED.search(stdout)
        return float(found[1]) * SECONDS[found[2] or "s"] if found else None

    def _latency(
        self,
        log: str,
        step: LoadStep,
        seconds: float,
        numbers: dict[str, float | int | None],
        why: dict[str, str],
    ) -> None:
        rows = [line.split("\t") for line in log.splitlines() if line.count("\t") == 2]
        good = np.array([float(row[2]) / 1e6 for row in rows if row[1] != "-1"])
        names = [*QUANTILES, "mean", "min", "max"]
        if good.size == 0:
            reason = "h2load's log holds no answered request" if rows else "no log of requests"
            for name in names:
                numbers[f"latency_{name}"], why[f"latency_{name}"] = None, reason
            numbers["littles_law"], why["littles_law"] = None, reason
            return
        filled = corrected(good, step.connections * seconds / good.size)
        for name, q in QUANTILES.items():
            numbers[f"latency_{name}"] = float(np.quantile(good, q))
            numbers[f"latency_corrected_{name}"] = float(np.quantile(filled, q))
        numbers["latency_mean"] = float(good.mean())
        numbers["latency_min"], numbers["latency_max"] = float(good.min()), float(good.max())
        rate = good.size / seconds
        numbers["littles_law"] = float(good.mean()) / (step.connections / rate)


KIND = H2load()
