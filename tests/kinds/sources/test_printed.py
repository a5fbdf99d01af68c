"""What real programs print, line by line; expected numbers are computed by hand."""

from __future__ import annotations

import json

import pytest

from runner.kinds.sources import parse
from runner.kinds.sources.interface import Page, Printed

GC = (
    "gc 7 @0.9s 5%: 0.05+20+0.01 ms clock, 0.2+0.1/30/60+0.02 ms cpu, 310->312->300 MB, "
    "320 MB goal, 8 P\n"
)
MIB = 1 << 20


def numbers(*asked, stdout="", stderr="", page=None, text=""):
    """Numbers of what is asked, and the reasons."""
    pages = (Page(page, text),) if page else ()
    said = Printed(stdout=stdout, stderr=stderr, pages=pages, asked=asked)
    return parse(said, tuple(dict.fromkeys(name.partition(".")[0] for name in asked)))


# gctrace


def test_the_runtimes_mb_are_mib():
    """runtime/mgc.go shifts by 20: 300 MB there are 314572800 bytes."""
    found = numbers("gctrace.heap_live", stderr=GC).numbers
    assert (found["gctrace.heap_live"], found["gctrace.heap_goal"]) == (314572800, 335544320)
    assert found["gctrace.pause"] == pytest.approx(0.06e-3)
    assert found["gctrace.cpu"] == 0.05


@pytest.mark.parametrize(
    "line",
    [
        GC.replace("@0.9s", "@0.9.2s"),
        GC.replace("0.05+20+0.01", "0.05+20+0.0.1"),
        GC.replace("310->312->300 MB", "310->31"),
        GC.replace("0.05+20+0.01 ms clock", "0.05+20"),
        GC[:60] + "\n",
    ],
)
def test_a_torn_line_is_passed_over(line):
    found = numbers("gctrace.count", stderr=line + GC.replace("@0.9s", "@1.9s"))
    assert found.numbers["gctrace.count"] == 1
    assert numbers("gctrace.count", stderr=line).numbers["gctrace.count"] is None


@pytest.mark.parametrize(
    ("line", "pause_ms", "live", "goal"),
    [
        # Go 1.5: five phases; 1.6 to 1.17; 1.18 with stacks and globals; forced
        (("gc 3 @0.051s 4%: 0.021+1.2+0.30+2.5+0.40 ms clock, 0.1+1.2+0+0.4/2.3/0+1.6 ms cpu, "
         "5->6->3 MB, 7 MB goal, 4 P"), 0.421, 3, 7),
        (("gc 12 @2.104s 0%: 0.018+1.3+0.076 ms clock, 0.054+0.35/1.2/3.0+0.23 ms cpu, "
         "4->4->3 MB, 5 MB goal, 4 P"), 0.094, 3, 5),
        (("gc 1 @0.012s 2%: 0.1+2.5+0.2 ms clock, 0.4+0.1/2/4+0.8 ms cpu, 3->4->1 MB, 4 MB goal, "
         "0 MB stacks, 0 MB globals, 4 P"), 0.3, 1, 4),
        (("gc 9 @12.5s 1%: 12+340+5.5 ms clock, 48+1/300/900+22 ms cpu, 900->910->450 MB, "
         "901 MB goal, 1 MB stacks, 0 MB globals, 4 P (forced)"), 17.5, 450, 901),
    ],
)  # fmt: skip
def test_every_version_of_the_trace(line, pause_ms, live, goal):
    found = numbers("gctrace.pause", stderr=line + "\n").numbers
    assert found["gctrace.pause"] == pytest.approx(pause_ms / 1e3)
    assert (found["gctrace.heap_live"], found["gctrace.heap_goal"]) == (live * MIB, goal * MIB)


@pytest.mark.parametrize(
    ("line", "released"),
    [
        ("scav 8 KiB work (bg), 4 KiB work (eager), 99 KiB now, 60% util", 12),
        ("scav 3 16 KiB work, 4096 KiB total, 73% util", 16),
        ("scav 0 KiB work (bg), 0 KiB work (eager), 0 KiB now, 5% util (forced)", 0),
    ],
)
def test_every_version_of_the_scavenger(line, released):
    said = Printed(stderr=line, stderr_within=line, asked=("scavtrace.released",))
    assert parse(said, ("scavtrace",)).numbers["scavtrace.released"] == released << 10


# gobench

CPUS = """\
BenchmarkGet 100 300 ns/op
BenchmarkGet-2 100 200 ns/op
BenchmarkGet-4 100 100 ns/op
"""


