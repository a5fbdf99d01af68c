"""What a metric's number is, and how what was printed becomes a number in base units."""

from __future__ import annotations

import pytest

from runner.spec.dimensions import DimensionError, bare_unit, measure
from runner.spec.metrics import Metric

LATENCY = {"from": "load.latency_p99", "unit": "ms"}
RSS = {"from": "procfs.rss"}


def of(metrics, name="m"):
    known = {key: Metric.model_validate(value) for key, value in metrics.items()}
    return measure(known[name], known)


@pytest.mark.parametrize(
    ("metric", "unit", "printed", "base"),
    [
        ({"from": "stdout.json.x", "unit": "ms"}, "ms", 9.5, 0.0095),
        ({"from": "stdout.json.x", "unit": "ns"}, "ns", 1200, 1.2e-6),
        ({"from": "stdout.json.x", "unit": "%"}, "%", 42, 0.42),
        ({"from": "stdout.json.x", "unit": "MB"}, "MB", 3.5, 3.5e6),
        ({"from": "stdout.json.x", "unit": "pages"}, "pages", 7, 7),
        ({"from": "stdout.json.x"}, "", 7, 7),
        ({"from": "stdout.json.x", "printed_in": "B", "unit": "MiB"}, "MiB", 2**20, 2**20),
        ({"from": "stdout.json.x", "printed_in": "KiB", "unit": "MiB"}, "MiB", 3, 3072),
        ({"from": "stdout.json.x", "printed_in": "us"}, "us", 5, 5e-6),
        ({"from": "command.p99", "unit": "us"}, "us", 5, 5e-6),
        ({"from": "procfs.rss", "unit": "MiB"}, "MiB", 2**20, 2**20),
        ({"from": "procfs.rss"}, "B", 2**20, 2**20),
        ({"from": "gobench.ns_per_op"}, "ns", 1.2e-7, 1.2e-7),
        ({"from": "gobench.ns_per_op", "unit": "ns/op"}, "ns/op", 1.2e-7, 1.2e-7),
        ({"from": "gctrace.count", "as": "rate/min"}, "/min", 3, 3),
        ({"from": "procfs.user_cpu", "as": "rate/s"}, "%", 0.5, 0.5),
        ({"from": "prometheus.x_total", "as": "rate/min", "unit": "1/min"}, "1/min", 3, 3),
        ({"from": "fetched.s.n", "as": "rate/s", "printed_in": "MB"}, "B/s", 3, 3e6),
        ({"from": "cgroup.first_oom", "as": "load.established"}, "connections", 3, 3),
        ({"from": "search.level", "unit": "1/s"}, "1/s", 3, 3),
        ({"from": "procfs.rss", "statistic": "count"}, "", 3, 3),
    ],
)
def test_of_a_source(metric, unit, printed, base):
    found = of({"m": metric})
    assert (found.unit, found.base(printed)) == (unit, base)


@pytest.mark.parametrize(
    ("compute", "unit"),
    [
        ("a - a", "ms"), ("b / b", ""), ("b / a", "B/s"), ("a * 2", "s"), ("1 / a", "/s"),
        ("b - 5MiB", "B"), ("n / 2", ""), ("b - 0", "B"),
    ],
)  # fmt: skip
def test_of_arithmetic(compute, unit):
    metrics = {"a": LATENCY, "b": RSS, "n": {"from": "stdout.json.n"}, "m": {"compute": compute}}
    assert of(metrics).unit == unit


@pytest.mark.parametrize("compute", ["a + b", "b - 5", "b - 5ms", "(a - b) / a", "n + b"])
def test_what_does_not_go_together(compute):
    metrics = {"a": LATENCY, "b": RSS, "n": {"from": "gctrace.count"}, "m": {"compute": compute}}
    with pytest.raises(DimensionError):
        of(metrics)


def test_arithmetic_over_what_a_program_prints_has_the_unit_that_is_said():
    found = of({"n": {"from": "stdout.json.n"}, "m": {"compute": "n / 2", "unit": "ms"}})
    assert (found.unit, found.base(500)) == ("ms", 0.5)


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ({"from": "load.error_ratio"}, ""),
        ({"from": "load.error_ratio", "unit": "%"}, "%"),
        ({"from": "gobench.ns_per_op"}, "ns"),
        ({"from": "procfs.rss", "unit": "MiB"}, "MiB"),
    ],
)
def test_a_bare_published_number_is_in_the_unit_that_is_said(metric, unit):
    """0.001 of a ratio is 0.1 %, and not 0.001 %."""
    assert bare_unit(Metric.model_validate(metric), {}) == unit
