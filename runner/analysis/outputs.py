"""What a workload printed or answered → numbers: JSON, Go benchmarks, GC traces, Prometheus.

Names: `stdout.json.a.b`, `fetched.<name>.a.b`, `gobench.allocs_per_op`,
`gctrace.count`, `scavtrace.count`, `prometheus.<metric>`, `build.escapes`.
A null that a program prints stays null, with that as the reason.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Number = float | int | str | None
    Numbers = dict[str, Number]

# runtime/extern.go of Go 1.22, "gctrace": gc # @#s #%: #+#+# ms clock, #+#/#/#+# ms cpu,
# #->#-># MB, # MB goal, …
GCTRACE: Final = re.compile(
    r"^gc (?P<n>\d+) @(?P<at>[\d.]+)s (?P<cpu>\d+)%: "
    r"(?P<sweep>[\d.]+)\+(?P<mark>[\d.]+)\+(?P<term>[\d.]+) ms clock, .*?"
    r"(?P<before>\d+)->(?P<after>\d+)->(?P<live>\d+) MB, (?P<goal>\d+) MB goal",
    re.MULTILINE,
)
# runtime/mgcscavenge.go, "scavtrace": scav # KiB work (bg), # KiB work (eager), # KiB total, …
SCAVTRACE: Final = re.compile(r"^scav (?P<work>\d+) KiB work", re.MULTILINE)
# golang.org/design/14313-benchmark-format
BENCH: Final = re.compile(r"^(?P<name>Benchmark\S+)\s+(?P<n>\d+)\s+(?P<rest>.+)$", re.MULTILINE)
UNITS: Final = {
    "ns/op": "ns_per_op",
    "B/op": "bytes_per_op",
    "allocs/op": "allocs_per_op",
    "mallocs/op": "mallocs_per_op",
    "MB/s": "mb_per_s",
}
PROMETHEUS: Final = re.compile(r"^(?P<name>[A-Za-z_:][\w:]*)(?:\{[^}]*\})? (?P<value>\S+)$")
MB: Final = 1e6


@dataclass(frozen=True)
class Output:
    """Numbers of a stretch of output, and why there are none."""

    numbers: Numbers
    why: dict[str, str]


def of_trial(events: Iterable[Mapping[str, Any]]) -> Output:
    """Numbers of the whole trial's output."""
    listed = list(events)
    numbers: Numbers = {}
    why: dict[str, str] = {}
    out = text_of(listed, "stdout")
    _json(last_object(out), "stdout.json", numbers, why)
    gobench(out, numbers)
    for event in listed:
        if event["event"] == "fetched":
            fetched(event, numbers, why)
    return Output(numbers, why)


def of_window(events: Iterable[Mapping[str, Any]], start_s: float, end_s: float) -> Output:
    """Numbers of the traces that were printed within a step."""
    numbers: Numbers = {}
    why: dict[str, str] = {}
    # lines are sent about once a second: a trace has a clock of its own, see gctrace
    err = text_of(events, "stderr")
    started = next((e.get("t", 0.0) for e in events if e["event"] == "workload_started"), 0.0)
    gctrace(err, start_s - started, end_s - started, numbers, why)
    return Output(numbers, why)


def text_of(events: Iterable[Mapping[str, Any]], stream: str) -> str:
    """Give everything that the workload printed on a stream."""
    return "".join(
        str(e.get("text", "")) for e in events if e["event"] == "output" and e["stream"] == stream
    )


def last_object(text: str) -> Any:
    """Parse the last JSON object of a text: a line of its own, or all of it."""
    for line in reversed(text.splitlines()):
        if line.startswith("{") and line.rstrip().endswith("}"):
            try:
                return json.loads(line)
            except ValueError:
                continue
    start = text.find("{")
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, start)[0]
    except ValueError:
        return None


def _json(value: Any, name: str, numbers: Numbers, why: dict[str, str]) -> None:
    """Flatten an object to dotted names; of a list every item by its index, and its length."""
    if isinstance(value, dict):
        for key, item in value.items():
            _json(item, f"{name}.{key}", numbers, why)
    elif isinstance(value, list):
        numbers[f"{name}.count"] = len(value)
        for index, item in enumerate(value[:64]):
            _json(item, f"{name}.{index}", numbers, why)
    elif isinstance(value, bool):
        numbers[name] = int(value)
    elif isinstance(value, int | float | str):
        numbers[name] = value
    elif value is None and name != "stdout.json":
        numbers[name], why[name] = None, "the program says null: the quantity does not exist"