def test_benchmarks_of_several_cpus_are_several():
    """Never one of 200: a name without suffix would be any of them."""
    names = ("gobench.Get-2.ns_per_op", "gobench.Get-4.ns_per_op", "gobench.Get-1.ns_per_op")
    found = numbers(*names, "gobench.Get.ns_per_op", stdout=CPUS)
    assert [found.numbers[name] for name in names] == [200e-9, 100e-9, 300e-9]
    assert found.numbers["gobench.Get.ns_per_op"] is None
    assert "Get-1, Get-2, Get-4" in found.why["gobench.Get.ns_per_op"]
    assert found.numbers["gobench.ns_per_op"] is None


def test_a_name_that_ends_in_digits_is_no_suffix_to_be_cut():
    lines = "BenchmarkCopy/size-64 100 10 ns/op\nBenchmarkCopy/size-1024 100 160 ns/op\n"
    names = ("gobench.Copy.size-64.ns_per_op", "gobench.Copy.size-1024.ns_per_op")
    found = numbers(*names, stdout=lines).numbers
    assert [found[name] for name in names] == [10e-9, 160e-9]
    two = lines.replace("size-64", "size-64-2").replace("size-1024", "size-1024-2")
    again = numbers(*names, stdout=two).numbers
    assert [again[name] for name in names] == [10e-9, 160e-9]


def test_a_name_without_suffix_is_the_one_that_ran():
    """Also as Go prints it, with slashes and with `Benchmark`."""
    names = ("gobench.Get.a.ns_per_op", "gobench.BenchmarkGet.a.ns_per_op", "gobench.ns_per_op")
    found = numbers(*names, stdout="BenchmarkGet/a-8 100 200 ns/op\n" * 3).numbers
    assert [found[name] for name in names] == [200e-9] * 3
    odd = numbers("gobench.Put.ns_per_op", stdout="BenchmarkGet-8 100 200 ns/op\n")
    assert "there are Get-8" in odd.why["gobench.Put.ns_per_op"]


@pytest.mark.parametrize(
    "text",
    [
        "BenchmarkSuite 3 runs done\n",
        "BenchmarkSuite\n2024 requests\n",
        "BenchmarkX 10 5 ns/op 3\n",
        "BenchmarkX 10 5.5.5 ns/op\n",
        "BenchmarkX ten 5 ns/op\n",
        "Benchmark\n",
        "BenchmarkX 1e3 5 ns/op\n",
        "BenchmarkX-4 10\n",
        "Benchmarking 3 servers now\n",
    ],
)
def test_what_is_no_benchmark(text):
    """No benchmark, no fault, and a good line after it is not lost."""
    found = numbers("gobench.ns_per_op", stdout=text)
    assert not any(value is not None for value in found.numbers.values())
    assert found.why["gobench"] == "no benchmark line was printed on stdout"
    good = numbers("gobench.ns_per_op", stdout=text + "BenchmarkGood-2 7 120 ns/op\n").numbers
    assert good["gobench.ns_per_op"] == 120e-9


def test_the_next_line_is_not_the_iterations():
    text = "BenchmarkQueue\n2024 requests\nBenchmarkQueue-4 10 120 ns/op\n"
    found = numbers("gobench.iterations", stdout=text).numbers
    assert (found["gobench.iterations"], found["gobench.ns_per_op"]) == (10, 120e-9)


def test_packages_tell_benchmarks_apart():
    text = (
        "goos: linux\npkg: example.com/a\nBenchmarkGet-2 10 100 ns/op\nPASS\n"
        "pkg: example.com/b\nBenchmarkGet-2 10 300 ns/op\n"
    )
    one = "gobench.example.com.b.Get.ns_per_op"
    found = numbers(one, "gobench.Get.ns_per_op", stdout=text)
    assert found.numbers[one] == 300e-9
    assert found.numbers["gobench.Get.ns_per_op"] is None
    assert "example.com.a.Get-2" in found.why["gobench.Get.ns_per_op"]


def test_columns_are_in_base_units():
    """As benchunit tidies them: MB/s are bytes per second, ns anywhere are seconds."""
    line = (
        "BenchmarkCopy-2 10 120 ns/op 85.5 MB/s 64 B/op 3 allocs/op 12 p99-ns 7 retries/op 2 MB\n"
    )
    wanted = {
        "ns_per_op": 120e-9, "mb_per_s": 85.5e6, "bytes_per_op": 64, "allocs_per_op": 3,
        "p99-ns": 12e-9, "retries_per_op": 7, "MB": 2e6,
    }  # fmt: skip
    names = [f"gobench.Copy.{key}" for key in wanted]
    found = numbers(*names, stdout=line).numbers
    assert [found[name] for name in names] == [pytest.approx(x) for x in wanted.values()]


