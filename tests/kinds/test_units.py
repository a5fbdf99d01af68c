"""Every number that a kind declares has a unit, and it is a real one."""

from __future__ import annotations

import pytest

from runner.kinds.sources import fields, kinds, parsers
from runner.kinds.units import CLOSED, unit_of
from runner.records.units import read_unit

DECLARED = [
    *fields({}),
    *(f"{name}.{short}" for name, kind in kinds().items() for short in kind.derived),
    *(f"{name}.{short}" for name, one in parsers().items() for short, unit in one.known.items() if unit),
    *(f"{family}.{short}" for family, names in CLOSED.items() for short in names),
]  # fmt: skip


@pytest.mark.parametrize("name", DECLARED)
def test_a_declared_number_has_a_unit(name):
    unit = unit_of(name)
    assert unit is not None
    read_unit(unit)


def test_sampled_numbers_have_the_unit_of_their_field():
    """Nothing stands between a field and what is printed; its statistics have the same unit."""
    for name, field in fields({}).items():
        assert unit_of(name) == field.unit
        assert unit_of(f"{name}.median") == field.unit


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("load.latency_p99", "s"), ("load.latency_corrected_p999", "s"), ("load.rps", "/s"),
        ("load.bytes", "B"), ("load.error_ratio", "%"), ("load.cpu", "%"), ("load.cpu_s", "s"),
        ("load.littles_law", "1"), ("host.cpu", "%"), ("host.steal", "%"), ("host.clock_step", "s"),
        ("host.available", "B"), ("host.load1", "1"), ("cgroup.anon", "B"), ("cgroup.faults", "1"),
        ("cgroup.first_oom", "s"), ("cgroup.first_oom@load.established", "s"), ("psi.memory_full", "s"),
        ("board.temperature", "°C"), ("board.frequency.median", "Hz"), ("build.size", "B"),
        ("build.text", "B"), ("build.seconds", "s"), ("build.moved_to_heap.buf", "1"),
        ("gctrace.pause_mean", "s"), ("gctrace.heap_live", "B"), ("gctrace.cpu", "%"),
        ("memstats.HeapInuse", "B"), ("memstats.PauseTotalNs", "ns"), ("memstats.NumGC", "1"),
        ("gobench.ns_per_op", "ns"), ("gobench.Get-4.ns_per_op", "ns"), ("gobench.Get.mb_per_s", "MB/s"),
        ("gobench.Get.bytes_per_op", "B"), ("gobench.Get.p99-ns", "ns"), ("gobench.Get.requests_per_s", "/s"),
        ("runtime.gc_heap_live_bytes", "B"), ("runtime.sched_latencies_seconds.p99", "s"),
        ("runtime.sched_latencies_seconds.count", "1"), ("pprof.heap.inuse_bytes", "B"),
        ("pprof.cpu.cpu", "s"), ("pprof.block.delay", "s"), ("perf.task_clock", "s"), ("syscalls.mmap", "1"),
        ("prometheus.process_resident_memory_bytes", "B"), ("prometheus.x_seconds_sum.code=200", "s"),
        ("prometheus.x_seconds_count", "1"), ("prometheus.x_seconds_bucket.le=0.5", "1"),
        ("prometheus.go_goroutines", None), ("stdout.json.rss_bytes", None), ("stdout.regex(took (.*) s)", None),
        ("fetched.stats.a", None), ("expvar.latency_s", None), ("command.p99_ms", None), ("nothing.x", None),
    ],
)  # fmt: skip
def test_units_of_names(name, unit):
    assert unit_of(name) == unit