def gobench(text: str, numbers: Numbers) -> None:
    """Medians over the lines of each benchmark; without a name where there is only one."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for match in BENCH.finditer(text):
        name = re.sub(r"-\d+$", "", match["name"].removeprefix("Benchmark"))
        found[name]["iterations"].append(float(match["n"]))
        words = match["rest"].split()
        for amount, unit in zip(words[::2], words[1::2], strict=False):
            key = UNITS.get(unit, unit.replace("/", "_per_"))
            found[name][key].append(float(amount))
    for name, columns in found.items():
        for key, values in columns.items():
            middle = statistics.median(values)
            numbers[f"gobench.{name.replace('/', '.')}.{key}"] = middle
            if len(found) == 1:
                numbers[f"gobench.{key}"] = middle


def gctrace(text: str, start_s: float, end_s: float, numbers: Numbers, why: dict[str, str]) -> None:
    """Count GC cycles and their pauses in a stretch of the workload's own clock."""
    lines = [m for m in GCTRACE.finditer(text) if start_s <= float(m["at"]) <= end_s]
    if not GCTRACE.search(text):
        why["gctrace.count"] = "no GC trace was printed: set env GODEBUG=gctrace=1"
        numbers["gctrace.count"] = None
        return
    numbers["gctrace.count"] = len(lines)
    numbers["scavtrace.count"] = len(SCAVTRACE.findall(text))
    for name in ("pause_mean", "pause_total", "interval", "heap_live", "heap_goal", "cpu"):
        numbers[f"gctrace.{name}"] = None
        why[f"gctrace.{name}"] = "0 GC cycles in this step"
    if not lines:
        return
    pauses = [(float(m["sweep"]) + float(m["term"])) / 1e3 for m in lines]
    numbers["gctrace.pause_total"] = sum(pauses)
    numbers["gctrace.pause_mean"] = statistics.fmean(pauses)
    numbers["gctrace.pause"] = max(pauses)
    numbers["gctrace.heap_live"] = max(int(m["live"]) for m in lines) * MB
    numbers["gctrace.heap_goal"] = max(int(m["goal"]) for m in lines) * MB
    numbers["gctrace.cpu"] = int(lines[-1]["cpu"]) / 100
    if len(lines) > 1:
        times = [float(m["at"]) for m in lines]
        numbers["gctrace.interval"] = (times[-1] - times[0]) / (len(times) - 1)
    else:
        why["gctrace.interval"] = "one GC cycle has no interval"
    for name in [key for key in why if key.startswith("gctrace.") and numbers[key] is not None]:
        del why[name]


def fetched(event: Mapping[str, Any], numbers: Numbers, why: dict[str, str]) -> None:
    """Read a fetched page: JSON, or the Prometheus text format (version 0.0.4)."""
    text, name = str(event.get("text") or ""), str(event["name"])
    if text.lstrip().startswith(("{", "[")):
        try:
            _json(json.loads(text), f"fetched.{name}", numbers, why)
        except ValueError:
            numbers[f"fetched.{name}"], why[f"fetched.{name}"] = None, "is no JSON"
        return
    for line in text.splitlines():
        match = PROMETHEUS.match(line)
        if match:
            try:
                numbers[f"prometheus.{match['name']}"] = float(match["value"])
            except ValueError:
                continue


def escapes(stderr: str) -> Numbers:
    """Count what `go build -gcflags=-m` said: escapes and inlined calls.

    `build.moved_to_heap.buf` is how often a variable of that name was moved there.
    """
    lines: Sequence[str] = stderr.splitlines()
    moved = Counter(line.rsplit(maxsplit=1)[-1] for line in lines if "moved to heap: " in line)
    return {
        **{f"build.moved_to_heap.{name}": count for name, count in moved.items()},
        "build.escapes": sum(
            "escapes to heap" in line or "moved to heap" in line for line in lines
        ),
        "build.inlined": sum("inlining call to" in line for line in lines),
        "build.can_inline": sum("can inline" in line for line in lines),
    }