# Prometheus


def prometheus(*names, text):
    return numbers(*(f"prometheus.{name}" for name in names), page="m", text=text)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('m_total{code="200"} 17 # {trace_id="abc"} 5\n', "m_total", 17),
        ('# TYPE m counter\nm_total{code="200"} 17 # {trace_id="abc"} 5\n# EOF\n', "m_total", 17),
        (('# TYPE app_requests counter\napp_requests_total{code="200"} 17\n'
         'app_requests_total{code="500"} 3\n'), "app_requests_total", 20),
        (('# TYPE app_requests counter\napp_requests_total{code="200"} 17\n'
         'app_requests_total{code="500"} 3\n# EOF\n'), "app_requests_total", 20),
        ('# TYPE hits counter\nhits{code="200"} 17\nhits{code="500"} 3\n', "hits", 20),
        ('up{job="a"} 1 1720000000.123\n', "up", 1),
        ('up{job="a"} 1 1720000000123\n', "up.job=a", 1),
        ("up 1e3\n", "up", 1000),
        ("up +Inf\n", "up", None),
        ('x{a="1",b="2"} 5\nx{a="3",b="2"} 7\n', "x.b=2.a=3", 7),
        ('x{a="1.5",b="2"} 5\nx{a="3",b="2"} 7\n', "x.a=1.5", 5),
        ('x{a="1"} 5\nx{a="3"} 7\n', "x", None),
        ('x{path="/a\\"b\\\\c"} 5\n', 'x.path=/a"b\\c', 5),
        ('# TYPE t histogram\nt_bucket{le="0.5"} 3\nt_bucket{le="+Inf"} 4\nt_sum 1.5\nt_count 4\n',
         "t_bucket.le=0.5", 3),
        ('# TYPE t summary\nt{quantile="0.99"} 0.25\nt_sum 1.5\nt_count 4\n', "t.quantile=0.99", 0.25),
    ],
)  # fmt: skip
def test_prometheus(text, name, value):
    found = prometheus(name, text=text)
    assert found.numbers[f"prometheus.{name}"] == value
    assert (value is None) == bool(found.why.get(f"prometheus.{name}"))


def test_prometheus_is_what_its_own_parser_reads():
    """Whatever the library reads of a page, sample by sample."""
    from prometheus_client.parser import text_string_to_metric_families

    text = (
        "# HELP a_b help\n# TYPE a_b gauge\na_b 1\n\n#comment\n"
        'c{x="1"}   2.5 \nd{ y = "2" , } 3 1234\ne NaN\n'
    )
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found = prometheus(sample.name, text=text).numbers[f"prometheus.{sample.name}"]
            assert found == sample.value or (found is None and sample.value != sample.value)


# MemStats, runtime/metrics


@pytest.mark.parametrize(
    ("stats", "mean"),
    [
        ('{"HeapInuse":1,"NumGC":3,"PauseTotalNs":null}', None),
        ('{"HeapInuse":1,"NumGC":null,"PauseTotalNs":9}', None),
        ('{"HeapInuse":1,"NumGC":"3","PauseTotalNs":9}', None),
        ('{"HeapInuse":1,"NumGC":-3,"PauseTotalNs":9}', None),
        ('{"HeapInuse":1,"NumGC":0,"PauseTotalNs":0}', None),
        ('{"HeapInuse":1,"NumGC":3,"PauseTotalNs":NaN}', None),
        ('{"HeapInuse":1,"NumGC":3,"PauseTotalNs":9000}', 3e-6),
        ('{"HeapInuse":1,"NumGC":3,"PauseTotalNs":9000,"PauseNs":[null,2,3]}', 3e-6),
        ('{"HeapInuse":1,"NumGC":3,"PauseTotalNs":9000,"PauseNs":{}}', 3e-6),
    ],
)
def test_memstats(stats, mean):
    found = numbers("memstats.pause_mean", stdout=f'{{"memstats": {stats}}}\n')
    assert found.numbers["memstats.pause_mean"] == mean
    assert found.numbers["memstats.HeapInuse"] == 1
    assert (mean is None) == bool(found.why.get("memstats.pause_mean"))


def test_nanoseconds_are_seconds():
    said = '{"HeapInuse":1,"NumGC":3,"PauseTotalNs":9000}\n'
    assert numbers("memstats.PauseTotalNs", stdout=said).numbers["memstats.PauseTotalNs"] == 9e-6


