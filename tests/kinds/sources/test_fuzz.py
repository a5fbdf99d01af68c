"""No parser can end a run, whatever a program prints: its fault is a null with a reason."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.kinds.sources import names, parse, parsers
from runner.kinds.sources.interface import Found, Page, Printed

FAMILIES = tuple(names())
ASKED = (
    "stdout.json.a.b", "stdout.json.0", "stderr.json.a", "expvar.a", "fetched.p.a", "memstats.Sys",
    "runtime.x_y_seconds.p99", "prometheus.a", "prometheus.a.b=c", "gobench.X.ns_per_op",
    "gctrace.count", "scavtrace.count", "syscalls.mmap", "pprof.p.cpu", "heapdump.bytes",
    "smaps.total.rss", "fio.read.iops", "iperf3.received", "sysbench.events", "maps.count", "atlas.rss", "build.size",
)  # fmt: skip
TEXTS = [path.read_text(encoding="utf-8", errors="replace")[:20_000]
         for path in sorted(Path(__file__).with_name("recorded").iterdir()) if path.is_file()]  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "a",
                    "b",
                    "memstats",
                    "cmdline",
                    "HeapInuse",
                    "PauseTotalNs",
                    "PauseNs",
                    "NumGC",
                    "/x/y:seconds",
                    "counts",
                    "buckets",
                    "Counts",
                    "resident",
                    "page_bytes",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=24,
)
pieces = st.sampled_from(
    [
        "gc 1 @0.1s 2%: 1+2+3 ms clock, 1 ms cpu, 4->4->1 MB, 5 MB goal, 4 P",
        "gc ",
        "@0.9.2s",
        "scav 8 KiB work (bg), 0 KiB work (eager), 1 KiB now, 5% util",
        "BenchmarkX-2 10 5 ns/op",
        "Benchmark",
        "BenchmarkX-",
        " ns/op",
        "pkg: x",
        "pkg:",
        "# TYPE a counter",
        "# EOF",
        "a_total 1",
        'a{b="c"} 2',
        'a{b="',
        "# {",
        "{",
        "}",
        "[",
        "]",
        '"',
        "\n",
        "\r\n",
        "\0",
        "\ufeff",
        "NaN",
        "1e999",
        "9" * 400,
        "7f00-7fff rw-p 00000000 00:00 0",
        "Rss: 4 kB",
        '{"page_bytes":4096}',
        "100 0 0 5 mmap",
        "0-ffffffffffffffff rw-p 00000000 00:00 0 [heap]",
    ]
)
texts = st.one_of(
    st.text(max_size=200),
    st.lists(pieces, max_size=20).map("".join),
    st.lists(pieces, max_size=20).map("\n".join),
    values.map(json.dumps),
    values.map(lambda value: json.dumps(value, indent=1)),
    st.tuples(st.sampled_from(TEXTS), st.integers(0, 20_000), st.text(max_size=4)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]
    ),
)
datas = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=200).map(lambda raw: b"go1.7 heap dump\n" + raw),
    st.binary(max_size=200).map(gzip.compress),
    st.binary(max_size=200).map(lambda raw: b"\x1f\x8b" + raw),
)
pages = st.lists(
    st.builds(
        Page,
        name=st.sampled_from(["p", "smaps", "pagemap", "heapdump"]),
        text=st.none() | texts,
        data=st.none() | datas,
        file=st.booleans(),
    ),
    max_size=3,
).map(tuple)
printed = st.builds(
    Printed,
    stdout=texts,
    stderr=texts,
    pages=pages,
    stderr_within=texts,
    counts=texts,
    traced=st.sampled_from([(), ("mmap",), ("all",)]),
    asked=st.just(ASKED),
)


@settings(max_examples=400, deadline=None)
@given(printed)
def test_every_parser_reads_anything(said):
    """What comes back is finite, and every null has a reason."""
    found = parse(said, FAMILIES)
    for name, value in found.numbers.items():
        if value is None:
            assert found.why[name]
        else:
            assert isinstance(value, str) or math.isfinite(value)
    json.dumps(found.numbers, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(printed)
def test_no_parser_of_ours_leans_on_that(said):
    """The net is for what nobody has thought of: none of ours raises by itself."""
    for parser in parsers().values():
        parser.parse(said)


@pytest.mark.parametrize(
    "fault", [ValueError("odd"), KeyError("x"), RecursionError(), MemoryError()]
)
def test_a_fault_is_a_null_with_that_reason(fault, monkeypatch):
    def broken(self, said):
        del self, said
        raise fault

    monkeypatch.setattr(type(parsers()["gctrace"]), "parse", broken)
    found = parse(Printed(asked=("gctrace.count", "stdout.json.a"), stdout='{"a": 1}'), FAMILIES)
    assert "gctrace" in found.why["gctrace"]
    assert found.numbers["stdout.json.a"] == 1


def test_what_a_parser_gives_is_made_finite(monkeypatch):
    given_ = Found({"gctrace.count": float("nan"), "gctrace.pause": 10**400, "gctrace.cpu": None,
                    "gctrace.goal": 1e76})  # fmt: skip
    monkeypatch.setattr(type(parsers()["gctrace"]), "parse", lambda self, said: given_)
    found = parse(Printed(asked=("gctrace.count",)), ("gctrace",))
    assert set(found.numbers.values()) == {None}
    assert set(found.why) == set(given_.numbers)
    assert "1e+76, beyond 1e+75" in found.why["gctrace.goal"]
