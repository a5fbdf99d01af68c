"""Events of a trial → what its parsers see of one step."""

from __future__ import annotations

from runner.analysis.trial import lifecycle, outputs
from runner.kinds.sources import parsers
from runner.spec.metrics import Metric
from tests.events import reading


def output(stream, text, t=0.0):
    return {"event": "output", "stream": stream, "text": text, "t": t}


def fetched(name, text, step):
    return {"event": "fetched", "name": name, "status": 200, "text": text, "step": step}


def test_every_parser_is_asked():
    found = outputs.of_step(
        reading(
            [
                output("stdout", 'starting\n{"a": 1}\n'),
                output("stdout", "BenchmarkX-2 10 5 ns/op\n"),
                output("stderr", "took 7 ms\n"),
                fetched("m", "up 1\n", None),
            ]
        ),
        0.0,
        1.0,
        patterns=(("stderr.regex", r"took (\d+) ms"),),
        asked=(
            "stdout.json.a",
            "gobench.ns_per_op",
            r"stderr.regex(took (\d+) ms)",
            "prometheus.up",
            "gctrace.count",
            "expvar.x",
            "memstats.Sys",
            "runtime.x",
        ),
    )
    assert found.numbers["stdout.json.a"] == 1
    assert found.numbers["gobench.ns_per_op"] == 5e-9
    assert found.numbers["stderr.regex(took (\\d+) ms)"] == 7
    assert found.numbers["prometheus.up"] == 1
    assert {"gctrace", "expvar", "memstats", "runtime"} <= found.why.keys()


def test_a_page_of_another_step_is_not_this_ones():
    """`when: after_step` gives every step its own page; a page of no step is everybody's."""
    events = [
        fetched("s", '{"n": 0, "whole": 5}', None),
        fetched("s", '{"n": 1}', 0),
        fetched("s", '{"n": 2}', 1),
    ]
    asked = ("fetched.s.n", "fetched.s.whole")
    numbers = [
        outputs.of_step(reading(events), 0, 1, index=at, asked=asked).numbers for at in (0, 1)
    ]
    assert [found["fetched.s.n"] for found in numbers] == [1, 2]
    assert [found["fetched.s.whole"] for found in numbers] == [5, 5]


def test_lines_without_a_clock_belong_to_the_step_in_which_they_came():
    events = [
        {"event": "workload_started", "t": 0.5},
        output("stderr", "scav 8 KiB work (bg), 0 KiB work (eager), 99 KiB now, 60% util\n", 2.0),
        output("stderr", "scav 16 KiB work (bg), 4 KiB work (eager), 40 KiB now, 50% util\n", 9.0),
    ]
    first = outputs.of_step(reading(events), 1.0, 4.0, asked=("scavtrace.count",)).numbers
    second = outputs.of_step(reading(events), 8.0, 9.0, asked=("scavtrace.count",)).numbers
    assert (first["scavtrace.count"], first["scavtrace.released"]) == (1, 8 << 10)
    assert (second["scavtrace.released"], second["scavtrace.util"]) == (20 << 10, 0.5)


def test_parsers_are_found_by_their_files():
    assert {"gctrace", "stdout", "prometheus", "build"} <= parsers().keys()
    assert all(name == parser.name for name, parser in parsers().items())


def test_times_of_a_kept_workload_count_from_its_own_start():
    """gctrace says seconds since the program started, which was 100 s before this trial."""
    line = "gc {n} @{at}s 0%: 0.01+0.2+0.01 ms clock, 0.02+0/0/0+0.02 ms cpu, 1->1->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P\n"
    events = [
        {"event": "workload_started", "t": 0.5, "kept_from": "t1", "up_s": 100.0},
        output("stderr", line.format(n=7, at=100.2), t=0.7),
        output("stderr", line.format(n=8, at=102.0), t=2.0),
        output("stderr", line.format(n=9, at=109.0), t=9.6),
    ]
    assert (
        outputs.of_step(reading(events), 1.0, 5.0, asked=("gctrace.count",)).numbers[
            "gctrace.count"
        ]
        == 1
    )


def test_a_kept_workload_has_no_time_to_readiness():
    numbers, why = {}, {}
    events = [
        {"event": "workload_started", "t": 0.5, "kept_from": "t1", "up_s": 100.0},
        {"event": "ready", "after_s": 0.001},
    ]
    lifecycle.workload(reading(events), numbers, why)
    assert numbers["workload.ready"] == 1
    assert numbers["workload.ready_after"] is None
    assert why["workload.ready_after"].endswith("it started in trial t1 or before")


def test_a_series_of_fresh_workloads_counts_from_the_start_of_each():
    """The second one's clock begins at its own start: it was drawn over the first one's."""
    metrics = {
        "speed": Metric.model_validate(
            {
                "from": "stdout.regex",
                "pattern": r"^(\d+) s: (\d+)",
                "series": {"t": 1, "v": 2},
                "statistic": "max",
                "per": "step",
            }
        )
    }
    events = []
    for at in (2.0, 12.0):
        events += [
            {"event": "workload_started", "t": at},
            output("stdout", f"1 s: {at:.0f}\n3 s: 7\n", at + 3),
            {"event": "workload_exited", "t": at + 4, "code": 0, "expected": True},
        ]
    (line,) = outputs.series(reading(events), "a", metrics)
    assert line.t == (3.0, 5.0, 13.0, 15.0)
    assert line.v == (2.0, 7.0, 12.0, 7.0)