@pytest.mark.parametrize(
    ("histogram", "p50", "count"),
    [
        ({"counts": [1, 3, 0], "buckets": [0, 0.1, 0.2, 0.4]}, 0.2, 4),
        ({"Counts": [1, 3, 0], "Buckets": [0, 0.1, 0.2, 0.4]}, 0.2, 4),
        ({"counts": [0, 0, 2], "buckets": [None, 0.1, 0.2, None]}, 0.2, 2),
        ({"counts": [0, 0, 2], "buckets": ["-Inf", 0.1, 0.2, "+Inf"]}, 0.2, 2),
        ({"counts": [0], "buckets": [0, 1]}, None, 0),
        ({"counts": [1], "buckets": [0, 1, 2]}, None, 1),
        ({"counts": [1], "buckets": [None, None]}, None, 1),
        ({"counts": [None], "buckets": [0, 1]}, None, None),
        ({"counts": "x", "buckets": [0, 1]}, None, None),
        ({}, None, None),
    ],
)
def test_histograms_in_both_spellings(histogram, p50, count):
    name = "runtime.x_y_seconds"
    said = json.dumps({"/x/y:seconds": histogram})
    found = numbers(f"{name}.p50", f"{name}.count", stdout=said)
    assert (found.numbers[f"{name}.p50"], found.numbers[f"{name}.count"]) == (p50, count)
    assert (p50 is None) == bool(found.why.get(f"{name}.p50"))


def test_a_percent_of_the_runtime_is_a_ratio():
    found = numbers("runtime.gc_gogc_percent", stdout='{"/gc/gogc:percent": 150}\n').numbers
    assert found["runtime.gc_gogc_percent"] == 1.5


# JSON


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('{"a": 1}\n{"a": 2}\n', "a", 2),
        ('log\n{\n  "a": {\n    "b": 2\n  }\n}\n', "a.b", 2),
        ('{"a": 1}\n{\n  "a": 3,\n  "list": [\n    {"a": 9}\n  ]\n}\ndone\n', "a", 3),
        ('{"a": 1}\n{"a": 2', "a", 1),
        ('{"a": 1}\n{oops}\n', "a", 1),
        ('[12] listening\n{"a": 4}\n', "a", 4),
        ('result: {"a": 5}\n', "a", 5),
        ('[{"a": 6}, {"a": 7}]\n', "1.a", 7),
        ('{"a.b": 8}\n', "a.b", 8),
        ('{"a": [1, 2, 3]}\n', "a.count", 3),
        ('{"a": [' + ", ".join(map(str, range(200))) + "]}\n", "a.150", 150),
        ('\ufeff{"a": 1}\n', "a", 1),
        ('{"a": 1}\r\n{"a": 2}\r\n', "a", 2),
        ('{"a": true}\n', "a", 1),
        ('{"a": "text"}\n', "a", "text"),
        ('{"a": 1e2}\n', "a", 100.0),
        ('{"a": null}\n', "a", None),
        ('{"a": NaN}\n', "a", None),
        ('{"a": -Infinity}\n', "a", None),
        ('{"a": 1e999}\n', "a", None),
        ('{"a": ' + "9" * 5000 + "}\n", "a", None),
        ('{"a": {}}\n', "a", None),
        ('{"b": 1}\n', "a", None),
        ("no JSON\n", "a", None),
        ("", "a", None),
        ("{" * 100_000, "a", None),
        ('{"a":' * 3000 + "1" + "}" * 3000, "a", None),
        ("[" * 200_000, "a", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_json_on_stdout(text, name, value):
    found = numbers(f"stdout.json.{name}", stdout=text)
    assert found.numbers.get(f"stdout.json.{name}") == value
    if value is None:
        assert found.why.get(f"stdout.json.{name}") or found.why["stdout.json"]


def test_deep_json_is_refused_with_that_reason():
    text = '{"a":' * 3000 + "1" + "}" * 3000
    assert "nested too deeply" in numbers("stdout.json.a", stdout=text).why["stdout.json"]
    assert "nested too deeply" in numbers("fetched.m.a", page="m", text=text).why["fetched.m"]
    assert numbers("memstats.Sys", "runtime.x", "expvar.y", page="m", text=text).numbers == {}


def test_nothing_is_read_that_nobody_asks_for():
    text = '{"a": 1, "b": 2}\n' + CPUS
    assert set(numbers("stdout.json.a", stdout=text).numbers) == {"stdout.json.a"}
    assert parse(Printed(stdout=text), ()).numbers == {}
