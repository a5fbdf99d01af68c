"""Names of things that are measured, checked before anything runs.

A reference is `family.name`; what a family offers is known here where it is
fixed, and open where a workload decides (`expvar.…`, `stdout.json.…`).
"""

from __future__ import annotations

from runner.spec.base import did_you_mean

_LATENCY = ("mean", "stdev", "min", "max", "p50", "p75", "p90", "p95", "p99", "p999", "p9999")
_ERRORS = ("connect", "read", "write", "timeout", "status", "local")
_MEMORY = ("usage", "peak", "limit", "anon", "file", "faults", "major_faults", "oom_kills")

CLOSED: dict[str, tuple[str, ...]] = {
    "load": (
        "requests", "duration_s", "duration", "rps", "good_rps", "bytes", "bytes_per_second",
        "opened", "errors", "error_ratio", "connections", "established", "max_established",
        "rate", "dropped", "cpu", "cpu_s", "hosts", "littles_law",
        "littles_law_corrected", "time_wait", "exit", "ramp", "failed",
        *(f"latency_{name}" for name in _LATENCY),
        *(f"latency_corrected_{name}" for name in _LATENCY),
        *(f"latency_raw_{name}" for name in _LATENCY),
        *(f"errors.{name}" for name in _ERRORS),
    ),
    "search": ("level", "last_passing", "first_failing", "trials", "monotone", "p_healthy"),
    "workload": ("alive", "dead", "ready", "ready_after", "exit", "exit_code", "signal", "restarts",
                 "wall", "cpu", "pid", "processes"),
}  # fmt: skip
"""Families whose names are all known."""

HINTS: dict[str, tuple[str, ...]] = {
    "build": ("size", "id", "seconds", "text", "data", "bss", "rodata", "pclntab", "symtab",
              "stripped", "dynamic", "sha256", "escapes", "inlined", "can_inline", "toolchain",
              "dwarf"),
    "procfs": ("rss", "rss_peak", "rss_anon", "rss_file", "vm_size", "vm_pte", "swap", "hugetlb",
               "minor_faults", "major_faults", "user_cpu", "system_cpu", "threads", "pss",
               "private_dirty", "anon_huge", "fds"),
    "cgroup": (*_MEMORY, "limit_hits", "failcnt", "first_oom", "refaults", "swap", "cpu",
               "throttled", "pids"),
    "board": ("frequency", "temperature", "throttled", "voltage", "model"),
    "host": ("load", "load1", "cpu", "steal", "others", "clock_step", "oom_kills",
             "oom_kills_outside_cgroup", "memory_available", "swap_used", "processes",
             "drift", "clock_changed"),
    "net": ("established", "time_wait", "listen_overflows", "retransmits", "listen_drops"),
    "psi": ("memory.some", "memory.full", "cpu.some", "io.some", "io.full"),
    "gctrace": ("count", "pause", "pause_mean", "pause_total", "heap_live", "heap_goal", "cpu",
                "interval"),
    "scavtrace": ("count", "released", "retained", "interval"),
    "gobench": ("ns_per_op", "bytes_per_op", "allocs_per_op", "mallocs_per_op", "mb_per_s",
                "iterations"),
}  # fmt: skip
"""Families with usual names; others are let through unless they look like a slip."""

OPEN = (
    "vmstat", "smaps", "maps", "expvar", "prometheus", "runtime", "memstats", "pprof", "heapdump",
    "stdout", "stderr", "perf", "syscalls", "sysctl", "facts", "metrics", "fetched", "atlas",
    "sampler", "fault", "thermal", "command",
)  # fmt: skip
"""Families whose names the workload or the host decides."""

STATISTICS = ("max", "min", "mean", "median", "last", "first", "sum", "count", "rate", "increase",
              "stdev", "p50", "p75", "p90", "p95", "p99", "p999")  # fmt: skip

_LONG = 8


def families() -> list[str]:
    """Every family that a reference may start with."""
    return [*CLOSED, *HINTS, *OPEN]


def check_reference(text: str) -> str | None:
    """Say what is wrong with a reference, or None."""
    family, dot, name = text.partition(".")
    if family not in families():
        return f"unknown source `{family}`{did_you_mean(family, families())}"
    if not dot or not name:
        return f"`{text}` names a source but no quantity of it" + did_you_mean(
            "", CLOSED.get(family) or HINTS.get(family, ())
        )
    stem = _without_statistic(name)
    if family in CLOSED and name not in CLOSED[family] and stem not in CLOSED[family]:
        return f"source `{family}` has no `{name}`{did_you_mean(name, CLOSED[family])}"
    if family in HINTS and name not in HINTS[family] and stem not in HINTS[family]:
        known = (*HINTS[family], *_fields(family))
        near = None if stem in known else next((x for x in known if _slip(stem, x)), None)
        if near is not None:
            return f"source `{family}` has no `{name}`; did you mean `{near}`?"
    return None


def _fields(family: str) -> tuple[str, ...]:
    """Names that the source of that family has by its own word."""
    from importlib import import_module  # noqa: PLC0415 - only an unknown name needs it

    try:
        kind = import_module(f"runner.sources.{family}").KIND
    except (ImportError, AttributeError):
        return ()
    return tuple(kind.fields({}))


def _without_statistic(name: str) -> str:
    stem, dot, last = name.rpartition(".")
    return stem if dot and (last in STATISTICS or last == "gained") else name


def _slip(a: str, b: str) -> bool:
    """Whether two names differ by one or two slips of the hand; digits are meant.

    Optimal string alignment distance: insert, delete, replace, swap neighbours.
    """
    if a.rstrip("0123456789") == b.rstrip("0123456789"):
        return False
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            cost = min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1] <= (1 if len(b) < _LONG else 2)
