"""vegeta: an open model. Requests arrive at a constant rate, whether or not any was answered.

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
from typing import TYPE_CHECKING, Final

from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import NO_ARGV, PLAIN, Request, good_of

if TYPE_CHECKING:
    from runner.records.program import File
    from runner.records.steps import LoadStep

ASKED: Final = "vegeta-request.json"
RAW: Final = ("mean", "min", "max", "p50", "p90", "p95", "p99")
OPEN: Final = "an open model: the arrival rate is given, so Little's law checks nothing"


class Vegeta:
    """The attacker of vegeta 12, built by runner."""

    name = "vegeta"
    doc = "an open model at a constant rate; latency from when a request was meant to start"
    tool = ""
    package = ""
    program = "_vegeta"
    paced = True
    closed = False
    needs = ("rate",)
    takes: tuple[str, ...] = ()
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
            f"-rate={step.rate:g}",
            f"-duration={step.duration_s:g}s",
            f"-workers={step.connections}",
            f"-timeout={step.timeout_s:g}s",
            f"-threads={self.threads(step)}",
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
        why = {"littles_law": OPEN, "littles_law_corrected": OPEN}
        numbers |= dict.fromkeys(why)
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
        return LoadNumbers(numbers, why, meant)


KIND = Vegeta()
