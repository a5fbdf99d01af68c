"""vegeta: an open model. Requests arrive at given times, whether or not any was answered.

They come at a constant rate, at one that changes in straight lines (ramps, spikes), or at
the times of a file; how many were planned, sent and answered in each interval is a series.

Latency counts from the time at which a request was meant to start, so that a stalled
server is charged for what piled up meanwhile (no coordinated omission); `latency_raw_*`
is from its real start. One that timed out counts with the time that it had taken by then, a lower
bound: so no percentile hides it. A request that could not be sent before the end, since all
workers waited, is *dropped*: planned − sent. The program is `_vegeta/main.go` around
the attacker of github.com/tsenart/vegeta v12; runner builds it and brings it along.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from runner.kinds.generators.interface import LoadNumbers, Output, Over, failed
from runner.kinds.generators.request import NO_ARGV, PLAIN, Request, good_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.records.program import File
    from runner.records.steps import LoadStep

ASKED: Final = "vegeta-request.json"
RAW: Final = ("mean", "min", "max", "p50", "p90", "p95", "p99")
INTERVALS: Final = 120
OPEN: Final = "an open model: the arrival rate is given, so Little's law checks nothing"


class Vegeta:
    """The attacker of vegeta 12, built by runner."""

    name = "vegeta"
    doc = "an open model at given rates or times; latency from when a request was meant to start"
    tool = ""
    package = ""
    program = "_vegeta"
    paced = True
    closed = False
    needs = ("rate",)
    takes: tuple[str, ...] = ("ramp", "spike", "arrivals")
    lacks: tuple[str, ...] = (
        "opened", "littles_law*", "latency_*stdev", "latency_raw_p75", "latency_raw_p999*",
    )  # fmt: skip
    wall_clock = False

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Refuse arguments of its own; it sends whatever HTTP can say."""
        del request
        return NO_ARGV.format(self.name) if step.argv else ""

    def files(self, request: Request = PLAIN) -> list[File]:
        """Give what it is to send, but for the URLs, which hold the port."""
        asked = {
            "method": request.method,
            "headers": [list(pair) for pair in request.headers],
            "body": None
            if request.body is None
            else base64.b64encode(request.body).decode("ascii"),
            "keep_alive": request.keep_alive,
            "insecure": request.insecure,
            "ca": request.ca,
        }
        return [{"name": ASKED, "text": json.dumps(asked)}]

    def threads(self, step: LoadStep) -> int:
        """Give the threads that run Go code."""
        return step.threads

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step; {generator} is the program where runner has put it."""
        return [
            "{generator}",
            *(f"-url={url}" for url in request.urls(step.url)),
            "-request={dir}/" + ASKED,
            *_when(step),
            f"-duration={step.duration_s:g}s",
            f"-workers={step.connections}",
            f"-timeout={step.timeout_s:g}s",
            f"-threads={self.threads(step)}",
            f"-every={interval(step.duration_s):g}",
            "-log={dir}/" + self.log(),
        ]

    def log(self) -> str:
        """One log per step, in h2load's form."""
        return "vegeta-{step}.tsv"

    def opened(self, step: LoadStep) -> int:
        """Give the most connections at once: one for each worker."""
        return step.connections

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step; latency from the log of every request."""
        from runner.kinds.generators.histogram import QUANTILES, decode, meant_numbers

        line = next((x for x in output.stdout.splitlines() if x.startswith('{"rate"')), None)
        if output.exit_code != 0 or line is None:
            return failed(self.name, output)
        raw = json.loads(line)
        errors: dict[str, int] = raw["errors"]
        answered: int = raw["answered"]
        good = answered - errors.get("status", 0)
        if output.log is not None and output.log.why is None:
            good = good_of(output.log.statuses, step.expect)
        bad = answered - good
        failures = sum(n for kind, n in errors.items() if kind not in ("local", "status"))
        remote = failures + bad
        seconds = max(raw["attack_s"], raw["last_answer_s"])
        numbers: dict[str, float | int | None] = {
            "rate": raw["rate"],
            "planned": raw["planned"],
            "dropped": raw["planned"] - raw["sent"],
            "requests": raw["answered"],
            "duration_s": seconds,
            "rps": raw["answered"] / seconds,
            "good": good,
            "good_rps": good / seconds,
            "bytes": raw["bytes"],
            "errors": remote,
            "error_ratio": remote / raw["sent"] if raw["sent"] else 1.0,
            "errors.local": errors.get("local", 0),
        }
        for kind in ("connect", "read", "write", "timeout"):
            numbers[f"errors.{kind}"] = errors.get(kind, 0)
        numbers["errors.status"] = bad
        over = raw.get("over")
        numbers["behind"] = None if over is None else behind(over["planned"], over["sent"])
        why = {"littles_law": OPEN, "littles_law_corrected": OPEN}
        numbers |= dict.fromkeys(why)
        if over is None:
            why["behind"] = "this run did not count its requests over time"
        meant, service = decode(output.log), raw.get("service") or {}
        numbers |= {
            f"latency_{view}{name}": None
            for view in ("", "corrected_", "raw_")
            for name in (*QUANTILES, "mean", "min", "max")
        }
        numbers |= {f"latency_raw_{name}": service.get(f"{name}_s") for name in RAW}
        if meant is not None:
            numbers |= meant_numbers(meant)
        reason = (output.log.why if output.log else None) or "no request was answered"
        for name, value in numbers.items():
            if value is None and name not in why:
                why[name] = f"vegeta gives {', '.join(RAW)} alone" if service else reason
        return LoadNumbers(numbers, why, meant, over=_over(over))


def _when(step: LoadStep) -> list[str]:
    """Give the arguments that say when requests are sent."""
    if step.arrivals:
        k, n = step.share
        return [f"-arrivals={{dir}}/{step.arrivals}", f"-share={k}/{n}"]
    if step.shape:
        return ["-shape=" + ",".join(f"{at:.9g}:{rate:.9g}" for at, rate in step.shape)]
    return [f"-rate={step.rate:g}"]


def interval(duration_s: float) -> float:
    """Give the seconds of each interval in which requests are counted: at most 120 of them."""
    digits = (digit * 10.0**power for power in range(-1, 9) for digit in (1, 2, 5))
    return next(wide for wide in digits if wide * INTERVALS >= duration_s)


def behind(planned: Sequence[int], sent: Sequence[int]) -> float | None:
    """Give the share of the planned requests that were not sent in their interval."""
    missing = sum(max(0, asked - done) for asked, done in zip(planned, sent, strict=True))
    return missing / sum(planned) if sum(planned) else None


def _over(raw: Mapping[str, Any] | None) -> Over | None:
    if raw is None:
        return None
    counts = (tuple(map(int, raw[name])) for name in ("planned", "sent", "answered"))
    return Over(float(raw["every_s"]), *counts)


KIND = Vegeta()
