"""h2load --h1: the true latency of every request, from its log file.

The log has one line a request: start (µs since the epoch), status (−1: failed),
latency (µs). Nothing in it is back-filled, so percentiles of it are what the
clients saw ("raw"); see `histogram` for the corrected view. The host sums the log
up. Source: nghttp2 1.52 `src/h2load.cc`, `--log-file`.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner.kinds.generators import _waiting
from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import NO_ARGV, PLAIN, Request, good_of, path_of
from runner.records.steps import SUCCESS, LoadStep

if TYPE_CHECKING:
    from runner.kinds.generators.histogram import Histogram
    from runner.records.program import File

BODY = "h2load-body"
REQUESTS = re.compile(
    r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
    r"(\d+) failed, (\d+) errored, (\d+) timeout",
    re.MULTILINE,
)
STATUS = re.compile(r"^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", re.MULTILINE)
CLIENTS = re.compile(r"^req/s +: +([\d.]+) ", re.MULTILINE)
"""Answers a second of the client that had the fewest."""
FINISHED = re.compile(r"^finished in ([\d.]+)(us|ms|s|m|h)?, ", re.MULTILINE)
_SHOWN_S = 200.0
"""In a longer time a single answer rounds to 0.00 a second."""
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
    takes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = (
        "planned", "dropped", "behind", "rate", "bytes", "errors.connect", "errors.write",
        "latency_*stdev", "latency_corrected_min",
    )  # fmt: skip
    wall_clock = False

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what h2load cannot: it checks no certificate, and closes no connection."""
        urls = request.urls(step.url)
        if step.argv:
            return NO_ARGV.format(self.name)
        if len({urlsplit(url)[:2] for url in urls}) > 1:
            return "h2load asks one server: scheme, host and port of all urls have to be the same"
        if urls[0].startswith("https:") and not request.insecure:
            return "h2load checks no certificate: say `insecure: true`, or use vegeta"
        if not request.keep_alive:
            return "h2load keeps its connections: `keep_alive: false` needs wrk or vegeta"
        if request.body is not None and request.method not in ("POST", "PUT", "PATCH"):
            return f"h2load sends no body with {request.method}"
        return ""

    def files(self, request: Request = PLAIN) -> list[File]:
        """Give the body, which it takes from a file."""
        if request.body is None:
            return []
        return [{"name": BODY, "base64": base64.b64encode(request.body).decode("ascii")}]

    def threads(self, step: LoadStep) -> int:
        """Give the threads used: h2load refuses more than connections."""
        return max(1, min(step.threads, step.connections))

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step.

        Its own timeouts are not used: when one fires, h2load 1.52 ends by an assertion of
        libev. Answers that come later than the step's timeout are found in the log, and
        connections that got none are counted on the host.
        """
        urls = request.urls(step.url)
        words = [
            "h2load",
            "--h1",
            f"-c{step.connections}",
            f"-t{self.threads(step)}",
            f"-D{max(1, round(step.duration_s * 1000))}ms",
            "--log-file={dir}/" + self.log(),
        ]
        if request.method != "GET":
            words.append(f"-H:method: {request.method}")
        words += [f"-H{name}: {value}" for name, value in request.headers]
        if request.body is not None:
            words.append("-d{dir}/" + BODY)
        return [*words, urls[0], *(path_of(url) for url in urls[1:])]

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
        _, _, done, _, _, broken, timeout = (int(word) for word in total.groups())
        log = output.log
        seconds = self.seconds(output.stdout) or step.duration_s
        why: dict[str, str] = {}
        histogram = decode(log) if log is not None else None
        late = (
            0
            if histogram is None
            else int(histogram.counts[histogram.values > step.timeout_s].sum())
        )
        good = self._good(output, step, done)
        if good is None:
            why["good"] = why["errors.status"] = why["good_rps"] = "no log of single requests"
        bad = None if good is None else max(0, done - good)
        waiting, how = self._waiting(output, step, histogram, seconds)
        if waiting < 1 and done and seconds >= step.timeout_s and self._starved(output, seconds):
            # it never opens again what a server closed unanswered, and calls that no error
            waiting, how = 1, _waiting.STARVED
        if waiting:
            why["unanswered"] = how
        errors = None if bad is None else broken + bad + late + waiting
        attempts = done + broken + waiting
        numbers: dict[str, float | int | None] = {
            "requests": done,
            "duration_s": seconds,
            "rps": done / seconds if seconds else None,
            "good": None if good is None else max(0, good - late),
            "good_rps": None if good is None or not seconds else max(0, good - late) / seconds,
            "opened": self.opened(step),
            "unanswered": waiting,
            "errors.timeout": timeout + late,
            "errors.read": max(0, broken - timeout),
            "errors.status": bad,
            "errors": errors,
            "error_ratio": None
            if errors is None
            else min(1.0, errors / attempts)
            if attempts
            else 1.0,
        }
        if errors is None:
            why["errors"] = why["error_ratio"] = "no log of single requests"
        if histogram is not None:
            numbers |= latency_numbers(histogram, step.connections, seconds)
            return LoadNumbers(numbers, why, histogram)
        reason = (output.log.why if output.log else None) or "no request was answered"
        for name in (*QUANTILES, "mean", "min", "max"):
            for view in ("latency_", "latency_raw_", "latency_corrected_"):
                numbers[view + name], why[view + name] = None, reason
        for name in ("littles_law", "littles_law_corrected"):
            numbers[name], why[name] = None, reason
        return LoadNumbers(numbers, why)

    @staticmethod
    def _good(output: Output, step: LoadStep, done: int) -> int | None:
        """Good answers by the log; by h2load's classes of statuses where 2xx is what is good."""
        if output.log is not None and output.log.why is None:
            return min(done, good_of(output.log.statuses, step.expect))
        status = STATUS.search(output.stdout)
        if step.expect == SUCCESS and status:
            return min(done, int(status[1]))
        return None if done else 0

    def _waiting(
        self, output: Output, step: LoadStep, histogram: Histogram | None, seconds: float
    ) -> tuple[float, str]:
        if output.waiting is not None:
            return output.waiting, _waiting.COUNTED
        mean = None if histogram is None else histogram.mean
        many = 0 if histogram is None else histogram.n
        return (
            _waiting.estimated(step.connections, seconds, step.timeout_s, many, mean),
            _waiting.ESTIMATED,
        )

    @staticmethod
    def _starved(output: Output, seconds: float) -> bool:
        """Whether some client had no answer at all; one in a long time is printed as 0.00 too."""
        fewest = CLIENTS.search(output.stdout)
        return fewest is not None and float(fewest[1]) == 0 and seconds <= _SHOWN_S

    @staticmethod
    def seconds(stdout: str) -> float | None:
        """Length of the measurement as h2load says it."""
        match = FINISHED.search(stdout)
        return float(match[1]) * SECONDS[match[2] or "s"] if match else None


KIND = H2load()
