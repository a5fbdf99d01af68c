"""Numbers out of what real workloads printed."""

from __future__ import annotations

import pytest

from runner.analysis import outputs

# go1.22.10, GODEBUG=gctrace=1, a server under 32 MiB
TRACE = """\
gc 1 @0.012s 2%: 0.018+0.24+0.003 ms clock, 0.036+0.10/0.20/0.01+0.006 ms cpu, 3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 2 @1.500s 1%: 0.050+1.10+0.010 ms clock, 0.10+0.05/1.0/0.20+0.020 ms cpu, 4->4->2 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
scav 128 KiB work (bg), 0 KiB work (eager), 9000 KiB now, 60% util
gc 3 @2.500s 1%: 0.040+0.90+0.020 ms clock, 0.08+0.05/0.8/0.10+0.040 ms cpu, 5->5->2 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 2 P
"""
BENCH = """\
goos: linux
BenchmarkServerOnly/nethttp-2         	   10000	     12345 ns/op	    1204 B/op	      13 allocs/op
BenchmarkServerOnly/nethttp-2         	   10000	     12545 ns/op	    1204 B/op	      13 allocs/op
BenchmarkServerOnly/nethttp-2         	   10000	     99999 ns/op	    1206 B/op	      14 allocs/op
PASS
"""


def test_gc_cycles_within_a_step():
    """Only cycles of the step count; their pauses are both stop-the-world parts."""
    numbers, why = {}, {}
    outputs.gctrace(TRACE, 1.0, 3.0, numbers, why)
    assert numbers["gctrace.count"] == 2
    assert numbers["gctrace.pause_total"] == pytest.approx((0.05 + 0.01 + 0.04 + 0.02) / 1e3)
    assert numbers["gctrace.interval"] == pytest.approx(1.0)
    assert numbers["gctrace.heap_live"] == 2e6
    assert why == {}


def test_mean_pause_over_no_cycle_is_null_with_a_reason():
    """0 GCs have no mean pause; it is never 0."""
    numbers, why = {}, {}
    outputs.gctrace(TRACE, 10.0, 11.0, numbers, why)
    assert numbers["gctrace.count"] == 0
    assert numbers["gctrace.pause_mean"] is None
    assert why["gctrace.pause_mean"] == "0 GC cycles in this step"


def test_no_trace_is_not_zero_cycles():
    """Without a trace the count is unknown, and the reason says how to get one."""
    numbers, why = {}, {}
    outputs.gctrace("listening\n", 0.0, 1.0, numbers, why)
    assert numbers["gctrace.count"] is None
    assert "GODEBUG=gctrace=1" in why["gctrace.count"]


def test_benchmark_lines_give_the_median_of_counts():
    """Three counts of one benchmark, under its name and alone."""
    numbers = {}
    outputs.gobench(BENCH, numbers)
    assert numbers["gobench.ServerOnly.nethttp.ns_per_op"] == 12545
    assert numbers["gobench.allocs_per_op"] == 13
    assert numbers["gobench.bytes_per_op"] == 1204


def event(stream, text):
    return {"event": "output", "stream": stream, "text": text}


def test_last_json_object_of_stdout():
    """Nested keys become dotted names; a null stays null with a reason; lists by index."""
    found = outputs.of_trial(
        [
            event("stdout", 'starting\n{"a": 1}\n'),
            event("stdout", '{"a": {"b": 2.5, "c": null}, "list": [4, 5], "yes": true}\n'),
        ]
    )
    assert found.numbers["stdout.json.a.b"] == 2.5
    assert found.numbers["stdout.json.list.1"] == 5
    assert found.numbers["stdout.json.list.count"] == 2
    assert found.numbers["stdout.json.yes"] == 1
    assert found.numbers["stdout.json.a.c"] is None
    assert "null" in found.why["stdout.json.a.c"]


def test_pretty_printed_object():
    """An object over several lines counts too."""
    assert outputs.last_object('log\n{\n "x": 3\n}\n') == {"x": 3}
    assert outputs.last_object("no object { here") is None


def test_prometheus_page():
    """Gauges by name; comments and what is no number are left out."""
    page = "# HELP x y\n# TYPE go_mem_heap_alloc_mb gauge\ngo_mem_heap_alloc_mb 1.25\nbad NaN?\n"
    found = outputs.of_trial([{"event": "fetched", "name": "m", "status": 200, "text": page}])
    assert found.numbers["prometheus.go_mem_heap_alloc_mb"] == 1.25
    assert "prometheus.bad" not in found.numbers


def test_escape_analysis():
    """`-m` lines are counted by what they say."""
    said = (
        "./a.go:3:6: can inline f\n./a.go:9:2: moved to heap: buf\n./a.go:8:9: inlining call to f\n"
    )
    found = outputs.escapes(said)
    assert found["build.escapes"] == 1
    assert found["build.inlined"] == 1
    assert found["build.can_inline"] == 1
