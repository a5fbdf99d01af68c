"""vegeta: an open model. Requests arrive at a constant rate, whether or not any was answered.

Latency counts from the time at which a request was meant to start, so that a stalled
server is charged for what piled up meanwhile (no coordinated omission); `latency_raw_*`
is from its real start. A request that could not be sent before the end, since all
workers waited, is *dropped*: planned − sent. The program is `_vegeta/main.go` around
the attacker of github.com/tsenart/vegeta v12; runner builds it and brings it along.
"""

from __future__ import annotations

import json
from typing import Final

from runner.kinds.generators.interface import LoadNumbers, LoadStep, Output, failed

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

    def files(self) -> list[dict[str, str]]:
        """Nothing is sent beside the program."""
        return []

    def threads(self, step: LoadStep) -> int:
        """Give the threads that run Go code."""
        return step.threads

    def argv(self, step: LoadStep) -> list[str]:
        """Command line of one step; {generator} is the program where runner has put it."""
        return [
            "{generator}",
            f"-url={step.url}",
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

        del step
        line = next((x for x in output.stdout.splitlines() if x.startswith('{"rate"')), None)
        if output.exit_code != 0 or line is None:
            return failed(self.name, output)
        raw = json.loads(line)
        errors: dict[str, int] = raw["errors"]
        remote = sum(many for kind, many in errors.items() if kind != "local")
        seconds = max(raw["attack_s"], raw["last_answer_s"])
        numbers: dict[str, float | int | None] = {
            "rate": raw["rate"],
            "planned": raw["planned"],
            "dropped": raw["planned"] - raw["sent"],
            "requests": raw["answered"],
            "duration_s": seconds,
            "rps": raw["answered"] / seconds,
            "good_rps": (raw["answered"] - errors.get("status", 0)) / seconds,
            "bytes": raw["bytes"],
            "errors": remote,
            "error_ratio": remote / raw["sent"] if raw["sent"] else 1.0,
            "errors.local": errors.get("local", 0),
        }
        for kind in ("connect", "read", "write", "timeout", "status"):
            numbers[f"errors.{kind}"] = errors.get(kind, 0)
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
