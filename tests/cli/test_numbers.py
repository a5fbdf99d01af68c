"""Declared metrics on the terminal: value, interval, level, n, and why where there is none."""

from runner.analysis.model import Estimate
from runner.cli.outcome import MOST_NUMBERS, numbers

ONE = Estimate("wall", "ms", {"a": "x"}, None, (0.1,) * 6, 6, 0.1, (0.09, 0.12), 0.969)


def test_a_metric_has_its_interval_level_and_n():
    assert numbers([ONE]) == ["   metric wall [a=x]  100 ms (90 … 120 ms at 96.9 %), n = 6"]


def test_a_number_that_is_missing_says_why():
    none = Estimate("rss", "MiB", {}, "50", (None,), 0, None, None, None, "no cgroup")
    assert numbers([none]) == ["   metric rss [50]  –, n = 0: no cgroup"]


def test_many_are_counted():
    lines = numbers([ONE] * (MOST_NUMBERS + 5))
    assert len(lines) == MOST_NUMBERS + 1
    assert lines[-1] == "   and 5 more, in the report"
