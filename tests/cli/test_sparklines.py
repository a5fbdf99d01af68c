"""Metrics as small lines: on a terminal that can show them, and what they say."""

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.analysis.model import Step, Trial
from runner.cli.sparklines import BLOCKS, POINTS, Sparklines, Trace, drawable, sparkline
from runner.specfile import parse_text


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_a_line_has_a_block_for_each_value_and_higher_ones_for_higher_values(values):
    line = sparkline(values)
    assert len(line) == len(values)
    assert set(line) <= set(BLOCKS)
    for (a, x), (b, y) in zip(zip(values, line), list(zip(values, line))[1:]):  # noqa: B905
        assert (x <= y) if a <= b else (x >= y)


def test_the_ends_are_the_ends():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == BLOCKS
    assert sparkline([5, 5, 5]) == BLOCKS[3] * 3
    assert sparkline([]) == ""


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=2000))
def test_a_long_line_has_few_points_that_are_means(values):
    trace = Trace()
    for value in values:
        trace.add(value)
    assert len(trace.points) < POINTS
    assert trace.last == values[-1]
    if trace.points:
        every = len(values) // len(trace.points)
        assert len(values) < (len(trace.points) + 1) * every or len(trace.points) == POINTS // 2
        assert min(values) <= min(trace.points) <= max(trace.points) <= max(values)


@pytest.mark.parametrize(
    ("environment", "encoding", "tty", "shown"),
    [
        ({"LANG": "de_DE.UTF-8"}, "utf-8", True, True),
        ({"LC_ALL": "C.utf8", "LANG": "C"}, "UTF-8", True, True),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "utf-8", True, False),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", True, False),
        ({"LANG": "de_DE.UTF-8"}, "ascii", True, False),
        ({"LANG": "de_DE.UTF-8"}, "utf-8", False, False),
        ({}, "utf-8", True, False),
    ],
)
def test_blocks_are_for_terminals_of_utf8(environment, encoding, tty, shown):
    class Stream(io.StringIO):
        def isatty(self):
            return tty

    Stream.encoding = encoding
    assert drawable(Stream(), environment) is shown


def lines_of(metrics: str) -> Sparklines:
    text = (
        "schema: experiment/1\nname: x\nhosts: {server: local}\nworkload: {argv: [x]}\n"
        f"load: {{url: 'http://127.0.0.1:1/', steps: [{{connections: 1, duration: 1s}}]}}\n{metrics}"
    )
    return Sparklines(parse_text(text).experiment)


def test_a_counter_is_drawn_per_second_and_a_restart_is_left_out():
    lines = lines_of("metrics: {faults: {from: procfs.minor_faults}}\n")
    lines.begin("", ["x", "procfs.stat.7"])
    for t, value in ((0.0, 100), (1.0, None), (2.0, 120), (4.0, 200), (5.0, 10), (6.0, 15)):
        lines.sample("", t, [1, value])
    (line,) = lines.lines("", "pi: ")
    assert line == f"   pi: faults {sparkline([10, 40, 5])} 5 per s"


def test_other_metrics_are_drawn_over_the_trials_that_count():
    lines = lines_of("metrics: {rate: {from: load.rps}, rss: {from: procfs.rss}}\n")
    for n, outcome in ((10, "healthy"), (99, "invalid"), (30, "unhealthy"), (20, "healthy")):
        step = Step(0, "1", 1, 0.0, 1.0, outcome, (), {"load.rps": float(n), "procfs.rss": 1.0}, {})
        lines.ended("", Trial(
            id="t", host="local", treatment={}, repetition=1, attempt=1, outcome=outcome, why="",
            started_at=0.0, steps=(step,), guards=(), sampler={},
        ))  # fmt: skip
    (line,) = lines.of_trials()
    assert line == f"   rate {sparkline([10, 30, 20])} 20 /s (3 trials)"
    assert not any(math.isnan(value) for value in lines._trials["rate"])
