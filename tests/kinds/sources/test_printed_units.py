"""Columns and pages whose unit, or whose name, is the program's own."""

from __future__ import annotations

import pytest

from runner.kinds.sources import parsers
from runner.kinds.sources.interface import Page, Printed
from runner.kinds.units import unit_of

PARSERS = parsers()


@pytest.mark.parametrize(
    ("column", "name", "unit", "base"),
    [
        ("us/op", "us_per_op", "us", 7e-6),
        ("ms/op", "ms_per_op", "ms", 7e-3),
        ("sec/op", "sec_per_op", "s", 7.0),
        ("p99-ms", "p99-ms", "ms", 7e-3),
        ("min-ns", "min-ns", "ns", 7e-9),
        ("GB/s", "GB_per_s", "GB/s", 7e9),
        ("MiB/op", "MiB_per_op", "MiB", 7 * 2**20),
        ("KB/sec", "KB_per_sec", "KB/s", 7e3),
        ("ops/s", "ops_per_s", "/s", 7.0),
        ("ops/sec", "ops_per_sec", "/s", 7.0),
        ("m", "m", "1", 7.0),
        ("%miss", "%miss", "1", 7.0),
    ],
)
def test_a_column_of_a_benchmark_is_in_the_unit_that_it_names(column, name, unit, base):
    """b.ReportMetric(7, "us/op") is 7 µs; a word that may mean anything is a count."""
    printed = Printed(stdout=f"BenchmarkX-4 10 7 {column}\n", asked=(f"gobench.{name}",))
    found = PARSERS["gobench"].parse(printed)
    assert found.numbers[f"gobench.{name}"] == pytest.approx(base)
    assert unit_of(f"gobench.{name}") == unit


def scraped(text: str, *asked: str) -> dict[str, object]:
    names = tuple(f"prometheus.{name}" for name in asked)
    found = PARSERS["prometheus"].parse(Printed(pages=(Page("/metrics", text),), asked=names))
    return {name.removeprefix("prometheus."): value for name, value in found.numbers.items()}


def test_a_native_histogram_has_count_and_sum_and_does_not_hide_the_page():
    """OpenMetrics' native histograms have no value: the others of the page are read."""
    text = (
        "# TYPE a histogram\n"
        "a {count:12,sum:5,schema:1,zero_threshold:0.1,zero_count:2}\n"
        "# TYPE b gauge\nb 3\n# EOF\n"
    )
    assert scraped(text, "a_count", "a_sum", "b") == {"a_count": 12, "a_sum": 5, "b": 3}


def test_names_with_dots_are_names():
    """Prometheus 3 allows any UTF-8 in a name, in quotes."""
    text = '{"http.server.seconds",code="200"} 5\n{"http.server"} 6\nhttp 7\n'
    asked = ("http.server.seconds.code=200", "http.server.seconds", "http.server", "http")
    assert scraped(text, *asked) == dict(zip(asked, (5, 5, 6, 7), strict=True))
    assert unit_of("prometheus.http.server.duration_seconds.code=200") == "s"
    assert unit_of("prometheus.a_seconds.x=1.5") == "s"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}{"a": 2}\n', 2),
        ('10:00 INFO {"a": 1}\n10:01 INFO {"a": {"b": 0}}\n10:02 INFO {"a": 3}\n', 3),
        ('10:00 INFO {"a": 1} took 3 ms {not json}\n', 1),
        ('{"a": 1}\n10:00 INFO {"a": 2}\n', 1),  # one that stands alone is meant
        ("{ {" * 50_000, None),
    ],
)
def test_the_last_object_is_read_also_within_lines(text, value):
    found = PARSERS["stdout"].parse(Printed(stdout=text, asked=("stdout.json.a",)))
    assert found.numbers.get("stdout.json.a") == value
