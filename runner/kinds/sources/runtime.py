"""Go's runtime/metrics, by their Prometheus name without `go_`: `runtime.gc_heap_live_bytes`.

Read from a Prometheus page (client_golang's Go collector with all runtime metrics), or
from any JSON object whose keys are Go's own names (`"/gc/heap/live:bytes": 123`); a
histogram there is `{"counts": […], "buckets": […]}`, or `Counts` and `Buckets` as Go's own
type is written, with one bucket bound more than counts and null or "+Inf" for infinity, and
gives `.count`, `.p50`, `.p99` and `.max`: the upper bound of the bucket, so at least the true
value. Source: package runtime/metrics of Go 1.22; client_golang, RuntimeMetricsToProm.
"""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runner.kinds.sources import prometheus
from runner.kinds.sources._text import objects
from runner.kinds.sources.interface import OF_PAGES, Found, Printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.kinds.sources.interface import Needs

GO_NAME: Final = re.compile(r"/[\w/.-]+:[\w*/-]+")
QUANTILES: Final = {"p50": 0.5, "p99": 0.99, "max": 1.0}
# older names of the collector, which are not runtime metrics
OWN: Final = re.compile(r"go_(memstats_\w+|goroutines|threads|info\b.*|gc_duration_seconds\w*)")
UNITS: Final = {"bytes": ("B", 1.0), "seconds": ("s", 1.0), "percent": ("%", 0.01)}
"""Unit of a name and its size in the base unit: a percent is 0.01."""
DEEPEST: Final = 16


def short(name: str) -> str:
    """Turn Go's name into the short one: /gc/heap/live:bytes → gc_heap_live_bytes."""
    path, _, unit = name.partition(":")
    return re.sub(r"\W+", "_", f"{path.strip('/')}_{unit}")


class Runtime:
    """Metrics of the Go runtime; reading them does not stop the world."""

    name = "runtime"
    needs: Needs = OF_PAGES
    doc = "runtime/metrics from a JSON or Prometheus page: `runtime.gc_heap_live_bytes`"
    known = MappingProxyType({
        "gc_heap_live_bytes": "B", "gc_heap_goal_bytes": "B", "gc_heap_objects_objects": "objects",
        "gc_heap_allocs_bytes": "B", "gc_heap_frees_bytes": "B",
        "gc_cycles_total_gc_cycles": "cycles", "gc_stack_starting_size_bytes": "B",
        "memory_classes_total_bytes": "B", "memory_classes_heap_released_bytes": "B",
        "memory_classes_heap_stacks_bytes": "B", "sched_goroutines_goroutines": "goroutines",
        "sched_gomaxprocs_threads": "threads",
    })  # fmt: skip
    open: tuple[str, ...] = ("",)

    def unit(self, name: str) -> str | None:
        """Give the unit of a metric, which its name ends in."""
        stem, dot, last = name.partition(".")
        if dot and last == "count":
            return "1"
        return UNITS.get(stem.rpartition("_")[2], ("1", 1.0))[0]

    def parse(self, printed: Printed) -> Found:
        """Every runtime metric that was shown."""
        readings = Found()
        for shown in objects(printed):
            _walk(shown, readings, 0)
        for page in printed.pages:
            if prometheus.is_page(page) and "go_" in str(page.text):
                _scraped(str(page.text), readings)
        if not readings.numbers:
            readings.why["runtime"] = (
                "no runtime/metrics were shown: fetch a page with them (see docs/sources.md)"
            )
        return readings


def _scraped(text: str, readings: Found) -> None:
    try:
        read = prometheus.series(text)
    except ValueError:
        return
    for one in read:
        if one.name.startswith("go_") and not one.labels and not OWN.fullmatch(one.name):
            # the collector marks counters by a suffix that Go's own names do not have
            _put(one.name.removeprefix("go_").removesuffix("_total"), one.value, readings)


def _put(name: str, value: float, readings: Found) -> None:
    size = UNITS.get(name.partition(".")[0].rpartition("_")[2], ("1", 1.0))[1]
    readings.put(f"runtime.{name}", value * size if size != 1.0 else value)


def _walk(value: object, readings: Found, depth: int) -> None:
    if not isinstance(value, dict) or depth > DEEPEST:
        return
    for key, item in value.items():
        if not GO_NAME.fullmatch(key):
            _walk(item, readings, depth + 1)
        elif isinstance(item, dict):
            _histogram(short(key), item, readings)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            _put(short(key), item, readings)
        elif item is None:
            readings.absent(f"runtime.{short(key)}", "the program says null: it does not exist")


def _histogram(name: str, item: Mapping[str, object], readings: Found) -> None:
    counts = _numbers(item.get("counts", item.get("Counts")), None)
    bounds = _numbers(item.get("buckets", item.get("Buckets")), math.inf)
    full = f"runtime.{name}"
    why = ""
    if counts is None or bounds is None or any(count < 0 for count in counts):
        why = "the histogram has no lists of counts and buckets"
    elif len(bounds) != len(counts) + 1:
        why = "has not one bound more than counts"
    elif not sum(counts):
        why = "the histogram is empty"
    if counts is None or why.startswith("the histogram has"):
        readings.absent(f"{full}.count", why)
    else:
        readings.put(f"{full}.count", sum(counts))
    for key, q in QUANTILES.items():
        if why or counts is None or bounds is None:
            readings.absent(f"{full}.{key}", why)
            continue
        seen, total = 0.0, sum(counts)
        for index, count in enumerate(counts):
            seen += count
            if seen >= q * total and count:
                upper = bounds[index + 1]
                bound = bounds[index] if math.isinf(upper) else upper
                if math.isinf(bound):
                    readings.absent(f"{full}.{key}", "its bucket has no bound")
                else:
                    _put(f"{name}.{key}", bound, readings)
                break


def _numbers(value: object, null: float | None) -> list[float] | None:
    """Give a list of numbers; None where one of them is none. `null` stands for null and Inf."""
    if not isinstance(value, list):
        return None
    values: list[float] = []
    for item in value:
        if isinstance(item, int | float) and not isinstance(item, bool) and item == item:  # noqa: PLR0124 - NaN
            values.append(item)
        elif null is not None and (item is None or item in ("Inf", "+Inf", "-Inf")):
            values.append(null)
        else:
            return None
    return values


PARSER = Runtime()
