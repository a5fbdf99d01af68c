"""Numbers out of what real programs printed and answered; see tests/kinds/sources/recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.kinds.sources import names, parsers
from runner.kinds.sources._json import last_json
from runner.kinds.sources.build import escapes
from runner.kinds.sources.interface import Page, Printed
from runner.kinds.sources.runtime import short
from runner.spec.references import check_reference

RECORDED = Path(__file__).parent / "recorded"
PARSERS = parsers()


def text(name: str) -> str:
    return (RECORDED / name).read_text(encoding="utf-8")


def page(name: str, said: str | None = None, asked: tuple[str, ...] = ()) -> Printed:
    return Printed(pages=(Page(name, text(name) if said is None else said),), asked=asked)


def parse(family: str, printed: Printed):
    return PARSERS[family].parse(printed)


# gctrace and scavtrace of Go 1.22


def test_gc_cycles_within_a_step():
    """Only cycles of the step count; their pauses are both stop-the-world parts."""
    found = parse("gctrace", Printed(stderr=text("gctrace.txt"), span_s=(0.0, 60.0)))
    lines = [line for line in text("gctrace.txt").splitlines() if line.startswith("gc ")]
    assert found.numbers["gctrace.count"] == len(lines) > 3
    first = lines[0].split()
    clock = [float(part) / 1e3 for part in first[4].split("+")]
    alone = parse("gctrace", Printed(stderr=lines[0], span_s=(0.0, 60.0)))
    assert alone.numbers["gctrace.pause_total"] == pytest.approx(clock[0] + clock[2])
    assert alone.numbers["gctrace.interval"] is None
    assert alone.why == {"gctrace.interval": "one GC cycle has no interval"}
    assert found.numbers["gctrace.pause"] >= found.numbers["gctrace.pause_mean"]
    assert found.numbers["gctrace.heap_live"] <= 20 << 20
    times = [float(line.split()[2].strip("@s")) for line in lines]
    interval = (times[-1] - times[0]) / (len(times) - 1)
    assert found.numbers["gctrace.interval"] == pytest.approx(interval)


def test_mean_pause_over_no_cycle_is_null_with_a_reason():
    """0 GCs have no mean pause; it is never 0."""
    found = parse("gctrace", Printed(stderr=text("gctrace.txt"), span_s=(100.0, 110.0)))
    assert found.numbers["gctrace.count"] == 0
    assert found.numbers["gctrace.pause_mean"] is None
    assert found.why["gctrace.pause_mean"] == "0 GC cycles in this step"


def test_no_trace_is_not_zero_cycles():
    """Without a trace the count is unknown, and the reason says how to get one."""
    found = parse("gctrace", Printed(stderr="listening\n"))
    assert found.numbers["gctrace.count"] is None
    assert "GODEBUG=gctrace=1" in found.why["gctrace"]


def test_released_memory():
    """Background and eager work add up; the last line says what is released now."""
    said = text("gctrace.txt")
    found = parse("scavtrace", Printed(stderr=said, stderr_within=said)).numbers
    lines = [line.split() for line in said.splitlines() if line.startswith("scav ")]
    assert found["scavtrace.count"] == len(lines)
    assert found["scavtrace.released"] == 1024 * sum(int(x[1]) + int(x[5]) for x in lines) > 0
    assert found["scavtrace.released_now"] == 1024 * int(lines[-1][9])
    assert 0 < found["scavtrace.util"] <= 1


def test_a_step_without_a_scavenger_line_released_nothing():
    found = parse("scavtrace", Printed(stderr=text("gctrace.txt")))
    assert (found.numbers["scavtrace.count"], found.numbers["scavtrace.released"]) == (0, 0)
    assert found.why["scavtrace.util"] == "0 scavenger lines in this step"
    assert "scavtrace=1" in parse("scavtrace", Printed(stderr="x\n")).why["scavtrace"]


# expvar, MemStats and runtime/metrics


def test_expvar():
    asked = ("expvar.served", "expvar.state.kept", "expvar.state.missing")
    found = parse("expvar", page("expvar.json", asked=asked))
    assert found.numbers["expvar.served"] == 7
    assert found.numbers["expvar.state.kept"] == 5
    assert found.numbers["expvar.state.missing"] is None
    assert "null" in found.why["expvar.state.missing"]
    assert not any("memstats" in name or "cmdline" in name for name in found.numbers)
    assert "fetch:" in parse("expvar", page("stdout.txt")).why["expvar"]


def test_memstats_of_an_expvar_page():
    found = parse("memstats", page("expvar.json"))
    stats = json.loads(text("expvar.json"))["memstats"]
    assert found.numbers["memstats.HeapInuse"] == stats["HeapInuse"]
    assert found.numbers["memstats.pause_mean"] == stats["PauseTotalNs"] / stats["NumGC"] / 1e9
    assert found.numbers["memstats.pause_last"] == stats["PauseNs"][stats["NumGC"] - 1] / 1e9
    assert found.why == {}
    assert set(found.numbers) == {f"memstats.{name}" for name in PARSERS["memstats"].known}


def test_mean_pause_before_the_first_collection_does_not_exist():
    stats = json.loads(text("expvar.json"))["memstats"] | {"NumGC": 0, "PauseTotalNs": 0}
    found = parse("memstats", Printed(stdout=json.dumps({"memstats": stats})))
    assert found.numbers["memstats.pause_mean"] is None
    assert found.why["memstats.pause_mean"].startswith("0 GC cycles")


def test_runtime_metrics_have_one_name_on_both_pages():
    """Go's JSON and client_golang's page were read one after the other of one process."""
    json_page = parse("runtime", page("runtime.json")).numbers
    scraped = parse("runtime", page("prometheus.txt")).numbers
    for name in PARSERS["runtime"].known:
        assert json_page[f"runtime.{name}"] >= 0
        assert f"runtime.{name}" in scraped, name
    same = "runtime.gc_cycles_total_gc_cycles"
    assert (
        json_page[same]
        == scraped[same]
        == json.loads(text("runtime.json"))["/gc/cycles/total:gc-cycles"]
    )
    assert "runtime.memstats_alloc_bytes" not in scraped


def test_histograms_of_the_runtime():
    """Upper bounds of buckets: a quantile is at least the true one."""
    numbers = parse("runtime", page("runtime.json")).numbers
    seen = json.loads(text("runtime.json"))["/sched/pauses/total/gc:seconds"]
    name = "runtime.sched_pauses_total_gc_seconds"
    assert numbers[f"{name}.count"] == sum(seen["counts"]) > 0
    last = max(at for at, count in enumerate(seen["counts"]) if count)
    assert numbers[f"{name}.max"] == seen["buckets"][last + 1]
    assert 0 < numbers[f"{name}.p50"] <= numbers[f"{name}.p99"] <= numbers[f"{name}.max"]
    empty = parse("runtime", Printed(stdout='{"/x/y:seconds": {"counts": [0], "buckets": [0, 1]}}'))
    assert empty.numbers["runtime.x_y_seconds.p99"] is None
    assert empty.why["runtime.x_y_seconds.p99"] == "the histogram is empty"


def test_short_names_are_those_of_the_prometheus_client():
    assert (
        short("/cpu/classes/gc/mark/assist:cpu-seconds") == "cpu_classes_gc_mark_assist_cpu_seconds"
    )


# Prometheus text format


def test_prometheus_page():
    names = ("answers_total", "answers_total.code=503.method=get", "answer_seconds_sum",
             "answer_seconds_count", "empty_seconds", "go_goroutines")  # fmt: skip
    asked = tuple(f"prometheus.{name}" for name in names)
    found = parse("prometheus", page("prometheus.txt", asked=asked))
    assert found.numbers["prometheus.answers_total"] == 42
    assert found.numbers["prometheus.answers_total.code=503.method=get"] == 2
    assert found.numbers["prometheus.answer_seconds_sum"] == pytest.approx(5.555)
    assert found.numbers["prometheus.answer_seconds_count"] == 4
    assert not any("_bucket" in name and "buckets" not in name for name in found.numbers)
    assert found.numbers["prometheus.empty_seconds"] is None
    assert "nan" in found.why["prometheus.empty_seconds"]
    assert found.numbers["prometheus.go_goroutines"] > 0


def test_a_page_that_is_none_is_refused_whole():
    """As Prometheus itself does: one line that is none of the format, and nothing is read."""
    said = "# HELP x y\nx 1.25 1700000000000\n<html>\n"
    found = parse("prometheus", page("m", said, asked=("prometheus.x",)))
    assert found.numbers == {}
    assert "m is not a page of Prometheus" in found.why["prometheus"]


# JSON and patterns


def test_last_json_object_of_stdout():
    """Nested keys become dotted names; a null stays null with a reason; lists by index."""
    said = 'starting\n{"a": 1}\n{"a": {"b": 2.5, "c": null}, "list": [4, 5], "yes": true}\n'
    names = ("a.b", "list.1", "list.count", "yes", "a.c")
    asked = tuple(f"stdout.json.{name}" for name in names)
    found = parse("stdout", Printed(stdout=said, asked=asked))
    assert found.numbers["stdout.json.a.b"] == 2.5
    assert found.numbers["stdout.json.list.1"] == 5
    assert found.numbers["stdout.json.list.count"] == 2
    assert found.numbers["stdout.json.yes"] == 1
    assert found.numbers["stdout.json.a.c"] is None
    assert "null" in found.why["stdout.json.a.c"]


def test_a_recorded_program_says_its_last_json():
    asked = ("stdout.json.kept", "stdout.json.missing")
    found = parse("stdout", Printed(stdout=text("stdout.txt"), asked=asked))
    assert found.numbers["stdout.json.kept"] == 5
    assert found.numbers["stdout.json.missing"] is None


def test_pretty_printed_object():
    """An object over several lines counts too."""
    assert last_json('log\n{\n "x": 3\n}\n') == {"x": 3}
    assert last_json("no object { here") is None


def test_patterns_on_both_streams():
    """The last match counts; without a group all of it; what matches nothing is null."""
    asked = (
        ("stderr.regex", r"ready after ([\d.]+) s"),
        ("stderr.regex", r"never said"),
        ("stdout.regex", r"kept"),
    )
    said = Printed(stdout=text("stdout.txt"), stderr=text("gctrace.txt"), patterns=asked)
    err, out = parse("stderr", said), parse("stdout", said)
    assert 0 < err.numbers[r"stderr.regex(ready after ([\d.]+) s)"] < 5
    assert err.numbers["stderr.regex(never said)"] is None
    assert err.why["stderr.regex(never said)"] == "nothing on stderr matches never said"
    assert out.numbers["stdout.regex(kept)"] == "kept"


def test_pages_that_are_json():
    said = Printed(
        pages=(
            Page("stats", '{"a": 1, "b": 2}'),
            Page("stats", '{"a": 3}'),
            Page("gone", None, why="connection refused"),
            Page("broken", "{"),
        ),
        asked=("fetched.stats.a", "fetched.stats.b", "fetched.gone.x", "fetched.broken.x"),
    )
    found = parse("fetched", said)
    assert found.numbers["fetched.stats.a"] == 3  # the newer page wins
    assert found.numbers["fetched.stats.b"] == 2
    assert found.why["fetched.gone"] == "connection refused"
    assert found.why["fetched.broken"] == "is not JSON"


# Go benchmarks and the compiler


def test_benchmark_lines_give_the_median_of_counts():
    """Two counts of each benchmark; integers of -benchmem and the fractions of ReportMetric."""
    asked = ("gobench.ServerOnly.nethttp.ns_per_op", "gobench.ServerOnly.nethttp.mallocs_per_op",
             "gobench.HandlerOnly.fasthttp.allocs_per_op")  # fmt: skip
    numbers = parse("gobench", Printed(stdout=text("gobench.txt"), asked=asked)).numbers
    lines = [
        x.split()
        for x in text("gobench.txt").splitlines()
        if x.startswith("BenchmarkServerOnly/nethttp")
    ]
    assert len(lines) == 2
    middle = sum(float(line[2]) for line in lines) / 2 / 1e9
    assert numbers["gobench.ServerOnly.nethttp.ns_per_op"] == pytest.approx(middle)
    assert numbers["gobench.ServerOnly.nethttp.mallocs_per_op"] == pytest.approx(14.0, abs=0.1)
    assert numbers["gobench.HandlerOnly.fasthttp.allocs_per_op"] == 0
    assert numbers["gobench.ns_per_op"] is None  # there is more than one benchmark
    alone = parse("gobench", Printed(stdout="\n".join(" ".join(line) for line in lines))).numbers
    assert alone["gobench.ns_per_op"] == numbers["gobench.ServerOnly.nethttp.ns_per_op"]


def test_escape_analysis():
    """Lines of `-m` are counted by what they say."""
    said = text("escapes.txt")
    found = escapes(said)
    assert found["build.inlined"] == said.count("inlining call to") > 5
    assert found["build.can_inline"] == said.count("can inline") > 3
    assert found["build.escapes"] == said.count("escapes to heap") + said.count("moved to heap") > 0
    moved = [name for name in found if name.startswith("build.moved_to_heap.")]
    assert sum(found[name] for name in moved) == said.count("moved to heap: ")


# names


@pytest.mark.parametrize("family", names())
def test_every_name_that_a_source_offers_is_accepted(family):
    """And names of its own that it has not are refused, unless the workload decides."""
    from runner.spec.references import _offered

    known, begins = _offered(family)
    assert [check_reference(f"{family}.{name}") for name in known] == [None] * len(known)
    said = check_reference(f"{family}.no_such_thing_at_all")
    assert (said is None) == ("" in begins)
    for start in begins:
        assert check_reference(f"{family}.{start}no_such_thing_at_all") is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("facts.arch", "put it under `requires`"),
        ("thermal.zone0", "board.temperature"),
        ("expvr.x", "did you mean `expvar`?"),
        ("psi.memory.some", "source `psi` has no `memory.some`"),
        ("procfs.fds", "source `procfs` has no `fds`"),
        ("gctrace.cuont", "did you mean `count`?"),
        ("workload.restarts", "source `workload` has no `restarts`"),
        ("load.ramp", "source `load` has no `ramp`"),
        ("stdout.regex", "known: sha256, json.…"),
        ("stdout.seconds", "known: sha256, json.…, jsonl.…, csv.…"),
        ("stderr.json", "did you mean `json.…`?"),
        ("stderr.csv.", "source `stderr` has no `csv.`"),
    ],
)
def test_a_name_that_can_give_no_number_is_refused(name, said):
    assert said in check_reference(name)


def test_the_page_for_users_names_every_family():
    page = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in page] == []
