"""Go's runtime/metrics, by their Prometheus name without `go_`: `runtime.gc_heap_live_bytes`.

Read from a Prometheus page (client_golang's Go collector with all runtime metrics), or
from any JSON object whose keys are Go's own names (`"/gc/heap/live:bytes": 123`); a
histogram there is `{"counts": […], "buckets": […]}` with one bucket bound more than
counts and null for ±Inf, and gives `.count`, `.p50`, `.p99` and `.max`: the upper bound
of the bucket, so at least the true value.
Source: package runtime/metrics of Go 1.22; client_golang, RuntimeMetricsToProm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from runner.kinds.sources import prometheus
from runner.kinds.sources._pages import objects
from runner.kinds.sources.interface import Found, Printed

if TYPE_CHECKING:
    from collections.abc import Sequence

GO_NAME: Final = re.compile(r"/[\w/.-]+:[\w*/-]+")
QUANTILES: Final = {"p50": 0.5, "p99": 0.99, "max": 1.0}
# older names of the collector, which are no runtime metrics
OWN: Final = re.compile(r"prometheus\.go_(memstats_\w+|goroutines|threads|info\b.*)")


def short(name: str) -> str:
    """Turn Go's name into the short one: /gc/heap/live:bytes → gc_heap_live_bytes."""
    path, _, unit = name.partition(":")
    return re.sub(r"\W+", "_", f"{path.strip('/')}_{unit}")


class Runtime:
    """Metrics of the Go runtime; reading them does not stop the world."""

    name = "runtime"
    doc = "runtime/metrics from a JSON or Prometheus page: `runtime.gc_heap_live_bytes`"
    known = (
        "gc_heap_live_bytes", "gc_heap_goal_bytes", "gc_heap_objects_objects",
        "gc_heap_allocs_bytes", "gc_heap_frees_bytes", "gc_cycles_total_gc_cycles",
        "gc_stack_starting_size_bytes", "memory_classes_total_bytes",
        "memory_classes_heap_released_bytes", "memory_classes_heap_stacks_bytes",
        "sched_goroutines_goroutines", "sched_gomaxprocs_threads",
    )  # fmt: skip
    open = True

    def parse(self, printed: Printed) -> Found:
        """Every runtime metric that was shown."""
        found = Found()
        for shown in objects(printed):
            _walk(shown, found)
        scraped = prometheus.PARSER.parse(printed)
        for name, value in scraped.numbers.items():
            if name.startswith("prometheus.go_") and not OWN.fullmatch(name):
                # the collector marks counters by a suffix that Go's own names do not have
                own = name.removeprefix("prometheus.go_").removesuffix("_total")
                found.numbers[f"runtime.{own}"] = value
        if not found.numbers:
            found.why["runtime"] = (
                "no runtime/metrics were shown: fetch a page with them (see docs/sources.md)"
            )
        return found


def _walk(value: Any, found: Found) -> None:
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if not GO_NAME.fullmatch(key):
            _walk(item, found)
        elif isinstance(item, dict):
            _histogram(f"runtime.{short(key)}", item, found)
        elif isinstance(item, int | float):
            found.numbers[f"runtime.{short(key)}"] = item


def _histogram(name: str, item: dict[str, Any], found: Found) -> None:
    counts: Sequence[int] = item.get("counts") or []
    bounds: Sequence[float | None] = item.get("buckets") or []
    total = sum(counts)
    found.numbers[f"{name}.count"] = total
    if not total or len(bounds) != len(counts) + 1:
        why = "the histogram is empty" if not total else "has not one bound more than counts"
        for key in QUANTILES:
            found.absent(f"{name}.{key}", why)
        return
    for key, q in QUANTILES.items():
        seen = 0
        for index, count in enumerate(counts):
            seen += count
            if seen >= q * total and count:
                upper = bounds[index + 1]
                found.numbers[f"{name}.{key}"] = bounds[index] if upper is None else upper
                break


PARSER = Runtime()
