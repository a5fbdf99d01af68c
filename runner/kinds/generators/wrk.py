"""wrk: a closed loop of N connections, reported through a Lua `done` as JSON.

wrk prints latency that it has back-filled for coordinated omission ("corrected");
`done` sees the same histogram. Little's law (N / throughput) says what the mean
of a closed loop has to be, so both are reported and their ratio is the check.
Source: wrk 4.1 `src/wrk.c` (stats_correct), `SCRIPTING`.
"""

from __future__ import annotations

import json

from runner.kinds.generators.interface import LoadNumbers, LoadStep, Output, failed

# `latency:percentile(100)` is 0 in wrk: max comes from `latency.max`.
LUA = """\
done = function(summary, latency, requests)
  local e = summary.errors
  local p = function(x) return string.format("%d", latency:percentile(x)) end
  io.write("RUNNER_JSON {",
    '"duration_us":', string.format("%d", summary.duration),
    ',"requests":', string.format("%d", summary.requests),
    ',"bytes":', string.format("%d", summary.bytes),
    ',"connect":', string.format("%d", e.connect), ',"read":', string.format("%d", e.read),
    ',"write":', string.format("%d", e.write), ',"status":', string.format("%d", e.status),
    ',"timeout":', string.format("%d", e.timeout),
    ',"mean_us":', string.format("%.1f", latency.mean),
    ',"stdev_us":', string.format("%.1f", latency.stdev),
    ',"min_us":', string.format("%d", latency.min),
    ',"max_us":', string.format("%d", latency.max),
    ',"p50_us":', p(50), ',"p75_us":', p(75), ',"p90_us":', p(90), ',"p95_us":', p(95),
    ',"p99_us":', p(99), ',"p999_us":', p(99.9), "}\\n")
end
"""


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

    def files(self) -> list[dict[str, str]]:
        """Give the Lua script that prints the summary as JSON."""
        return [{"name": "wrk.lua", "text": LUA}]

    def threads(self, step: LoadStep) -> int:
        """Give the largest number up to the one asked for that divides the connections.

        Every thread opens as many, and wrk drops the remainder: -t4 -c87 opens 84.
        """
        most = min(step.threads, step.connections)
        return next(n for n in range(most, 0, -1) if step.connections % n == 0)

    def argv(self, step: LoadStep) -> list[str]:
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
            step.url,
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
        seconds = raw["duration_us"] / 1e6
        socket_errors = raw["connect"] + raw["read"] + raw["write"] + raw["timeout"]
        attempts = raw["requests"] + socket_errors
        numbers: dict[str, float | int | None] = {
            "requests": raw["requests"],
            "duration_s": seconds,
            "rps": raw["requests"] / seconds if seconds else None,
            "good_rps": (raw["requests"] - raw["status"]) / seconds if seconds else None,
            "bytes": raw["bytes"],
            "opened": self.opened(step),
            "errors": socket_errors + raw["status"],
            "error_ratio": (socket_errors + raw["status"]) / attempts if attempts else 1.0,
        }
        for kind in ("connect", "read", "write", "timeout", "status"):
            numbers[f"errors.{kind}"] = raw[kind]
        why: dict[str, str] = {}
        for key in ("mean", "stdev", "min", "max", "p50", "p75", "p90", "p95", "p99", "p999"):
            # a record made before wrk was asked for it has no p95
            if f"{key}_us" not in raw:
                continue
            name = f"latency_{key}"
            numbers[name] = raw[f"{key}_us"] / 1e6 if raw["requests"] else None
            numbers[f"latency_corrected_{key}"] = numbers[name]
            numbers[f"latency_raw_{key}"] = None
            why[f"latency_raw_{key}"] = "wrk prints corrected latencies only: use h2load"
            if not raw["requests"]:
                why[name] = why[f"latency_corrected_{key}"] = "no request was answered"
        mean = numbers["latency_mean"]
        if mean is not None and numbers["rps"]:
            numbers["littles_law"] = mean / (self.opened(step) / numbers["rps"])
        else:
            numbers["littles_law"], why["littles_law"] = None, "no request was answered"
        return LoadNumbers(numbers, why)


KIND = Wrk()
