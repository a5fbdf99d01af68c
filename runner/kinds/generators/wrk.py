"""wrk: a closed loop of N connections, reported through a Lua `done` as JSON.

wrk prints latency that it has back-filled for coordinated omission ("corrected");
`done` sees the same histogram. Little's law (N / throughput) says what the mean
of a closed loop has to be, so both are reported and their ratio is the check.
Source: wrk 4.1 `src/wrk.c` (stats_correct), `SCRIPTING`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from runner.kinds.generators import _waiting
from runner.kinds.generators._wrk_script import LUA, script
from runner.kinds.generators.interface import LoadNumbers, Output, failed
from runner.kinds.generators.request import NO_ARGV, PLAIN, Request, good_of, origin_of
from runner.records.secrets import HIDDEN

if TYPE_CHECKING:
    from runner.records.program import File
    from runner.records.steps import LoadStep

__all__ = ["KIND", "LUA", "Wrk"]

LATENCIES: Final = ("mean", "stdev", "min", "max", "p50", "p75", "p90", "p95", "p99", "p999")
OF_STATUS: Final = ("good", "good_rps", "errors", "error_ratio", "errors.status")
UNSEEN: Final = (
    "{} of {} answers had no header at all, and wrk tells its script no status of those: "
    "use h2load or vegeta"
)
"""src/wrk.c, response_complete: the script is called where the headers have a buffer."""


class Wrk:
    """wrk 4 of Debian."""

    name = "wrk"
    doc = "a closed loop of connections; latency corrected for coordinated omission alone"
    tool = "wrk"
    package = "wrk"
    program = ""
    paced = False
    closed = True
    needs = ("connections",)
    takes: tuple[str, ...] = ("think",)
    lacks: tuple[str, ...] = (
        "planned", "dropped", "behind", "rate", "latency_raw_*", "latency_*p9999",
        "littles_law_corrected",
    )  # fmt: skip
    wall_clock = True  # gettimeofday(2), in src/stats.c's callers

    def refuses(self, request: Request, step: LoadStep) -> str:
        """Say what wrk cannot: it checks no certificate, and its times are whole seconds."""
        urls = request.urls(step.url)
        if step.argv:
            return NO_ARGV.format(self.name)
        if len({urlsplit(url)[:2] for url in urls}) > 1:
            return "wrk asks one server: scheme, host and port of all urls have to be the same"
        if urls[0].startswith("https:") and not request.insecure:
            return "wrk checks no certificate: say `insecure: true`, or use vegeta"
        if step.timeout_s != int(step.timeout_s):
            return f"wrk takes whole seconds, and timeout is {step.timeout_s:g} s"
        if any(pause and round(pause * 1000, 6) % 1 for pause in step.think_s):
            return "wrk pauses whole milliseconds, and think is of a part of one"
        return ""

    def files(self, request: Request = PLAIN) -> list[File]:
        """Give the Lua script that asks, and prints the summary as JSON."""
        return [{"name": "wrk.lua", "text": script(request)}]

    def threads(self, step: LoadStep) -> int:
        """Give the largest number up to the one asked for that divides the connections.

        Every thread opens as many, and wrk drops the remainder: -t4 -c87 opens 84.
        """
        most = min(step.threads, step.connections)
        return next(n for n in range(most, 0, -1) if step.connections % n == 0)

    def argv(self, step: LoadStep, request: Request = PLAIN) -> list[str]:
        """Command line of one step; wrk takes whole seconds."""
        return [
            "wrk",
            f"-t{self.threads(step)}",
            f"-c{step.connections}",
            f"-d{max(1, round(step.duration_s))}s",
            "--timeout",
            f"{max(1, round(step.timeout_s))}s",
            "-s",
            "{dir}/wrk.lua",
            # of a url with a secret the script alone has the path
            origin_of(step.url) if HIDDEN in step.url else request.urls(step.url)[0],
        ]

    def log(self) -> str | None:
        """None: it keeps no log of single requests."""
        return None

    def opened(self, step: LoadStep) -> int:
        """T·⌊N/T⌋ of the step's threads; all of them where those are the threads that fit."""
        threads = max(1, min(step.threads, step.connections))
        return threads * (step.connections // threads)

    def parse(self, output: Output, step: LoadStep) -> LoadNumbers:
        """Numbers of one step; no summary line is the generator's failure."""
        line = next((x for x in output.stdout.splitlines() if x.startswith("RUNNER_JSON ")), None)
        if output.exit_code != 0 or line is None:
            return failed(self.name, output)
        raw = json.loads(line.removeprefix("RUNNER_JSON "))
        seconds, answered = raw["duration_us"] / 1e6, raw["requests"]
        broken = raw["connect"] + raw["read"] + raw["write"]
        # a record of a script that did not count them has wrk's own idea: 400 and above is bad
        good = answered - raw["status"]
        unseen = 0
        if "statuses" in raw:
            good = good_of(raw["statuses"], step.expect)
            unseen = max(0, answered - sum(raw["statuses"].values()))
        bad = answered - good
        # of those that came later than the timeout wrk says how many, not which
        late = raw["timeout"]
        waiting, how = self._waiting(raw, output, step, seconds)
        errors = broken + late + bad + waiting
        attempts = answered + broken + waiting
        numbers: dict[str, float | int | None] = {
            "requests": answered,
            "duration_s": seconds,
            "rps": answered / seconds if seconds > 0 else None,
            "good": max(0, good - late),
            "good_rps": max(0, good - late) / seconds if seconds > 0 else None,
            "bytes": raw["bytes"],
            "opened": self.opened(step),
            "unanswered": waiting,
            "errors": errors,
            "error_ratio": min(1.0, errors / attempts) if attempts else 1.0,
            "errors.status": bad,
        }
        for kind in ("connect", "read", "write", "timeout"):
            numbers[f"errors.{kind}"] = raw[kind]
        why: dict[str, str] = {"unanswered": how} if waiting else {}
        if unseen:
            for name in OF_STATUS:
                numbers[name], why[name] = None, UNSEEN.format(unseen, answered)
        for key in LATENCIES:
            # a record made before wrk was asked for it has no p95
            if f"{key}_us" not in raw:
                continue
            name = f"latency_{key}"
            numbers[name] = raw[f"{key}_us"] / 1e6 if answered else None
            numbers[f"latency_corrected_{key}"] = numbers[name]
            numbers[f"latency_raw_{key}"] = None
            why[f"latency_raw_{key}"] = "wrk prints corrected latencies only: use h2load"
            if not answered:
                why[name] = why[f"latency_corrected_{key}"] = "no request was answered"
        law, unknown = self._littles_law(numbers, step)
        numbers["littles_law"] = law
        if law is None:
            why["littles_law"] = unknown
        return LoadNumbers(numbers, why)

    def _littles_law(
        self, numbers: dict[str, float | int | None], step: LoadStep
    ) -> tuple[float | None, str]:
        """Give the mean latency ÷ what the rate leaves of a connection's round for it."""
        mean, rps = numbers["latency_mean"], numbers["rps"]
        if mean is None or not rps:
            return None, "no request was answered"
        # the pause before a request is no latency
        rest = self.opened(step) / rps - step.thinks_s
        if rest <= 0:
            return None, "connections paused all the time that was measured"
        return mean / rest, ""

    def _waiting(
        self, raw: dict[str, float], output: Output, step: LoadStep, seconds: float
    ) -> tuple[float, str]:
        if output.waiting is not None:
            return output.waiting, _waiting.COUNTED
        estimate = _waiting.estimated(
            self.opened(step), seconds, step.timeout_s, int(raw["requests"]),
            raw["mean_us"] / 1e6 + step.thinks_s,
            raw["stdev_us"] / 1e6 if "stdev_us" in raw else None,
        )  # fmt: skip
        return estimate, _waiting.ESTIMATED


KIND = Wrk()
